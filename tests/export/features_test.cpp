#include "stackae/features.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <locale>
#include <ostream>
#include <sstream>

#include "stackae/error.hpp"

#include "support/catch.hpp"
#include "support/file_faults.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"
#include "support/tensor.hpp"

using stackae::feature_format_of;
using stackae::FeatureFormat;
using stackae::FeatureRow;
using stackae::FeatureWriter;
using stackae::InvalidArgument;
using stackae::IoError;
using stackae::parse;
using stackae::Tensor;
using stackae::test::read_text;
using stackae::test::TemporaryFolder;
using stackae::test::tensor;
using stackae::test::write_text;
using namespace std::string_literals;

namespace {

/// Names that break careless writers, a missing label, and numbers that need care.
const std::vector<FeatureRow> odd_rows = {
    {"plain.png", "cat"}, {"a,b \"c\".png", "é\tü"}, {"two\nlines.png", std::nullopt}, {"日本.png", "cat"}};

Tensor odd_codes() {
    return tensor({4, 3}, {0.1F, 0.0F, -1.0F, 1e-7F, 16777216.0F, 0.333333343F, -0.0F, 0.0F, 3.4028235e38F,
                           1.5F, 2.0F, 1e-45F});
}

void write_odd(const std::string& path, FeatureFormat format, bool labelled,
               const std::vector<std::string>& class_names = {}) {
    FeatureWriter writer(path, format, 3, labelled, class_names);
    writer.write(odd_rows, odd_codes());
    writer.finish();
}

std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const stackae::Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

}  // namespace

TEST_CASE("CSV has a header, quoted names and numbers that give the same floats again") {
    const TemporaryFolder folder;
    write_odd(folder / "out.csv", FeatureFormat::csv, true);
    CHECK(read_text(folder / "out.csv") ==
          "filename,label,f0,f1,f2\n"
          "plain.png,cat,0.1,0,-1\n"
          "\"a,b \"\"c\"\".png\",é\tü,1e-07,16777216,0.33333334\n"
          "\"two\nlines.png\",,-0,0,3.4028235e+38\n"
          "日本.png,cat,1.5,2,1e-45\n");
    CHECK(folder.entries() == 1);
}

TEST_CASE("CSV without labels has no label column") {
    std::ostringstream out;
    FeatureWriter writer(out, FeatureFormat::csv, 2, false);
    writer.write({{"a", "ignored"}}, tensor({1, 2}, {1.0F, 2.0F}));
    writer.write({{"b", std::nullopt}}, tensor({1, 2}, {3.0F, 4.0F}));
    writer.finish();
    CHECK(out.str() == "filename,f0,f1\na,1,2\nb,3,4\n");
}

TEST_CASE("NPY is a numpy header, the floats, and names beside them") {
    const TemporaryFolder folder;
    write_odd(folder / "out.npy", FeatureFormat::npy, true);
    const std::string file = read_text(folder / "out.npy");
    const std::string header = "\x93NUMPY\x01\x00\x76\x00"s +
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 3), }" +
                               std::string(58, ' ') + "\n";
    REQUIRE(file.size() == 128 + 4 * 3 * sizeof(float));
    CHECK(file.substr(0, 128) == header);
    const Tensor codes = odd_codes();
    CHECK(std::memcmp(file.data() + 128, codes.data(), 4 * 3 * sizeof(float)) == 0);
    CHECK(read_text(folder / "out.npy.csv") ==
          "row,filename,label\n0,plain.png,cat\n1,\"a,b "
          "\"\"c\"\".png\",é\tü\n2,\"two\nlines.png\",\n3,日本.png,cat\n");
    CHECK(folder.entries() == 2);
}

TEST_CASE("NPY counts the rows of every block, also when there are none") {
    const TemporaryFolder folder;
    FeatureWriter writer(folder / "many.npy", FeatureFormat::npy, 5, false);
    std::vector<FeatureRow> rows(1000, {"x", std::nullopt});
    for (int block = 0; block < 300; ++block) {  // 6 MB, more than is buffered
        writer.write(rows, Tensor({1000, 5}));
    }
    writer.finish();
    const std::string file = read_text(folder / "many.npy");
    CHECK(file.size() == 128 + 300'000 * 5 * sizeof(float));
    CHECK(file.find("'shape': (300000, 5), }") != std::string::npos);
    CHECK(read_text(folder / "many.npy.csv").ends_with("\n299999,x\n"));

    FeatureWriter(folder / "none.npy", FeatureFormat::npy, 5, false).finish();
    CHECK(read_text(folder / "none.npy").find("'shape': (0, 5), }") != std::string::npos);
}

TEST_CASE("The names of an NPY file never overwrite the file itself") {
    const TemporaryFolder folder;
    write_odd(folder / "odd.csv", FeatureFormat::npy, false);
    CHECK(read_text(folder / "odd.csv").starts_with("\x93NUMPY"));
    CHECK(read_text(folder / "odd.csv.csv").starts_with("row,filename\n"));
}

TEST_CASE("LIBSVM counts from 1, leaves zeros out and numbers the classes in the order given") {
    const TemporaryFolder folder;
    write_odd(folder / "out.svm", FeatureFormat::libsvm, true, {"dog", "cat"});
    CHECK(read_text(folder / "out.svm") ==
          "1 1:0.1 3:-1\n"
          "2 1:1e-07 2:16777216 3:0.33333334\n"
          "-1 3:3.4028235e+38\n"
          "1 1:1.5 2:2 3:1e-45\n");
    CHECK(read_text(folder / "out.classes") == "dog\ncat\né ü\n");
}

TEST_CASE("LIBSVM keeps the number of features where the last ones are 0") {
    std::ostringstream out;
    FeatureWriter writer(out, FeatureFormat::libsvm, 4, false);
    writer.write({{"a", std::nullopt}, {"b", std::nullopt}},
                 tensor({2, 4}, {0.5F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F}));
    writer.finish();
    CHECK(out.str() == "0 1:0.5 4:0\n0 4:0\n");
}

TEST_CASE("Every table is UTF-8, whatever bytes names and labels have") {
    const TemporaryFolder folder;
    for (const FeatureFormat format :
         {FeatureFormat::csv, FeatureFormat::npy, FeatureFormat::libsvm, FeatureFormat::projector,
          FeatureFormat::jsonl, FeatureFormat::hdf5, FeatureFormat::parquet, FeatureFormat::faiss}) {
        const std::string path = folder / ("table."s + name(format));
        FeatureWriter writer(path, format, 1, true);
        writer.write({{"caf\xE9.png", "M\xFCller"}}, tensor({1, 1}, {1.0F}));
        writer.finish();
        const std::vector<std::string> files = stackae::feature_files(path, format, true);
        const std::string text = read_text(files[std::min<std::size_t>(1, files.size() - 1)]);  // with names
        CHECK_THAT(text,
                   stackae::test::contains(format == FeatureFormat::jsonl ? "M\\\\xfcller" : "M\\xfcller"));
        const bool binary = format == FeatureFormat::hdf5 || format == FeatureFormat::parquet;
        CHECK((binary || std::all_of(text.begin(), text.end(), [](char c) { return c >= 0; })));
        CHECK(text.find("caf\xE9") == std::string::npos);
    }
}

TEST_CASE("Ids of users and items have their own heading, and stay byte for byte in CSV") {
    const TemporaryFolder folder;
    const auto write = [&](const std::string& name, FeatureFormat format, stackae::RowKind kind) {
        FeatureWriter writer(folder / name, format, 1, false, {}, kind);
        writer.write({{"caf\xe9", std::nullopt}}, tensor({1, 1}, {2.0F}));
        writer.finish();
        return read_text(folder / name);
    };
    CHECK(write("a.csv", FeatureFormat::csv, stackae::RowKind::user) == "user,f0\ncaf\xe9,2\n");
    CHECK(write("a.jsonl", FeatureFormat::jsonl, stackae::RowKind::item) ==
          "{\"item\":\"caf\\\\xe9\",\"features\":[2]}\n");
    (void)write("a.npy", FeatureFormat::npy, stackae::RowKind::item);
    CHECK(read_text(folder / "a.npy.csv") == "row,item\n0,caf\xe9\n");
    CHECK(write("b.csv", FeatureFormat::csv, stackae::RowKind::filename) == "filename,f0\ncaf\\xe9,2\n");
}

TEST_CASE("LIBSVM without labels writes 0 and no classes") {
    const TemporaryFolder folder;
    write_odd(folder / "out.libsvm", FeatureFormat::libsvm, false, {"dog"});
    CHECK(read_text(folder / "out.libsvm").starts_with("0 1:0.1 3:-1\n0 1:1e-07"));
    CHECK(folder.entries() == 1);
}

TEST_CASE("The projector's folder has tensors and metadata of the same rows") {
    const TemporaryFolder folder;
    write_odd(folder / "projector/", FeatureFormat::projector, true);
    CHECK(read_text(folder / "projector/tensors.tsv") ==
          "0.1\t0\t-1\n1e-07\t16777216\t0.33333334\n-0\t0\t3.4028235e+38\n1.5\t2\t1e-45\n");
    CHECK(read_text(folder / "projector/metadata.tsv") ==
          "filename\tlabel\nplain.png\tcat\na,b \"c\".png\té ü\ntwo lines.png\t\n日本.png\tcat\n");
    CHECK(read_text(folder / "projector/projector_config.json") ==
          R"({"embeddings":[{"metadataPath":"metadata.tsv","tensorName":"features",)"
          R"("tensorPath":"tensors.tsv","tensorShape":[4,3]}]})"
          "\n");
}

TEST_CASE("The projector takes a sprite, and no other format does") {
    const TemporaryFolder folder;
    {
        FeatureWriter writer(folder / "out.tsv", FeatureFormat::projector, 3, false);
        writer.write(odd_rows, odd_codes());
        writer.set_sprite(Tensor({16, 16, 3}), 8);
        writer.finish();
    }
    CHECK(read_text(folder / "out.projector_config.json")
              .find(R"("sprite":{"imagePath":"out.sprite.png","singleImageDim":[8,8]})") !=
          std::string::npos);
    CHECK(read_text(folder / "out.sprite.png").starts_with("\x89PNG"));
    CHECK(folder.entries() == 4);
    FeatureWriter other(folder / "out.csv", FeatureFormat::csv, 3, false);
    CHECK_THROWS_AS(other.set_sprite(Tensor({16, 16, 3}), 8), InvalidArgument);
}

TEST_CASE("An index of FAISS begins as its reader expects, and has names beside it") {
    const TemporaryFolder folder;
    write_odd(folder / "out.faiss", FeatureFormat::faiss, true);
    const std::string bytes = read_text(folder / "out.faiss");
    CHECK(bytes.size() == 45 + 4 * 3 * sizeof(float));
    CHECK(bytes.starts_with("IxF2\x03\0\0\0\x04\0\0\0\0\0\0\0"s));
    CHECK(read_text(folder / "out.faiss.csv").starts_with("row,filename,label\n0,plain.png,cat\n"));
    CHECK(folder.entries() == 2);
}

TEST_CASE("Projector metadata of one column has no header") {
    const TemporaryFolder folder;
    write_odd(folder / "out.tsv", FeatureFormat::projector, false);
    CHECK(read_text(folder / "out.tsv").starts_with("0.1\t0\t-1\n"));
    CHECK(read_text(folder / "out.metadata.tsv") == "plain.png\na,b \"c\".png\ntwo lines.png\n日本.png\n");
    CHECK(folder.entries() == 3);
}

TEST_CASE("JSON lines hold one object a row") {
    const TemporaryFolder folder;
    write_odd(folder / "out.jsonl", FeatureFormat::jsonl, true);
    CHECK(read_text(folder / "out.jsonl") ==
          R"({"filename":"plain.png","label":"cat","features":[0.1,0,-1]})"
          "\n"
          R"({"filename":"a,b \"c\".png","label":"é\tü","features":[1e-07,16777216,0.33333334]})"
          "\n"
          R"({"filename":"two\nlines.png","label":null,"features":[-0,0,3.4028235e+38]})"
          "\n"
          R"({"filename":"日本.png","label":"cat","features":[1.5,2,1e-45]})"
          "\n");
}

TEST_CASE("JSON lines stay JSON for names that are not UTF-8 and for values that are not finite") {
    std::ostringstream out;
    FeatureWriter writer(out, FeatureFormat::jsonl, 2, false);
    const float infinity = std::numeric_limits<float>::infinity();
    writer.write({{"caf\xE9.png", std::nullopt}}, tensor({1, 2}, {std::nanf(""), -infinity}));
    writer.finish();
    CHECK(out.str() == "{\"filename\":\"caf\\\\xe9.png\",\"features\":[null,null]}\n");
}

TEST_CASE("Numbers have a point whatever the locale") {
    struct Comma : std::numpunct<char> {
        char do_decimal_point() const override { return ','; }
        char do_thousands_sep() const override { return '.'; }
        std::string do_grouping() const override { return "\3"; }
    };
    const std::locale before = std::locale::global(std::locale(std::locale(), new Comma));
    std::ostringstream out;
    FeatureWriter writer(out, FeatureFormat::libsvm, 1, false);
    writer.write({{"a", std::nullopt}}, tensor({1, 1}, {12345.5F}));
    writer.finish();
    std::locale::global(before);
    CHECK(out.str() == "0 1:12345.5\n");
}

TEST_CASE("Without finish() nothing is left behind, and an older table stays") {
    const TemporaryFolder folder;
    write_text(folder / "old.csv", "old");
    for (const FeatureFormat format : {FeatureFormat::csv, FeatureFormat::npy, FeatureFormat::libsvm,
                                       FeatureFormat::projector, FeatureFormat::jsonl, FeatureFormat::npz,
                                       FeatureFormat::hdf5, FeatureFormat::parquet, FeatureFormat::faiss}) {
        FeatureWriter writer(folder / "old.csv" + (format == FeatureFormat::projector ? ".folder" : ""),
                             format, 3, true);
        writer.write(odd_rows, odd_codes());
    }
    CHECK(folder.entries() == 1);
    CHECK(read_text(folder / "old.csv") == "old");
}

TEST_CASE("Killed at any call, a table and its side file are of one run for the next run that writes there") {
    for (const FeatureFormat format : {FeatureFormat::npy, FeatureFormat::libsvm, FeatureFormat::projector,
                                       FeatureFormat::hdf5, FeatureFormat::faiss}) {
        const TemporaryFolder folder;
        const std::string path = folder / (format == FeatureFormat::projector ? "folder/" : "table.x");
        const auto write_run = [&](const std::string& run) {
            FeatureWriter writer(path, format, 1, true);
            writer.write({{run + ".png", run}}, tensor({1, 1}, {run == "new" ? 1.0F : 2.0F}));
            writer.finish();
        };
        const auto files = [&] {
            std::string all;
            for (const std::string& file : stackae::feature_files(path, format, true)) {
                all += read_text(file);
            }
            return all;
        };
        write_run("new");
        const std::string new_files = files();
        write_run("old");
        const std::string old_files = files();
        long call = 0;
        for (bool killed = true; killed; ++call) {
            write_run("old");
            killed = stackae::test::exit_codes(1, [&](int /*index*/) {
                         const stackae::test::FileFaults faults({.call = call});
                         write_run("new");
                     })[0] != 0;
            FeatureWriter(path + (format == FeatureFormat::projector ? "other.tsv" : ".csv"),
                          FeatureFormat::csv, 1, true);  // a run that writes something else
            const std::string found = files();
            CHECK((found == old_files || found == new_files));
            CHECK((killed || found == new_files));
        }
        CHECK(call > 10);
    }
}

TEST_CASE("Rows that do not match the codes are refused") {
    std::ostringstream out;
    FeatureWriter writer(out, FeatureFormat::csv, 3, true);
    CHECK(message_of([&] {
              writer.write(odd_rows, Tensor({3, 3}));
          }) == "features: codes of 3 × 3 found, 4 × 3 expected");
    CHECK(message_of([&] {
              writer.write(odd_rows, Tensor({4, 2}));
          }) == "features: codes of 4 × 2 found, 4 × 3 expected");
    CHECK_NOTHROW(writer.write({}, Tensor()));
    writer.finish();
    CHECK_THROWS_AS(writer.write({}, Tensor()), InvalidArgument);
    CHECK(out.str() == "filename,label,f0,f1,f2\n");
    CHECK_THROWS_AS(FeatureWriter(out, FeatureFormat::csv, 0, true), InvalidArgument);
}

TEST_CASE("A table that needs files cannot go to a stream") {
    std::ostringstream out;
    CHECK(message_of([&] { FeatureWriter(out, FeatureFormat::npy, 3, true); }) ==
          "features: npy needs a file; one of csv, libsvm, jsonl can be written to a stream");
    CHECK_THROWS_AS(FeatureWriter(out, FeatureFormat::projector, 3, true), InvalidArgument);
}

TEST_CASE("A stream that fails and a missing folder are errors") {
    const TemporaryFolder folder;
    CHECK_THROWS_AS(FeatureWriter(folder / "missing/out.csv", FeatureFormat::csv, 3, true), IoError);
    CHECK_THROWS_AS(FeatureWriter(folder / "missing/projector/", FeatureFormat::projector, 3, true), IoError);
    std::ostringstream out;
    FeatureWriter writer(out, FeatureFormat::csv, 3, true);
    out.setstate(std::ios::failbit);
    CHECK_THROWS_AS(writer.write(odd_rows, odd_codes()), IoError);
    if (std::filesystem::exists("/dev/full")) {
        FeatureWriter full("/dev/full", FeatureFormat::csv, 3, true);
        full.write(odd_rows, odd_codes());
        CHECK_THROWS_AS(full.finish(), IoError);
    }
}

TEST_CASE("A row that a stream refused is not written before the next one") {
    std::ostringstream out;
    FeatureWriter writer(out, FeatureFormat::jsonl, 1, false);
    out.setstate(std::ios::badbit);
    CHECK_THROWS_AS(writer.write({{"lost.png", {}}}, tensor({1, 1}, {1.0F})), IoError);
    out.clear();
    writer.write({{"kept.png", {}}}, tensor({1, 1}, {2.0F}));
    CHECK(out.str().find("lost.png") == std::string::npos);
    CHECK(out.str().find("kept.png") != std::string::npos);
}

TEST_CASE("Feature formats are known by name and by ending") {
    for (const char* text :
         {"csv", "npy", "libsvm", "projector", "jsonl", "npz", "hdf5", "parquet", "faiss"}) {
        CHECK(std::string(name(parse<FeatureFormat>(text))) == text);
    }
    CHECK(message_of([] { (void)parse<FeatureFormat>("arff"); }) ==
          "feature format: \"arff\" found, one of csv, npy, libsvm, projector, jsonl, npz, hdf5, parquet, "
          "faiss "
          "expected");
    CHECK(feature_format_of("a.b/x.csv") == FeatureFormat::csv);
    CHECK(feature_format_of("X.NPY") == FeatureFormat::npy);
    CHECK(feature_format_of("x.libsvm") == FeatureFormat::libsvm);
    CHECK(feature_format_of("x.svm") == FeatureFormat::libsvm);
    CHECK(feature_format_of("x.tsv") == FeatureFormat::projector);
    CHECK(feature_format_of("folder/") == FeatureFormat::projector);
    CHECK(feature_format_of("x.jsonl") == FeatureFormat::jsonl);
    CHECK(feature_format_of("x.ndjson") == FeatureFormat::jsonl);
    CHECK(feature_format_of("x.npz") == FeatureFormat::npz);
    CHECK(feature_format_of("x.h5") == FeatureFormat::hdf5);
    CHECK(feature_format_of("x.hdf5") == FeatureFormat::hdf5);
    CHECK(feature_format_of("x.parquet") == FeatureFormat::parquet);
    CHECK(feature_format_of("x.faiss") == FeatureFormat::faiss);
    CHECK(message_of([] { (void)feature_format_of("x.arff"); }) ==
          "x.arff: no feature format by its ending; one of .csv .npy .libsvm .svm .tsv / .jsonl .ndjson .npz "
          ".h5 "
          ".hdf5 .parquet .faiss expected");
}

#include <filesystem>

#include "stackae/error.hpp"

#include "data/make.hpp"
#include "data/make_zip.hpp"

namespace stackae {
namespace {

using namespace test;

const std::string pictures_npy = npy("|u1", "(2, 2, 2)", std::string("\0\1\2\3\4\5\6\7", 8));

std::vector<double> values(const std::string& path, const PictureLimits& limits = {}) {
    const PictureBatch batch = read_all(ImageDataset::open(path, limits), preprocessing_of(1, 2, 2));
    REQUIRE(batch.skipped.empty());
    std::vector<double> all;
    for (const float value : batch.pictures.values()) {
        all.push_back(255.0 * static_cast<double>(value));
    }
    return all;
}

std::vector<std::string> labels(const std::string& path) {
    const ImageDataset pictures = ImageDataset::open(path);
    std::vector<std::string> all;
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        all.push_back(pictures.entry(i).label.value_or("-"));
    }
    return all;
}

}  // namespace

TEST_CASE("The one array of pictures in an NPZ archive is read, stored or deflated, ZIP64 or not") {
    const TemporaryFolder folder;
    const bool zip64 = GENERATE(false, true);
    const bool deflated = GENERATE(false, true);
    const std::string archive = zip({{"readme.txt", "no array"},
                                     {"threshold.npy", npy("<f8", "()", std::string(8, '\0'))},
                                     {"x.npy", pictures_npy, deflated}},
                                    zip64);
    for (const char* name : {"a.npz", "a.bin"}) {  // by the ending or by the first bytes
        write_text(folder / name, archive);
        CHECK(farthest(values(folder / name), {0, 1, 2, 3, 4, 5, 6, 7}) < 1e-4);
        CHECK(ImageDataset::open(folder / name).entry(1).path == folder / name + "#1");
    }
    CHECK(farthest(values(folder / "a.npz#x"), {0, 1, 2, 3, 4, 5, 6, 7}) < 1e-4);
    CHECK(ImageDataset::open(folder / "a.npz#x").entry(1).path == folder / "a.npz#x#1");
    CHECK(ImageDataset::open(folder / "a.npz#x").file(1) == folder / "a.npz");
    PictureLimits limits;
    limits.memory = 4;
    limits.temporary_folder = folder / "temporary";
    std::filesystem::create_directory(limits.temporary_folder);
    CHECK(farthest(values(folder / "a.npz", limits), {0, 1, 2, 3, 4, 5, 6, 7}) < 1e-4);
    CHECK(std::filesystem::is_empty(limits.temporary_folder));
}

TEST_CASE("An NPZ archive of several arrays of pictures asks which, and says their names") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.npz";
    const std::string other = npy("|u1", "(1, 2, 2)", "abcd");
    write_text(path, zip({{"x_train.npy", pictures_npy},
                          {"y_train.npy", npy("<i8", "(2,)", bytes_of(std::vector<std::int64_t>{7, -1}))},
                          {"x_test.npy", other},
                          {"objects.npy", npy("|O", "(2,)", "..")}}));
    CHECK_THROWS_AS(ImageDataset::open(path), InvalidArgument);
    CHECK_THROWS_WITH(ImageDataset::open(path),
                      path +
                          ": 2 arrays of pictures found (x_train, x_test), 1 expected; "
                          "name one, as in " +
                          path + "#x_train");
    CHECK(ImageDataset::open(path + "#x_test").size() == 1);
    CHECK(labels(path + "#x_train") == std::vector<std::string>{"7", "-1"});
    CHECK_FALSE(ImageDataset::open(path + "#x_test").labelled());
    CHECK_THROWS_WITH(ImageDataset::open(path + "#z"),
                      contains("no array z found, one of x_train, y_train, x_test, objects expected"));
    CHECK_THROWS_WITH(ImageDataset::open(path + "#objects"), contains("NPY of '|O' found"));
    CHECK_THROWS_WITH(ImageDataset::open(path + "#y_train"), contains("array of shape 2 found"));
    write_text(path, zip({{"y.npy", npy("|u1", "(4,)", "abcd")}}));
    CHECK_THROWS_WITH(ImageDataset::open(path), contains("no array of pictures or rows found (arrays: y)"));
}

TEST_CASE("Labels of an NPZ archive are numbers or text, one a picture") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.npz";
    const auto labels_with = [&](const std::string& name, const std::string& array, bool deflated = false) {
        write_text(path, zip({{"images.npy", pictures_npy}, {name + ".npy", array, deflated}}));
        return labels(path);
    };
    using Labels = std::vector<std::string>;
    CHECK(labels_with("labels", npy("|u1", "(2, 1)", "\x03\x04"), true) == Labels{"3", "4"});
    CHECK(labels_with("target", npy(">i2", "(2,)", std::string("\x01\x00\xff\xff", 4))) ==
          Labels{"256", "-1"});
    CHECK(labels_with("y", npy("|b1", "(2,)", std::string("\x00\x01", 2))) == Labels{"0", "1"});
    CHECK(labels_with("y", npy("|S3", "(2,)",
                               std::string("cat"
                                           "ox\0",
                                           6))) == Labels{"cat", "ox"});
    const std::vector<std::uint32_t> letters{0xE9, 0x41, 0x1F600, 0};
    CHECK(labels_with("y", npy("<U2", "(2,)", bytes_of(letters))) == Labels{"\xC3\xA9"
                                                                            "A",
                                                                            "\xF0\x9F\x98\x80"});
    CHECK(labels_with("y", npy(">U2", "(2,)", swapped_bytes_of(letters))) == Labels{"\xC3\xA9"
                                                                                    "A",
                                                                                    "\xF0\x9F\x98\x80"});
    CHECK(labels_with("y", npy("<f8", "(2,)", bytes_of(std::vector<double>{3.0, -1.0}))) ==
          Labels{"3", "-1"});
    // What is there under a name for labels and is none is told.
    const auto note_with = [&](const std::string& array) {
        CHECK(labels_with("labels", array) == Labels{"-", "-"});
        const std::vector<std::string> notes = ImageDataset::open(path).notes();
        return notes.size() == 1 ? notes.front() : "not one note";
    };
    const std::string none = "no labels from " + path + "#labels: ";
    CHECK(note_with(npy("|u1", "(3,)", "abc")) ==
          none + "array of shape 3 found, 2 values expected, one a picture");
    CHECK(note_with(npy("<f8", "(2,)", bytes_of(std::vector<double>{1.5, 2.0}))) ==
          none + "1.5 found, whole numbers or text expected");
    CHECK_THAT(note_with(npy("|O", "(2,)", "..")), contains(none) && contains("'|O' found"));
    CHECK(labels_with("labels", npy("|u1", "(2,)", "ab")) == Labels{"97", "98"});
    CHECK(ImageDataset::open(path).notes().empty());
}

TEST_CASE("A damaged NPZ archive is refused, and a bomb costs no more than its header says") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.npz";
    const auto refused = [&](const std::string& content, const std::string& text) {
        write_text(path, content);
        CHECK_THROWS_AS(ImageDataset::open(path), CorruptFile);
        CHECK_THROWS_WITH(ImageDataset::open(path), contains(path) && contains(text));
    };
    const std::string good = zip({{"x.npy", pictures_npy, true}});
    for (std::size_t length = 0; length < good.size(); length += 7) {
        write_text(path, good.substr(0, length));
        CHECK_THROWS_AS(ImageDataset::open(path), Error);
    }
    refused("", "ZIP archive: ");
    refused("no archive", "ZIP archive: Not a zip archive");
    std::string flipped = good;
    flipped[good.find("x.npy") + 60] = static_cast<char>(~flipped[good.find("x.npy") + 60]);
    write_text(path, flipped);
    CHECK_THROWS_AS(ImageDataset::open(path), CorruptFile);
    refused(zip({{"x.npy", npy("|u1", "(1000000, 1000, 1000)", "abc"), true}}), "cut short: 131 bytes found");
    refused(zip({{"x.npy", npy("|u1", "(1, 2, 2)", std::string(1 << 20, 'a')), true}}),
            "too long: at least 133");
    refused(zip({{"x.npy", npy("|u1", "(1, 2, 2)", std::string(1 << 20, 'a')), true, 132}}),
            "too long: at least 133");
    refused(zip({{"x.npy", npy("|u1", "(1, 2, 2)", "abcd"), false, 1000}}), "cut short");
}

}  // namespace stackae

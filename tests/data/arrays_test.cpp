#include <array>
#include <cmath>
#include <filesystem>
#include <span>
#include <type_traits>

#include "stackae/error.hpp"

#include "data/content.hpp"
#include "data/make.hpp"
#include "support/resident.hpp"

namespace stackae {
namespace {

using namespace test;

/// Preprocessing for rows that takes any finite value and leaves it as it is.
Preprocessing as_it_is(int height, int width, int channels = 1) {
    Preprocessing preprocessing = preprocessing_of(channels, height, width);
    preprocessing.mean.assign(static_cast<std::size_t>(preprocessing.size()), 0.0F);
    preprocessing.deviation.assign(static_cast<std::size_t>(preprocessing.size()), 1.0F);
    return preprocessing;
}

/// All values of a collection, as they are.
std::vector<double> numbers_of(const std::string& path, int height, int width, int channels = 1,
                               const PictureLimits& limits = {}) {
    const PictureBatch batch = read_all(ImageDataset::open(path, limits), as_it_is(height, width, channels));
    REQUIRE(batch.skipped.empty());
    return {batch.pictures.values().begin(), batch.pictures.values().end()};
}

}  // namespace

TEST_CASE("Bytes beyond an array's end are never given") {
    const TemporaryFolder folder;
    write_text(folder / "a", "0123456789");
    data::ByteStore store(4, {});
    store.append(std::as_bytes(std::span(std::string_view("0123"))));
    std::array<std::byte, 4> bytes{};
    for (const bool file : {true, false}) {
        const data::Content content =
            file ? data::Content(base::InputFile(folder / "a"), 2, 4) : data::Content(std::move(store));
        content.read_at(0, bytes);
        CHECK(bytes[0] == std::byte(file ? '2' : '0'));
        CHECK_THROWS_AS(content.read_at(1, bytes), IoError);
        CHECK_THROWS_AS(content.read_at(UINT64_MAX, bytes), IoError);
    }
}

TEST_CASE("A file of many pictures does not stay in memory once they were read") {
    const TemporaryFolder folder;
    const std::string path = folder / "many-images-idx3-ubyte";
    write_text(path, idx({1000, 360, 360}, counting_bytes(1000 * 360 * 360)));  // 124 MiB
    const ImageDataset pictures = ImageDataset::open(path);
    const Preprocessing preprocessing = preprocessing_of(1, 4, 4);
    const std::int64_t before = resident_bytes();
    PictureReader reader(pictures, preprocessing);
    std::int64_t read = 0;
    for (PictureBatch batch; reader.next(batch);) {
        read += batch.pictures.rows();
    }
    CHECK(read == 1000);
    CHECK(resident_bytes() - before < std::int64_t{80} << 20);
}

TEST_CASE("A broken gzip file is named, and does not cost the memory its header claims") {
    const TemporaryFolder folder;
    const std::string path = folder / "a-images-idx3-ubyte.gz";
    write_gzip(path, idx({100, 20, 20}, std::string(40000, 'a') + counting_bytes(200)));
    const std::string whole = read_text(path);
    write_text(path, whole.substr(0, whole.size() / 2));
    CHECK_THROWS_AS(ImageDataset::open(path), CorruptFile);
    std::string flipped = whole;
    flipped[flipped.size() / 2] = static_cast<char>(~flipped[flipped.size() / 2]);
    write_text(path, flipped);
    CHECK_THROWS_AS(ImageDataset::open(path), CorruptFile);
    write_gzip(path, idx({1000000, 1000, 1000}, counting_bytes(200)));
    CHECK_THROWS_WITH(ImageDataset::open(path),
                      contains("cut short: 216 bytes found, 1000000000016 expected"));
    write_gzip(path, "not an IDX file at all");
    CHECK_THROWS_AS(ImageDataset::open(path), CorruptFile);
    write_text(path, std::string("\x1f\x8b", 2));
    CHECK_THROWS_AS(ImageDataset::open(path), CorruptFile);
}

TEST_CASE("NPY pictures of every kind give their values") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.npy";
    const std::vector<std::uint16_t> shorts{0, 65535, 257, 514};
    const std::vector<float> floats{0.0F, 1.0F, 0.25F, 0.5F};
    const std::vector<double> doubles{0.0, 1.0, 0.25, 0.5};
    write_text(path, npy("|u1", "(1, 2, 2)", std::string("\x00\xff\x01\x02", 4)));
    CHECK(farthest(values_of(path, preprocessing_of(1, 2, 2)), {0, 255, 1, 2}) < 1e-4);
    write_text(path, npy("<u2", "(1, 2, 2, 1)", bytes_of(shorts)));
    CHECK(farthest(values_of(path, preprocessing_of(1, 2, 2)), {0, 255, 1, 2}) < 1e-4);
    write_text(path, npy("<f4", "(1,2,2)", bytes_of(floats)));
    CHECK(farthest(values_of(path, preprocessing_of(1, 2, 2)), {0, 255, 63.75, 127.5}) < 1e-4);
    write_text(path, npy("<f8", "(1, 2, 2)", bytes_of(doubles)));
    CHECK(farthest(values_of(path, preprocessing_of(1, 2, 2)), {0, 255, 63.75, 127.5}) < 1e-4);
    write_text(path, npy("|u1", "(1, 1, 1, 4)", std::string("\x0a\x14\x1e\xff", 4)));
    CHECK(farthest(values_of(path, preprocessing_of(3, 1, 1)), {10, 20, 30}) < 1e-4);  // red first
    write_text(path, npy("|u1", "(1, 1, 1, 4)", std::string("\x0a\x14\x1e\x00", 4)));
    CHECK(farthest(values_of(path, preprocessing_of(3, 1, 1)), {0, 0, 0}) < 1e-4);  // transparent
}

TEST_CASE("NPY rows keep their length, or fill the picture that is asked for") {
    const TemporaryFolder folder;
    const std::string path = folder / "rows.npy";
    write_text(path, npy("|u1", "(2, 100)", counting_bytes(200)));
    const ImageDataset pictures = ImageDataset::open(path);
    const Preprocessing chosen = choose_preprocessing(pictures, {});
    CHECK(chosen.channels == 1);
    CHECK(chosen.height == 1);
    CHECK(chosen.width == 100);
    const PictureBatch flat = read_all(pictures, preprocessing_of(1, 1, 100));
    const PictureBatch square = read_all(pictures, preprocessing_of(1, 10, 10, ResizeMode::border));
    REQUIRE(flat.pictures.size() == 200);
    REQUIRE(square.pictures.size() == 200);
    for (int i = 0; i < 200; ++i) {
        REQUIRE(flat.pictures.data()[i] == static_cast<float>(i) / 255.0F);
        REQUIRE(square.pictures.data()[i] == flat.pictures.data()[i]);
    }
}

TEST_CASE("NPY rows of another length than the preprocessing's are refused, never resized") {
    const TemporaryFolder folder;
    const std::string path = folder / "rows.npy";
    write_text(path, npy("|u1", "(3, 100)", counting_bytes(300)));
    const ImageDataset pictures = ImageDataset::open(path);
    const std::vector<std::int64_t> one{1};
    const std::string text = path + ": rows of 100 values found, 784 (28 × 28 × 1) expected";
    CHECK_THROWS_AS(PictureReader(pictures, preprocessing_of(1, 28, 28)), InvalidArgument);
    CHECK_THROWS_WITH(PictureReader(pictures, preprocessing_of(1, 28, 28)), contains(text));
    CHECK_THROWS_WITH(PictureReader(pictures.subset(one), preprocessing_of(1, 28, 28)), contains(text));
    CHECK_THROWS_AS(PictureReader(pictures, preprocessing_of(1, 1, 99)), InvalidArgument);
    PreprocessingOptions options;
    options.height = 5;
    const Preprocessing preprocessing = choose_preprocessing(pictures, options);
    CHECK(preprocessing.height == 5);
    CHECK(preprocessing.width == 20);  // the rest of the row
    options.height = 7;
    CHECK_THROWS_WITH(choose_preprocessing(pictures, options),
                      contains("rows of 100 values found, 98 (7 × 14 × 1)"));
}

TEST_CASE("Rows longer than any picture's side are read whole") {
    const TemporaryFolder folder;
    write_text(folder / "rows.npy", npy("|u1", "(2, 10000)", counting_bytes(20000)));
    const ImageDataset pictures = ImageDataset::open(folder / "rows.npy");
    PreprocessingOptions options;
    options.standardize = false;
    const PictureBatch batch = read_all(pictures, choose_preprocessing(pictures, options));
    REQUIRE(batch.pictures.size() == 20000);
    CHECK(batch.pictures.data()[19999] == static_cast<float>(19999 % 256) / 255.0F);
}

TEST_CASE("Pictures are not squeezed into preprocessing that was made from rows") {
    const TemporaryFolder folder;
    write_text(folder / "a.png", encode(".png", gray_ramp(28, 20)));
    write_text(folder / "b.png", encode(".png", gray_ramp(1, 100)));
    const PictureBatch batch = read_all(ImageDataset::open(folder.path()), preprocessing_of(1, 1, 100));
    CHECK(batch.indices == std::vector<std::int64_t>{1});
    REQUIRE(batch.skipped.size() == 1);
    CHECK(batch.skipped[0].status == PictureStatus::unsupported);
    CHECK(batch.skipped[0].reason == "picture of 20 × 28 pixels found; a row of 100 × 1 expected");
}

TEST_CASE("Floats below 0 or above 1 are skipped with the value, not clipped") {
    const TemporaryFolder folder;
    const std::vector<float> values{0.5F, 0.5F, 0.5F, 3.5F, 0.5F, std::nanf(""), 1.0F, 0.0F};
    write_text(folder / "a.npy", npy("<f4", "(4, 1, 2)", bytes_of(values)));
    const PictureBatch batch = read_all(ImageDataset::open(folder / "a.npy"), preprocessing_of(1, 1, 2));
    CHECK(batch.indices == std::vector<std::int64_t>{0, 3});
    REQUIRE(batch.skipped.size() == 2);
    CHECK(batch.skipped[0].index == 1);
    CHECK(batch.skipped[0].status == PictureStatus::unsupported);
    CHECK(
        batch.skipped[0].reason ==
        "value 3.5 found at column 1; 0 to 1 expected (training with --standardize takes any finite range)");
    CHECK(batch.skipped[1].reason == "value nan found at column 1; 0 to 1 expected");
    const PictureBatch any = read_all(ImageDataset::open(folder / "a.npy"), as_it_is(1, 2));
    CHECK(any.indices == std::vector<std::int64_t>{0, 1, 3});
    CHECK(any.pictures.row(1)[1] == 3.5F);
    REQUIRE(any.skipped.size() == 1);
    CHECK(any.skipped[0].reason == "value nan found at column 1; a finite number expected");
}

TEST_CASE("NPY files that are damaged or no pictures are refused with the reason") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.npy";
    const auto refused = [&](const std::string& content, const std::string& text) {
        write_text(path, content);
        CHECK_THROWS_AS(ImageDataset::open(path), Error);
        CHECK_THROWS_WITH(ImageDataset::open(path), contains(path) && contains(text));
    };
    const std::string good = npy("|u1", "(1, 2, 2)", "abcd");
    refused(good.substr(0, good.size() - 1), "cut short: 131 bytes found, 132 expected");
    refused(good + "..", "too long: at least 134 bytes found, 132 expected");
    refused(npy("|u1", "(1, 2, 2)", "abcdabcd"), "136 bytes found, 132 expected");
    refused(good.substr(0, 20), "10 bytes found, 118 expected");
    refused("", "0 bytes");
    refused("PK\3\4 this is a zip file", "do not begin with");
    for (const char* kind : {"|O", "<c8", "<f16", "<M8[s]", "<V4", "<f1", "<u3", "<f", "<u1x", ""}) {
        refused(npy(kind, "(1, 2, 2)", "abcd"), std::string("NPY of '") + kind + "' found");
    }
    refused(npy("<U1", "(1, 2, 2)", std::string(16, 'a')), "text found, numbers expected");
    refused(npy("|u1", "(1, 2, 2)", "abcd", "Maybe"), "'fortran_order'");
    refused(npy("|u1", "(4,)", "abcd"), "n×d");
    refused(npy("|u1", "(1, 2, -2)", "abcd"), "cannot be read");
    refused(npy("|u1", "(1, 2 2)", "abcd"), "cannot be read");
    refused(npy("|u1", "(99999999999999999999999, 2, 2)", "abcd"), "cannot be read");
    refused(npy("<f8", "(2147483647, 2147483647, 2147483647)", "abcd"), "cannot be");
    refused(npy("|u1", "7", "abcd"), "no tuple");
    std::string renamed = good;
    renamed.replace(renamed.find("shape"), 5, "shade");
    refused(renamed, "no 'shape'");
    std::string version = good;
    version[6] = 9;
    refused(version, "version 9");
}

TEST_CASE("Gzipped NPY is read, whatever the file is called") {
    const TemporaryFolder folder;
    for (const char* name : {"a.npy.gz", "a.npy", "a.bin", "a-ubyte"}) {
        const std::string path = folder / name;
        write_gzip(path, npy("|u1", "(1, 2, 2)", std::string("\x00\xff\x01\x02", 4)));
        CHECK(farthest(values_of(path, preprocessing_of(1, 2, 2)), {0, 255, 1, 2}) < 1e-4);
        write_gzip(path, npy("|u1", "(1, 2, 2)", "abc"));
        CHECK_THROWS_WITH(ImageDataset::open(path), contains("cut short: 131 bytes found, 132 expected"));
    }
}

TEMPLATE_TEST_CASE("NPY of any kind of number gives those numbers, in either byte order", "", std::int8_t,
                   std::int16_t, std::int32_t, std::int64_t, std::uint32_t, std::uint64_t, float, double) {
    const TemporaryFolder folder;
    const std::string path = folder / "a.npy";
    const std::vector<TestType> values{TestType(0), TestType(1), TestType(100), static_cast<TestType>(-3)};
    const char letter = std::is_floating_point_v<TestType> ? 'f' : std::is_signed_v<TestType> ? 'i' : 'u';
    const std::string kind = letter + std::to_string(sizeof(TestType));
    std::vector<double> expected;
    for (const TestType value : values) {
        expected.push_back(static_cast<double>(static_cast<float>(value)));
    }
    write_text(path, npy("<" + kind, "(2, 2)", bytes_of(values)));
    CHECK(numbers_of(path, 1, 2) == expected);
    write_text(path, npy(">" + kind, "(2, 2)", swapped_bytes_of(values)));
    CHECK(numbers_of(path, 1, 2) == expected);
}

TEST_CASE("NPY of truth values, of halves and of big-endian 16 bits") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.npy";
    write_text(path, npy("|b1", "(1, 2, 2)", std::string("\x00\x01\x01\x00", 4)));
    CHECK(numbers_of(path, 2, 2) == std::vector<double>{0, 1, 1, 0});
    write_text(path, npy(">u2", "(1, 1, 2)", std::string("\xff\xff\x33\x33", 4)));
    CHECK(farthest(numbers_of(path, 1, 2), {1.0, 0.2}) < 1e-7);
    // 1, -2, the largest, the smallest above 0, and one below the normal ones
    const std::vector<std::uint16_t> halves{0x3C00, 0xC000, 0x7BFF, 0x0001, 0x0200};
    const std::vector<double> numbers{1.0, -2.0, 65504.0, std::ldexp(1.0, -24), std::ldexp(1.0, -15)};
    write_text(path, npy("<f2", "(1, 5)", bytes_of(halves)));
    CHECK(numbers_of(path, 1, 5) == numbers);
    write_text(path, npy(">f2", "(1, 5)", swapped_bytes_of(halves)));
    CHECK(numbers_of(path, 1, 5) == numbers);
    write_text(path, npy("<f2", "(1, 2)", bytes_of(std::vector<std::uint16_t>{0x7C00, 0x7E00})));
    const PictureBatch batch = read_all(ImageDataset::open(path), as_it_is(1, 2));
    REQUIRE(batch.skipped.size() == 1);
    CHECK(batch.skipped[0].reason == "value inf found at column 0; a finite number expected");
}

TEST_CASE("NPY in Fortran order gives the same pictures, in memory and in a temporary file") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.npy";
    constexpr int n = 5;
    constexpr int h = 3;
    constexpr int w = 4;
    constexpr int c = 3;
    std::vector<double> expected;
    std::vector<float> stored(std::size_t{n} * h * w * c);
    for (int i = 0; i < n; ++i) {
        for (int y = 0; y < h; ++y) {
            for (int x = 0; x < w; ++x) {
                for (int k = 0; k < c; ++k) {
                    const auto value = static_cast<float>(1000 * i + 100 * y + 10 * x + k);
                    stored[static_cast<std::size_t>(i + n * (y + h * (x + w * k)))] = value;
                    expected.push_back(value);
                }
            }
        }
    }
    write_text(path, npy("<f4", "(5, 3, 4, 3)", bytes_of(stored), "True"));
    PictureLimits limits;
    limits.temporary_folder = folder / "temporary";
    CHECK(numbers_of(path, h, w, c, limits) == expected);  // fits in memory: the folder is not used
    limits.memory = 300;                                   // two pictures at once
    CHECK_THROWS_WITH(ImageDataset::open(path, limits), contains(folder / "temporary"));
    std::filesystem::create_directory(folder / "temporary");
    CHECK(numbers_of(path, h, w, c, limits) == expected);
    CHECK(std::filesystem::is_empty(folder / "temporary"));
    write_gzip(path, npy("<f4", "(5, 3, 4, 3)", bytes_of(stored), "True"));
    CHECK(numbers_of(path, h, w, c, limits) == expected);
    write_text(path, npy("|u1", "(2, 3)", std::string("\x00\x01\x02\x03\x04\x05", 6), "True"));
    CHECK(farthest(numbers_of(path, 1, 3), {0, 2 / 255.0, 4 / 255.0, 1 / 255.0, 3 / 255.0, 5 / 255.0}) <
          1e-7);
}

TEST_CASE("IDX of every kind of value gives those values, two extents are rows") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.idx";
    const auto check = [&](int kind, const std::string& data) {
        write_text(path, idx({2, 2}, data, kind));
        CHECK(numbers_of(path, 1, 2) == std::vector<double>{0, 1, -2, 100});
        CHECK(choose_preprocessing(ImageDataset::open(path), {}).width == 2);
        write_gzip(folder / "b.gz", idx({1, 2, 2}, data, kind));
        CHECK(numbers_of(folder / "b.gz", 2, 2) == std::vector<double>{0, 1, -2, 100});
    };
    check(0x09, bytes_of(std::vector<std::int8_t>{0, 1, -2, 100}));
    check(0x0B, swapped_bytes_of(std::vector<std::int16_t>{0, 1, -2, 100}));
    check(0x0C, swapped_bytes_of(std::vector<std::int32_t>{0, 1, -2, 100}));
    check(0x0D, swapped_bytes_of(std::vector<float>{0, 1, -2, 100}));
    check(0x0E, swapped_bytes_of(std::vector<double>{0, 1, -2, 100}));
    write_text(path, idx({2, 2}, counting_bytes(4)));
    CHECK(farthest(numbers_of(path, 1, 2), {0, 1 / 255.0, 2 / 255.0, 3 / 255.0}) < 1e-7);
}

TEST_CASE("A file that becomes shorter while it is read is an unreadable row, not the end of the program") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.npy";
    write_text(path, npy("|u1", "(400, 1000)", std::string(400'000, 'x')));
    const ImageDataset pictures = ImageDataset::open(path);
    std::filesystem::resize_file(path, 150'000);
    const PictureBatch batch = read_all(pictures, preprocessing_of(1, 1, 1000));
    CHECK(batch.indices.size() + batch.skipped.size() == 400);
    CHECK(batch.indices.size() >= 100);
    REQUIRE_FALSE(batch.skipped.empty());
    CHECK(batch.skipped.back().status == PictureStatus::unreadable);
    CHECK_THAT(batch.skipped.back().reason, contains("became shorter while it was read"));
}

TEST_CASE("A large gzipped file is inflated to a temporary file that leaves nothing behind") {
    const TemporaryFolder folder;
    const std::string path = folder / "a-images-idx3-ubyte.gz";
    write_gzip(path, idx({1000, 300, 300}, counting_bytes(1000 * 300 * 300)));  // 86 MiB
    PictureLimits limits;
    limits.memory = 1 << 20;
    limits.temporary_folder = folder / "temporary";
    std::filesystem::create_directory(limits.temporary_folder);
    const std::int64_t before = resident_bytes();
    const ImageDataset pictures = ImageDataset::open(path, limits);
    CHECK(std::filesystem::is_empty(limits.temporary_folder));
    const std::vector<std::int64_t> some{0, 999};
    const PictureBatch batch = read_all(pictures.subset(some), preprocessing_of(1, 300, 300));
    CHECK(batch.pictures.row(1)[1] == static_cast<float>((999 * 90000 + 1) % 256) / 255.0F);
    CHECK(resident_bytes() - before < std::int64_t{16} << 20);
}

TEST_CASE("Pictures in memory are pictures like any other") {
    Tensor values({2, 1, 2, 3});
    for (std::int64_t i = 0; i < values.size(); ++i) {
        values.data()[i] = static_cast<float>(i) / 16.0F;
    }
    const Tensor copy = values;
    const ImageDataset pictures = ImageDataset::from_tensor(std::move(values), {"a", "b"});
    CHECK(pictures.size() == 2);
    CHECK(pictures.entry(1).label == "b");
    const PictureBatch batch = read_all(pictures, preprocessing_of(3, 1, 2));
    CHECK(std::equal(copy.values().begin(), copy.values().end(), batch.pictures.values().begin()));
    Tensor flat({2, 6});
    std::copy_n(copy.data(), copy.size(), flat.data());
    const ImageDataset rows = ImageDataset::from_tensor(std::move(flat));
    const PictureBatch of_rows = read_all(rows, preprocessing_of(3, 1, 2));
    CHECK(std::equal(copy.values().begin(), copy.values().end(), of_rows.pictures.values().begin()));
    CHECK(choose_preprocessing(rows, {}).shape() == Shape{1, 6, 1});
    CHECK_THROWS_AS(ImageDataset::from_tensor(Tensor({2, 1, 2, 3}), {"a"}), InvalidArgument);
    CHECK_THROWS_AS(ImageDataset::from_tensor(Tensor({4})), InvalidArgument);
    CHECK_THROWS_AS(ImageDataset::from_tensor(Tensor({2, 4, 4, 257})), InvalidArgument);
    Tensor bright({2, 2, 2});
    bright.data()[3] = 1.5F;
    const ImageDataset some = ImageDataset::from_tensor(std::move(bright));
    const PictureBatch unit = read_all(some, preprocessing_of(1, 2, 2));
    CHECK(unit.indices == std::vector<std::int64_t>{1});
    REQUIRE(unit.skipped.size() == 1);
    CHECK(unit.skipped[0].reason ==
          "value 1.5 found at row 1, column 1; 0 to 1 expected (training with --standardize takes any finite "
          "range)");
    CHECK(read_all(some, as_it_is(2, 2)).pictures.data()[3] == 1.5F);
}

}  // namespace stackae

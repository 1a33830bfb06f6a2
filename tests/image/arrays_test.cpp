#include "stackae/error.hpp"

#include "image/make.hpp"
#include "support/resident.hpp"

namespace stackae {
namespace {

using namespace test;

/// n bytes 0, 1, 2, …
std::string counting(std::size_t n) {
    std::string data;
    for (std::size_t i = 0; i < n; ++i) {
        data += static_cast<char>(i);
    }
    return data;
}

}  // namespace

TEST_CASE("IDX pictures come with the labels of the file beside them") {
    const TemporaryFolder folder;
    const std::string images = idx({3, 2, 2}, counting(12));
    const std::string labels = idx({3}, std::string("\x07\x00\xff", 3));
    const bool images_packed = GENERATE(false, true);
    const bool labels_packed = GENERATE(false, true);
    const std::string path = folder / (images_packed ? "t-images-idx3-ubyte.gz" : "t-images-idx3-ubyte");
    images_packed ? write_gzip(path, images) : write_text(path, images);
    labels_packed ? write_gzip(folder / "t-labels-idx1-ubyte.gz", labels)
                  : write_text(folder / "t-labels-idx1-ubyte", labels);
    const Pictures pictures = Pictures::open(path);
    REQUIRE(pictures.size() == 3);
    CHECK(pictures.labelled());
    CHECK(pictures.entry(1).path == path + "#1");
    CHECK(pictures.entry(0).label == "7");
    CHECK(pictures.entry(2).label == "255");
    const PictureBatch batch = read_all(pictures, recipe_of(1, 2, 2));
    for (int i = 0; i < 12; ++i) {
        CHECK(batch.pictures.data()[i] == static_cast<float>(i) / 255.0F);
    }
}

TEST_CASE("a file of many pictures does not stay in memory once they were read") {
    const TemporaryFolder folder;
    const std::string path = folder / "many-images-idx3-ubyte";
    write_text(path, idx({1000, 360, 360}, counting(1000 * 360 * 360)));  // 124 MiB
    const Pictures pictures = Pictures::open(path);
    const Recipe recipe = recipe_of(1, 4, 4);
    const std::int64_t before = resident_bytes();
    PictureReader reader(pictures, recipe);
    std::int64_t read = 0;
    for (PictureBatch batch; reader.next(batch);) {
        read += batch.pictures.rows();
    }
    CHECK(read == 1000);
    CHECK(resident_bytes() - before < std::int64_t{80} << 20);
}

TEST_CASE("IDX is known by its content, and colour is kept red first") {
    const TemporaryFolder folder;
    write_text(folder / "data.bin", idx({1, 1, 2, 3}, counting(6)));
    const Pictures pictures = Pictures::open(folder / "data.bin");
    CHECK_FALSE(pictures.labelled());
    CHECK(values_of(folder / "data.bin", recipe_of(3, 1, 2))[4] == Approx(4.0));
    CHECK(choose_recipe(pictures, {}).channels == 3);
}

TEST_CASE("damaged IDX files say what was found and what was expected") {
    const TemporaryFolder folder;
    const std::string path = folder / "a-images-idx3-ubyte";
    const auto refused = [&](const std::string& content, const std::string& text) {
        write_text(path, content);
        CHECK_THROWS_AS(Pictures::open(path), Error);
        CHECK_THROWS_WITH(Pictures::open(path), contains(path) && contains(text));
    };
    refused(idx({3, 2, 2}, counting(11)), "cut short: 27 bytes found, 28 expected");
    refused(idx({3, 2, 2}, counting(13)), "29 bytes found, 28 expected");
    refused("", "0 bytes");
    refused(std::string(40, 'x'), "do not begin with 0, 0");
    refused(std::string("\0\0\x0d\x03", 4) + counting(40), "0x0d found, 0x08 (bytes) expected");
    refused(std::string("\0\0\x08\x09", 4) + counting(40), "9 extents");
    refused(idx({3, 2, 2}, "").substr(0, 10), "3 extents in 10 bytes");
    refused(idx({0, 2, 2}, ""), "holds no picture");
    refused(idx({0xffffffff, 0xffffffff, 0xffffffff, 3}, ""), "extents to 2147483647");
    refused(idx({0x7fffffff, 0x7fffffff, 0x7fffffff, 3}, ""), "cannot be");
    refused(idx({5}, counting(5)), "n×h×w or n×h×w×c expected");
    refused(idx({1, 1, 1, 2}, counting(2)), "1, 3 or 4 channels");
    refused(idx({1, 40000, 40000}, ""), "cut short");
}

TEST_CASE("a broken gzip file is named, and does not cost the memory its header claims") {
    const TemporaryFolder folder;
    const std::string path = folder / "a-images-idx3-ubyte.gz";
    write_gzip(path, idx({100, 20, 20}, std::string(40000, 'a') + counting(200)));
    const std::string whole = read_text(path);
    write_text(path, whole.substr(0, whole.size() / 2));
    CHECK_THROWS_AS(Pictures::open(path), CorruptFile);
    std::string flipped = whole;
    flipped[flipped.size() / 2] = static_cast<char>(~flipped[flipped.size() / 2]);
    write_text(path, flipped);
    CHECK_THROWS_AS(Pictures::open(path), CorruptFile);
    write_gzip(path, idx({1000000, 1000, 1000}, counting(200)));
    CHECK_THROWS_WITH(Pictures::open(path), contains("cut short: 216 bytes found, 1000000000016 expected"));
    write_gzip(path, "not an IDX file at all");
    CHECK_THROWS_AS(Pictures::open(path), CorruptFile);
    write_text(path, std::string("\x1f\x8b", 2));
    CHECK_THROWS_AS(Pictures::open(path), CorruptFile);
}

TEST_CASE("labels that do not fit the pictures are refused") {
    const TemporaryFolder folder;
    write_text(folder / "images-idx3", idx({3, 2, 2}, counting(12)));
    const auto refused = [&](const std::string& content, const std::string& text) {
        write_text(folder / "labels-idx1", content);
        CHECK_THROWS_AS(Pictures::open(folder / "images-idx3"), CorruptFile);
        CHECK_THROWS_WITH(Pictures::open(folder / "images-idx3"),
                          contains("labels-idx1: ") && contains(text));
    };
    refused(idx({4}, counting(4)), "4 labels found, 3 expected");
    refused(idx({3}, counting(2)), "10 bytes found, 11 expected");
    refused(idx({1, 1, 1}, counting(1)), "3 extents found, 1 expected");
    refused("", "0 bytes");
}

TEST_CASE("NPY pictures of every kind give their values") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.npy";
    const std::vector<std::uint16_t> shorts{0, 65535, 257, 514};
    const std::vector<float> floats{0.0F, 1.0F, 0.25F, 0.5F};
    const std::vector<double> doubles{0.0, 1.0, 0.25, 0.5};
    write_text(path, npy("|u1", "(1, 2, 2)", std::string("\x00\xff\x01\x02", 4)));
    CHECK(farthest(values_of(path, recipe_of(1, 2, 2)), {0, 255, 1, 2}) < 1e-4);
    write_text(path, npy("<u2", "(1, 2, 2, 1)", bytes_of(shorts)));
    CHECK(farthest(values_of(path, recipe_of(1, 2, 2)), {0, 255, 1, 2}) < 1e-4);
    write_text(path, npy("<f4", "(1,2,2)", bytes_of(floats)));
    CHECK(farthest(values_of(path, recipe_of(1, 2, 2)), {0, 255, 63.75, 127.5}) < 1e-4);
    write_text(path, npy("<f8", "(1, 2, 2)", bytes_of(doubles)));
    CHECK(farthest(values_of(path, recipe_of(1, 2, 2)), {0, 255, 63.75, 127.5}) < 1e-4);
    write_text(path, npy("|u1", "(1, 1, 1, 4)", std::string("\x0a\x14\x1e\xff", 4)));
    CHECK(farthest(values_of(path, recipe_of(3, 1, 1)), {10, 20, 30}) < 1e-4);  // red first
    write_text(path, npy("|u1", "(1, 1, 1, 4)", std::string("\x0a\x14\x1e\x00", 4)));
    CHECK(farthest(values_of(path, recipe_of(3, 1, 1)), {0, 0, 0}) < 1e-4);  // transparent
}

TEST_CASE("NPY rows keep their length, or fill the picture that is asked for") {
    const TemporaryFolder folder;
    const std::string path = folder / "rows.npy";
    write_text(path, npy("|u1", "(2, 100)", counting(200)));
    const Pictures pictures = Pictures::open(path);
    const Recipe chosen = choose_recipe(pictures, {});
    CHECK(chosen.channels == 1);
    CHECK(chosen.height == 1);
    CHECK(chosen.width == 100);
    const PictureBatch flat = read_all(pictures, chosen);
    const PictureBatch square = read_all(pictures, recipe_of(1, 10, 10, ResizeMode::border));
    REQUIRE(flat.pictures.size() == 200);
    REQUIRE(square.pictures.size() == 200);
    for (int i = 0; i < 200; ++i) {
        REQUIRE(flat.pictures.data()[i] == static_cast<float>(i) / 255.0F);
        REQUIRE(square.pictures.data()[i] == flat.pictures.data()[i]);
    }
}

TEST_CASE("NPY rows of another length than the recipe's are refused, never resized") {
    const TemporaryFolder folder;
    const std::string path = folder / "rows.npy";
    write_text(path, npy("|u1", "(3, 100)", counting(300)));
    const Pictures pictures = Pictures::open(path);
    const std::vector<std::int64_t> one{1};
    const std::string text = path + ": rows of 100 values found, 784 (28 × 28 × 1) expected";
    CHECK_THROWS_AS(PictureReader(pictures, recipe_of(1, 28, 28)), InvalidArgument);
    CHECK_THROWS_WITH(PictureReader(pictures, recipe_of(1, 28, 28)), contains(text));
    CHECK_THROWS_WITH(PictureReader(pictures.subset(one), recipe_of(1, 28, 28)), contains(text));
    CHECK_THROWS_AS(PictureReader(pictures, recipe_of(1, 1, 99)), InvalidArgument);
    RecipeOptions options;
    options.height = 5;
    const Recipe recipe = choose_recipe(pictures, options);
    CHECK(recipe.height == 5);
    CHECK(recipe.width == 20);  // the rest of the row
    options.height = 7;
    CHECK_THROWS_WITH(choose_recipe(pictures, options),
                      contains("rows of 100 values found, 98 (7 × 14 × 1)"));
}

TEST_CASE("rows longer than any picture's side are read whole") {
    const TemporaryFolder folder;
    write_text(folder / "rows.npy", npy("|u1", "(2, 10000)", counting(20000)));
    const Pictures pictures = Pictures::open(folder / "rows.npy");
    const PictureBatch batch = read_all(pictures, choose_recipe(pictures, {}));
    REQUIRE(batch.pictures.size() == 20000);
    CHECK(batch.pictures.data()[19999] == static_cast<float>(19999 % 256) / 255.0F);
}

TEST_CASE("pictures are not squeezed into a recipe that was made from rows") {
    const TemporaryFolder folder;
    write_text(folder / "a.png", encode(".png", gray_ramp(28, 20)));
    write_text(folder / "b.png", encode(".png", gray_ramp(1, 100)));
    const PictureBatch batch = read_all(Pictures::open(folder.path()), recipe_of(1, 1, 100));
    CHECK(batch.indices == std::vector<std::int64_t>{1});
    REQUIRE(batch.skipped.size() == 1);
    CHECK(batch.skipped[0].status == PictureStatus::unsupported);
    CHECK(batch.skipped[0].reason == "picture of 20 × 28 pixels found; a row of 100 × 1 expected");
}

TEST_CASE("floats below 0 or above 1 are skipped with the value, not clipped") {
    const TemporaryFolder folder;
    const std::vector<float> values{0.5F, 0.5F, 0.5F, 3.5F, 0.5F, std::nanf(""), 1.0F, 0.0F};
    write_text(folder / "a.npy", npy("<f4", "(4, 1, 2)", bytes_of(values)));
    const PictureBatch batch = read_all(Pictures::open(folder / "a.npy"), recipe_of(1, 1, 2));
    CHECK(batch.indices == std::vector<std::int64_t>{0, 3});
    REQUIRE(batch.skipped.size() == 2);
    CHECK(batch.skipped[0].index == 1);
    CHECK(batch.skipped[0].status == PictureStatus::unsupported);
    CHECK(batch.skipped[0].reason == "value 3.5 found; floats in [0, 1] expected");
}

TEST_CASE("NPY files that are damaged or no pictures are refused with the reason") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.npy";
    const auto refused = [&](const std::string& content, const std::string& text) {
        write_text(path, content);
        CHECK_THROWS_AS(Pictures::open(path), Error);
        CHECK_THROWS_WITH(Pictures::open(path), contains(path) && contains(text));
    };
    const std::string good = npy("|u1", "(1, 2, 2)", "abcd");
    refused(good.substr(0, good.size() - 1), "cut short: 131 bytes found, 132 expected");
    refused(good + "..", "too long: at least 134 bytes found, 132 expected");
    refused(npy("|u1", "(1, 2, 2)", "abcdabcd"), "136 bytes found, 132 expected");
    refused(good.substr(0, 20), "10 bytes found, 118 expected");
    refused("", "0 bytes");
    refused("PK\3\4 this is a zip file", "do not begin with");
    refused(npy("|O", "(1, 2, 2)", "abcd"), "'|O' found");
    refused(npy(">u2", "(1, 2, 2)", "abcdefgh"), "little-endian");
    refused(npy("<i4", "(1, 2, 2)", std::string(16, 'a')), "'<i4' found");
    refused(npy("|u1", "(1, 2, 2)", "abcd", "True"), "Fortran order");
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

TEST_CASE("gzipped NPY is refused by that name, whatever the file is called") {
    const TemporaryFolder folder;
    for (const char* name : {"a.npy.gz", "a.npy", "a.bin", "a-ubyte"}) {
        const std::string path = folder / name;
        write_gzip(path, npy("|u1", "(1, 2, 2)", "abcd"));
        CHECK_THROWS_AS(Pictures::open(path), InvalidArgument);
        CHECK_THROWS_WITH(Pictures::open(path),
                          contains(path) && contains("read for IDX only, NPY has to be unpacked"));
    }
}

TEST_CASE("pictures in memory are pictures like any other") {
    Tensor values({2, 1, 2, 3});
    for (std::int64_t i = 0; i < values.size(); ++i) {
        values.data()[i] = static_cast<float>(i) / 16.0F;
    }
    const Tensor copy = values;
    const Pictures pictures = Pictures::from_tensor(std::move(values), {"a", "b"});
    CHECK(pictures.size() == 2);
    CHECK(pictures.entry(1).label == "b");
    const PictureBatch batch = read_all(pictures, recipe_of(3, 1, 2));
    CHECK(std::equal(copy.values().begin(), copy.values().end(), batch.pictures.values().begin()));
    CHECK_THROWS_AS(Pictures::from_tensor(Tensor({2, 1, 2, 3}), {"a"}), InvalidArgument);
    CHECK_THROWS_AS(Pictures::from_tensor(Tensor({2, 4})), InvalidArgument);
    CHECK_THROWS_AS(Pictures::from_tensor(Tensor({2, 4, 4, 2})), InvalidArgument);
    Tensor bright({1, 2, 2});
    bright.data()[3] = 1.5F;
    CHECK_THROWS_WITH(Pictures::from_tensor(std::move(bright)), contains("value 1.5"));
}

}  // namespace stackae

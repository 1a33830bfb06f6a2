#include "stackae/error.hpp"

#include "data/make.hpp"

namespace stackae {

using namespace test;

TEST_CASE("IDX pictures come with the labels of the file beside them") {
    const TemporaryFolder folder;
    const std::string images = idx({3, 2, 2}, counting_bytes(12));
    const std::string labels = idx({3}, std::string("\x07\x00\xff", 3));
    const bool images_packed = GENERATE(false, true);
    const bool labels_packed = GENERATE(false, true);
    const std::string path = folder / (images_packed ? "t-images-idx3-ubyte.gz" : "t-images-idx3-ubyte");
    images_packed ? write_gzip(path, images) : write_text(path, images);
    labels_packed ? write_gzip(folder / "t-labels-idx1-ubyte.gz", labels)
                  : write_text(folder / "t-labels-idx1-ubyte", labels);
    const ImageDataset pictures = ImageDataset::open(path);
    REQUIRE(pictures.size() == 3);
    CHECK(pictures.labelled());
    CHECK(pictures.entry(1).path == path + "#1");
    CHECK(pictures.entry(0).label == "7");
    CHECK(pictures.entry(2).label == "255");
    const PictureBatch batch = read_all(pictures, preprocessing_of(1, 2, 2));
    for (int i = 0; i < 12; ++i) {
        CHECK(batch.pictures.data()[i] == static_cast<float>(i) / 255.0F);
    }
}

TEST_CASE("IDX is known by its content, and colour is kept red first") {
    const TemporaryFolder folder;
    write_text(folder / "data.bin", idx({1, 1, 2, 3}, counting_bytes(6)));
    const ImageDataset pictures = ImageDataset::open(folder / "data.bin");
    CHECK_FALSE(pictures.labelled());
    CHECK(values_of(folder / "data.bin", preprocessing_of(3, 1, 2))[4] == Approx(4.0));
    CHECK(choose_preprocessing(pictures, {}).channels == 3);
}

TEST_CASE("Damaged IDX files say what was found and what was expected") {
    const TemporaryFolder folder;
    const std::string path = folder / "a-images-idx3-ubyte";
    const auto refused = [&](const std::string& content, const std::string& text) {
        write_text(path, content);
        CHECK_THROWS_AS(ImageDataset::open(path), Error);
        CHECK_THROWS_WITH(ImageDataset::open(path), contains(path) && contains(text));
    };
    refused(idx({3, 2, 2}, counting_bytes(11)), "cut short: 27 bytes found, 28 expected");
    refused(idx({3, 2, 2}, counting_bytes(13)), "29 bytes found, 28 expected");
    refused("", "0 bytes");
    refused(std::string(40, 'x'), "do not begin with 0, 0");
    refused(std::string("\0\0\x0a\x03", 4) + counting_bytes(40),
            "0x0a found, 0x08, 0x09 or 0x0b to 0x0e expected");
    refused(std::string("\0\0\x0d\x03", 4) + counting_bytes(40), "cannot be");
    refused(std::string("\0\0\x08\x09", 4) + counting_bytes(40), "9 extents");
    refused(idx({3, 2, 2}, "").substr(0, 10), "3 extents in 10 bytes");
    refused(idx({0, 2, 2}, ""), "holds no picture");
    refused(idx({0xffffffff, 0xffffffff, 0xffffffff, 3}, ""), "extents to 2147483647");
    refused(idx({0x7fffffff, 0x7fffffff, 0x7fffffff, 3}, ""), "cannot be");
    refused(idx({5}, counting_bytes(5)), "n×h×w, n×d or n×h×w×c expected");
    refused(idx({1, 1, 1, 257}, counting_bytes(257)), "1 to 256 channels");
    refused(idx({1, 40000, 40000}, ""), "cut short");
}

TEST_CASE("Labels that do not fit the pictures are refused") {
    const TemporaryFolder folder;
    write_text(folder / "images-idx3", idx({3, 2, 2}, counting_bytes(12)));
    const auto refused = [&](const std::string& content, const std::string& text) {
        write_text(folder / "labels-idx1", content);
        CHECK_THROWS_AS(ImageDataset::open(folder / "images-idx3"), CorruptFile);
        CHECK_THROWS_WITH(ImageDataset::open(folder / "images-idx3"),
                          contains("labels-idx1: ") && contains(text));
    };
    refused(idx({4}, counting_bytes(4)), "4 labels found, 3 expected");
    refused(idx({3}, counting_bytes(2)), "10 bytes found, 11 expected");
    refused(idx({1, 1, 1}, counting_bytes(1)), "3 extents found, 1 expected");
    refused("", "0 bytes");
}

}  // namespace stackae

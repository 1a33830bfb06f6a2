#include <filesystem>
#include <fstream>

#include "stackae/error.hpp"

#include "base/file_io.hpp"
#include "data/image/decode.hpp"
#include "data/image/formats.hpp"
#include "data/image/tiff_pages.hpp"
#include "data/spoil.hpp"
#include "data/tiff_writer.hpp"

namespace stackae {
namespace {

using namespace test;

std::string le64(std::uint64_t value) {
    return number(value, 8, false);
}

/// Of a BigTIFF in little-endian order: a gray picture of 20 × 10 in one strip.
std::string big_directory(std::uint64_t data, std::uint64_t next) {
    const std::vector<std::array<std::uint64_t, 2>> tags{
        {256, 20}, {257, 10}, {258, 8}, {259, 1}, {262, 1}, {273, data}, {277, 1}, {278, 10}, {279, 200}};
    std::string directory = le64(tags.size());
    for (const auto& [tag, value] : tags) {
        const bool is_short = tag == 258 || tag == 259 || tag == 262 || tag == 277;
        directory += le16(tag) + le16(is_short ? 3 : 16) + le64(1) + le64(value);
    }
    return directory + le64(next);
}

/// Leaves a hole where nothing was written.
void write_at(const std::string& path, std::uint64_t offset, const std::string& bytes) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(offset));
    file << bytes;
    REQUIRE(file.flush());
}

/// Those that take what is given, one after the other, each of one value: 10, 20, …
std::string slices_of(int count, int bytes_each) {
    std::string slices;
    for (int slice = 1; slice <= count; ++slice) {
        slices += std::string(static_cast<std::size_t>(bytes_each), static_cast<char>(10 * slice));
    }
    return slices;
}

/// A TIFF with a description whose only strip is moved to the end, where `data` follows.
void write_described(const std::string& path, TiffMade made, const std::string& description,
                     const std::string& data) {
    const bool big_endian = made.mode == "wb";
    made.width = 20;
    made.height = 10;
    made.one_strip = true;
    made.more = [&](TIFF* tiff) { TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, description.c_str()); };
    write_tiff(path, made, scattered(made));
    std::string file = read_text(path);
    const std::size_t entry = file.find(number(273, 2, big_endian) + number(4, 2, big_endian));
    REQUIRE(entry != std::string::npos);
    file.replace(entry + 8, 4, number(file.size(), 4, big_endian));
    write_text(path, file + data);
}

std::vector<int> grays_of(const PictureBatch& batch) {
    std::vector<int> grays;
    for (const float value : batch.pictures.values()) {
        grays.push_back(static_cast<int>(std::lround(255.0F * value)));
    }
    return grays;
}

}  // namespace

TEST_CASE("Pages of a TIFF of many gigabytes are read with limits that fit a page") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.tif";
    constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30U;
    write_text(path, std::string("II\x2b\0\x08\0\0\0", 8) + le64(16) + big_directory(1000, 5 * gibibyte));
    write_at(path, 1000, std::string(200, '\x0a'));
    write_at(path, 5 * gibibyte, big_directory(6 * gibibyte, 0));
    write_at(path, 6 * gibibyte, std::string(200, '\x14'));
    CHECK(std::filesystem::file_size(path) > 6 * gibibyte);
    const ImageDataset pages = ImageDataset::open(path, {.max_bytes = 400});
    REQUIRE(pages.size() == 2);
    CHECK(grays_of(read_all(pages, preprocessing_of(1, 1, 1))) == std::vector<int>{10, 20});
    const ImageDataset first = ImageDataset::open(path, {.max_bytes = 400, .pages = PageSelection::first});
    CHECK(grays_of(read_all(first, preprocessing_of(1, 1, 1))) == std::vector<int>{10});
    CHECK(read_all(ImageDataset::open(path, {.max_bytes = 399}), preprocessing_of(1, 1, 1)).skipped.size() ==
          2);
}

TEST_CASE("A page is the same from the disk and from memory, whatever its kind") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.tif";
    const PictureLimits limits;
    for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE,
                                  COMPRESSION_PACKBITS, COMPRESSION_JPEG, COMPRESSION_ZSTD}) {
        for (const bool tiled : {false, true}) {
            for (const std::string mode : {"w", "wb", "w8"}) {
                if (!has_compression(compression)) {
                    continue;
                }
                INFO("compression " << compression << ", tiled " << tiled << ", mode " << mode);
                TiffMade made;
                made.samples = 3;
                made.photometric = PHOTOMETRIC_RGB;
                made.compression = compression;
                made.tiled = tiled;
                made.mode = mode;
                TiffMade other = made;
                other.width = 50;
                other.separate = compression != COMPRESSION_JPEG;
                write_tiff(path, {made, other, made}, scattered(made));
                const std::string bytes = read_text(path);
                const data::ByteSpan memory = std::as_bytes(std::span(bytes));
                const std::vector<data::Page> pages = data::tiff_pages(data::RandomAccess(memory));
                REQUIRE(pages.size() == 3);
                for (const data::Page& page : pages) {
                    const data::Picture a = data::decode(memory, {.limits = limits, .page = page});
                    const data::Picture b = data::decode_file(path, {.limits = limits, .page = page});
                    REQUIRE(a.pixels.size() == b.pixels.size());
                    CHECK(a.pixels.cols == (page == pages[1] ? 50 : 37));
                    CHECK(cv::norm(a.pixels, b.pixels, cv::NORM_INF) == 0.0);
                }
            }
        }
    }
}

TEST_CASE("A TIFF that becomes shorter while it is read is an error that says so, wherever it ends") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.tif";
    const PictureLimits limits;
    for (const int compression : {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE}) {
        INFO("compression " << compression);
        TiffMade made;
        made.compression = compression;
        made.more = [](TIFF* tiff) {
            TIFFSetField(tiff, TIFFTAG_SOFTWARE, "a tag whose value lies behind the directory");
        };
        write_tiff(path, made, scattered(made));
        const std::string whole = read_text(path);
        for (std::size_t length = 0; length < whole.size(); length += 5) {
            INFO("length " << length);
            write_text(path, whole);
            const base::InputFile file(path);
            std::filesystem::resize_file(path, length);
            const auto decode = [&] {
                return data::decode_tiff(data::RandomAccess(file), {.limits = limits});
            };
            CHECK_THROWS_AS(decode(), IoError);
            CHECK_THROWS_WITH(decode(),
                              contains(path + ": ") && contains("became shorter while it was read"));
        }
    }
}

TEST_CASE("Of a stack that was cut after it was opened, the pages that are left are read") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.tif";
    TiffMade made;
    write_tiff(path, {made, made, made}, scattered(made));
    const ImageDataset pages = ImageDataset::open(path);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
    const PictureBatch batch = read_all(pages, preprocessing_of(1, 4, 4));
    CHECK(batch.indices == std::vector<std::int64_t>{0});
    REQUIRE(batch.skipped.size() == 2);
    for (const SkippedPicture& skipped : batch.skipped) {
        CHECK(skipped.status == PictureStatus::corrupt);
        CHECK_THAT(skipped.reason, contains("cut short"));
    }
}

TEST_CASE("What a TIFF says of sizes is not taken for memory, however large the file") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.tif";
    constexpr std::uint64_t size = std::uint64_t{8} << 30U;
    write_text(path, std::string("II\x2b\0\x08\0\0\0", 8) + le64(16) + le64(size / 32));
    std::filesystem::resize_file(path, size);  // a directory of 5 GiB
    CHECK(skipped_at(path).status == PictureStatus::corrupt);
    constexpr std::uint64_t strip = 200'000'000;
    write_text(path, tiff_of("", {{256, 4, {4}},
                                  {257, 4, {4}},
                                  {258, 3, {8}},
                                  {259, 3, {5}},
                                  {262, 3, {1}},
                                  {273, 4, {512}},
                                  {277, 3, {1}},
                                  {278, 4, {4}},
                                  {279, 4, {strip}}}));
    std::filesystem::resize_file(path, 512 + strip);
    const SkippedPicture skipped = skipped_at(path, {.max_bytes = 1 << 20});
    CHECK(skipped.status == PictureStatus::too_large);
    CHECK_THAT(skipped.reason, contains("200000000 bytes of compressed data found for strip or tile 0"));
}

TEST_CASE("A stack by ImageJ with one directory for all slices is a picture a slice") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.tif";
    const std::string description = "ImageJ=1.54f\nimages=3\nslices=3\n";
    TiffMade made;
    for (const std::string mode : {"w", "wb"}) {
        for (const int bits : {8, 16}) {
            made.mode = mode;
            made.bits = bits;
            write_described(path, made, description, slices_of(3, 200 * bits / 8));
            const PictureBatch all = read_all(ImageDataset::open(path), preprocessing_of(1, 1, 1));
            CHECK(grays_of(all) == std::vector<int>{10, 20, 30});
            CHECK(all.remarks.empty());
        }
    }
    CHECK(grays_of(read_all(ImageDataset::open(path + "#2"), preprocessing_of(1, 1, 1))) ==
          std::vector<int>{20});
    const PictureBatch first =
        read_all(ImageDataset::open(path, {.pages = PageSelection::first}), preprocessing_of(1, 1, 1));
    CHECK(grays_of(first) == std::vector<int>{10});
    REQUIRE(first.remarks.size() == 1);
    CHECK(first.remarks[0].text == "the first of 3 pages used");
}

TEST_CASE("Slices that ImageJ's description tells of and the file does not hold are remarked on") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.tif";
    TiffMade made;
    const auto remarks = [&] {
        const PictureBatch batch = read_all(ImageDataset::open(path), preprocessing_of(1, 1, 1));
        CHECK(batch.pictures.rows() == 1);
        return batch.remarks;
    };
    write_described(path, made, "ImageJ=1.54f\nimages=3\n", slices_of(3, 200).substr(1));
    REQUIRE(remarks().size() == 1);
    CHECK_THAT(remarks()[0].text, contains("the first of 3 slices used: the file is too short"));
    write_described(path, made, "ImageJ=1.54f\nimages=18446744073709551615\n", slices_of(3, 200));
    CHECK(remarks().size() == 1);
    for (const std::string other :
         {"ImageJ=1.54f\nimages=1\n", "ImageJ=1.54f\n", "images=3\n", "", "ImageJ=1.54f\nimages=three\n"}) {
        write_described(path, made, other, slices_of(3, 200));
        CHECK(remarks().empty());
    }
    made.more = [](TIFF* tiff) { TIFFSetField(tiff, TIFFTAG_IMAGEDESCRIPTION, "ImageJ=1.54f\nimages=3\n"); };
    made.compression = COMPRESSION_LZW;  // a slice that was saved by another program
    write_tiff(path, made, scattered(made));
    CHECK(remarks().empty());
}

TEST_CASE("Spoilt stacks are read or refused, never worse") {
    const TemporaryFolder folder;
    const std::string path = folder / "whole";
    TiffMade made;
    for (const std::string mode : {"w", "wb", "w8"}) {
        made.mode = mode;
        write_tiff(path, {made, made}, scattered(made));
        check_rounds("a.tif", read_text(path), 300);
    }
    made.mode = "w";
    write_described(path, made, "ImageJ=1.54f\nimages=3\n", slices_of(3, 200));
    check_rounds("a.tif", read_text(path), 300);
}

}  // namespace stackae

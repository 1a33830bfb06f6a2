#include "stackae/error.hpp"

#include "data/make.hpp"

namespace stackae {
namespace {

using namespace test;

SkippedPicture read_bad(const std::string& content, const PictureLimits& limits = {}) {
    const TemporaryFolder folder;
    write_text(folder / "a.png", content);
    return skipped_at(folder / "a.png", limits);
}

bool reads(const std::string& content) {
    const TemporaryFolder folder;
    write_text(folder / "a.png", content);
    return read_all(ImageDataset::open(folder / "a.png"), preprocessing_of(1, 4, 4)).pictures.rows() == 1;
}

std::string jpeg(bool progressive) {
    return encode(".jpg", colour_scene(120, 90), {.progressive = progressive});
}

}  // namespace

TEST_CASE("A JPEG that is cut short is never half gray") {
    const std::string whole = jpeg(GENERATE(false, true));
    REQUIRE(reads(whole));
    for (std::size_t percent = 10; percent < 100; percent += 10) {
        const std::string cut = whole.substr(0, whole.size() * percent / 100);
        CHECK(read_bad(cut).status == PictureStatus::corrupt);
    }
    CHECK_THAT(read_bad(whole.substr(0, whole.size() - 2)).reason, contains("JPEG cut short or damaged"));
    // Zeros in place of the rest, as broken downloads leave it.
    CHECK(read_bad(whole.substr(0, whole.size() / 2) + std::string(whole.size() / 2, '\0')).status ==
          PictureStatus::corrupt);
}

TEST_CASE("A JPEG that is cut short and closed again is never half gray") {
    const std::string whole = jpeg(false);
    CHECK(read_bad(whole.substr(0, whole.size() * 2 / 3) + "\xff\xd9").status == PictureStatus::corrupt);
    CHECK_THAT(read_bad(whole.substr(0, whole.size() * 2 / 3) + "\xff\xd9").reason,
               contains("premature end"));
}

TEST_CASE("A thumbnail's end is not taken for the end of a JPEG") {
    const std::string whole = with_exif(jpeg(false), 1, jpeg(false));
    REQUIRE(reads(whole));
    CHECK(read_bad(whole.substr(0, whole.size() - 200)).status == PictureStatus::corrupt);
}

TEST_CASE("Bytes after a JPEG's or PNG's end do no harm") {
    CHECK(reads(jpeg(false) + std::string(1000, '\0') + "trailer"));
    CHECK(reads(encode(".png", gray_ramp(5, 5)) + "trailer"));
}

TEST_CASE("A PNG that is cut short or flipped anywhere is refused") {
    const std::string whole = encode(".png", gray_ramp(40, 30));
    REQUIRE(reads(whole));
    for (std::size_t length = 8; length < whole.size(); length += 7) {
        CHECK(read_bad(whole.substr(0, length)).status == PictureStatus::corrupt);
    }
    CHECK_THAT(read_bad(whole.substr(0, whole.size() / 2)).reason, contains("cut short"));
    for (std::size_t at = 12; at < whole.size() - 12; at += 5) {
        std::string flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
        CHECK(read_bad(flipped).status == PictureStatus::corrupt);
    }
    // All checksums fit, yet half of the data is missing.
    CHECK(read_bad(png(30, 40, 8, 0, std::string(31 * 20, '\0'))).status == PictureStatus::corrupt);
}

TEST_CASE("What else a PNG holds does not matter, even when it is nonsense") {
    const TemporaryFolder folder;
    const std::string rows = std::string("\0\x0a\x14\0\x1e\x28", 6);
    const std::string nonsense = png_chunk("iCCP", "nonsense") + png_chunk("zTXt", "x") +
                                 png_chunk("gAMA", "x") + png_chunk("abcd", "private") +
                                 png_chunk("sBIT", "too long for it");
    write_text(folder / "a.png", png(2, 2, 8, 0, rows, nonsense + png_chunk("ab1d", "no name")));
    CHECK(farthest(values_of(folder / "a.png", preprocessing_of(1, 2, 2)), {10, 20, 30, 40}) < 1e-4);

    const std::string data = deflate(rows);  // in two parts, with something in between
    std::string parts = png(2, 2, 8, 0, rows);
    parts.resize(33);  // signature and header
    parts +=
        png_chunk("IDAT", data.substr(0, 5)) + png_chunk("tEXt", "x") + png_chunk("IDAT", data.substr(5));
    write_text(folder / "b.png", parts + png_chunk("IEND", ""));
    CHECK(farthest(values_of(folder / "b.png", preprocessing_of(1, 2, 2)), {10, 20, 30, 40}) < 1e-4);
    CHECK(read_bad(parts + png_chunk("ABCD", "critical") + png_chunk("IEND", "")).status ==
          PictureStatus::corrupt);
}

TEST_CASE("BMP, TIFF, WebP and PGM that are cut short are refused") {
    const cv::Mat scene = colour_scene(60, 50);
    for (const std::string ending : {".bmp", ".tiff", ".webp", ".ppm"}) {
        const std::string whole = encode(ending, scene);
        REQUIRE(reads(whole));
        for (const std::size_t percent : {50U, 90U, 99U}) {
            const SkippedPicture skipped = read_bad(whole.substr(0, whole.size() * percent / 100));
            CHECK(skipped.status == PictureStatus::corrupt);
            CHECK_FALSE(skipped.reason.empty());
        }
    }
}

TEST_CASE("A picture of many bytes a pixel is refused by the bytes it would take") {
    const PictureLimits limits{.max_pixels = 100, .max_bytes = 100};
    const SkippedPicture skipped =
        read_bad(encode(".png", cv::Mat(5, 5, CV_16UC4, cv::Scalar::all(7))), limits);
    CHECK(skipped.status == PictureStatus::too_large);
    CHECK_THAT(skipped.reason, contains("5 × 5 pixels of 8 bytes found, at most 100 bytes in all expected"));
    CHECK(read_bad(encode(".png", cv::Mat(11, 11, CV_8UC1, cv::Scalar::all(7))), limits).status ==
          PictureStatus::too_large);
    CHECK_THAT(read_bad(encode(".jpg", cv::Mat(6, 6, CV_8UC3, cv::Scalar::all(7))), limits).reason,
               contains("at most 100 bytes in all expected"));
}

TEST_CASE("A progressive JPEG's coefficients count, also where it comes reduced") {
    EncodeKind kind;
    const cv::Mat gray = gray_ramp(64, 64);
    const PictureLimits limits{.max_bytes = 64 * 64 * 3 - 1};  // with 2 bytes a coefficient
    const auto read = [&](const PictureLimits& bounds) {
        const TemporaryFolder folder;
        write_text(folder / "a.jpg", encode(".jpg", gray, kind));
        return read_all(ImageDataset::open(folder / "a.jpg", bounds), preprocessing_of(1, 4, 4))
            .pictures.rows();
    };
    CHECK(read(limits) == 1);
    kind.progressive = true;
    CHECK(read(limits) == 0);
    CHECK(read({.max_bytes = 64 * 64 * 3}) == 1);
}

TEST_CASE("Decompression bombs are refused by their header") {
    const auto huge = [](const std::string& content) {
        const SkippedPicture skipped = read_bad(content);
        CHECK(skipped.status == PictureStatus::too_large);
        CHECK_THAT(skipped.reason, contains("at most 100000000 in all expected"));
    };
    huge(png(100'000, 100'000, 8, 0, "tiny"));
    CHECK_THAT(read_bad(png(100'000, 100'000, 8, 0, "tiny")).reason,
               contains("100000 × 100000 pixels found"));
    huge(png(0xffffffff, 0xffffffff, 8, 0, "tiny"));
    std::string large_jpeg = encode(".jpg", gray_ramp(8, 8));
    const std::size_t frame = large_jpeg.find("\xff\xc0");
    REQUIRE(frame != std::string::npos);
    large_jpeg.replace(frame + 5, 4, "\xf0\xf0\xf0\xf0");
    huge(large_jpeg);
    huge(std::string("RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x7f\0\xff\x7f\0", 30));
    std::string tile = tiff_of("data", {{256, 4, {64}},
                                        {257, 4, {64}},
                                        {258, 3, {8}},
                                        {322, 4, {1 << 20}},
                                        {323, 4, {1 << 20}},
                                        {324, 4, {8}},
                                        {325, 4, {4}}});
    huge(tile);
    PictureLimits limits;
    limits.max_pixels = 11;
    CHECK(read_bad(encode(".png", gray_ramp(3, 4)), limits).status == PictureStatus::too_large);
    CHECK(read_bad(encode(".jpg", gray_ramp(3, 4)), limits).status == PictureStatus::too_large);
    limits.max_pixels = 0;
    CHECK_THROWS_AS(read_bad(encode(".png", gray_ramp(3, 4)), limits), InvalidArgument);
}

TEST_CASE("A PNG of a bit depth that PNG does not know is refused, whatever follows") {
    const std::string transparent = png_chunk("tRNS", std::string("\0\1", 2));
    const std::string rows(20, '\0');
    REQUIRE(reads(png(4, 4, 8, 0, rows, transparent)));
    for (const int depth : {0, 3, 7, 9, 31, 32, 64, 255}) {
        CHECK(read_bad(png(4, 4, depth, 0, rows, transparent)).status == PictureStatus::corrupt);
        CHECK_THAT(read_bad(png(4, 4, depth, 0, rows, transparent)).reason,
                   contains("colour type 0 with " + std::to_string(depth) + " bits"));
    }
    for (const auto& [colour, depth] : {std::pair{2, 4}, {3, 16}, {4, 1}, {6, 2}, {1, 8}, {5, 8}, {7, 8}}) {
        CHECK_THAT(read_bad(png(4, 4, depth, colour, rows)).reason, contains("which PNG does not know"));
    }
}

TEST_CASE("A WebP cannot hide its size behind a second, smaller one") {
    const std::string whole = encode(".webp", colour_scene(60, 50), {.lossless = true});
    REQUIRE(whole.substr(12, 4) == "VP8L");
    const std::string small = std::string("VP8X\x0a\0\0\0", 8) + std::string(10, '\0');
    const std::string other = std::string("VP8L\x06\0\0\0\x2f\0\0\0\0\0", 14);
    const auto with = [](const std::string& chunks) {
        return "RIFF" + le32(4 + chunks.size()) + "WEBP" + chunks;
    };
    PictureLimits limits;
    limits.max_pixels = 2999;  // one less than there are
    CHECK(read_bad(whole, limits).status == PictureStatus::too_large);
    CHECK(read_bad(with(whole.substr(12) + small), limits).status == PictureStatus::too_large);
    CHECK(read_bad(with(whole.substr(12) + other), limits).status == PictureStatus::too_large);
    CHECK(read_bad(with(small + whole.substr(12)), limits).status == PictureStatus::corrupt);
    CHECK(read_bad(with(other + whole.substr(12)), limits).status == PictureStatus::corrupt);
}

TEST_CASE("A JPEG of 12 bits is called unsupported, not damaged") {
    std::string deep = jpeg(false);
    const std::size_t frame = deep.find("\xff\xc0");
    REQUIRE(frame != std::string::npos);
    REQUIRE(deep[frame + 4] == 8);
    deep[frame + 4] = 12;
    CHECK(read_bad(deep).status == PictureStatus::unsupported);
    CHECK_THAT(read_bad(deep).reason, contains("precision 12"));
}

TEST_CASE("Files that are no pictures say so") {
    CHECK(read_bad("").reason == "empty file");
    CHECK(read_bad("").status == PictureStatus::corrupt);
    CHECK(read_bad("this is a text").status == PictureStatus::unsupported);
    CHECK_THAT(read_bad("this is a text").reason, contains("first bytes 74 68 69 73"));
    CHECK_THAT(read_bad("qoif....").reason, contains("QOI found; PNG, JPEG, BMP, TIFF, WebP, PNM"));
    CHECK_THAT(read_bad("<!DOCTYPE html><html>not found</html>").reason, contains("web page found; PNG"));
    CHECK(read_bad(std::string(1000, '\0')).status == PictureStatus::unsupported);
    CHECK(read_bad(png(0, 5, 8, 0, "")).status == PictureStatus::corrupt);
}

TEST_CASE("A bad picture neither stops a run nor shifts a row") {
    const TemporaryFolder folder;
    for (int i = 0; i < 40; ++i) {
        const cv::Mat pixels(2, 2, CV_8UC1, cv::Scalar(i));
        const std::string whole = encode(".png", pixels);
        std::string name = "00.png";
        name[0] = static_cast<char>('0' + i / 10);
        name[1] = static_cast<char>('0' + i % 10);
        write_text(folder / name, i % 3 == 1 ? whole.substr(0, whole.size() - 5) : whole);
    }
    const ImageDataset pictures = ImageDataset::open(folder.path());
    for (const int threads : {1, 3}) {
        PictureReader reader(pictures, preprocessing_of(1, 2, 2), {.batch_size = 7, .threads = threads});
        std::int64_t next = 0;
        for (PictureBatch batch; reader.next(batch);) {
            REQUIRE(batch.pictures.rows() == static_cast<std::int64_t>(batch.indices.size()));
            std::size_t row = 0;
            std::size_t bad = 0;
            for (const std::int64_t end = std::min<std::int64_t>(next + 7, 40); next < end; ++next) {
                if (next % 3 == 1) {
                    REQUIRE(batch.skipped.at(bad).index == next);
                    CHECK(batch.skipped[bad++].status == PictureStatus::corrupt);
                } else {
                    REQUIRE(batch.indices.at(row) == next);
                    CHECK(batch.pictures.row(static_cast<std::int64_t>(row++))[0] ==
                          static_cast<float>(next) / 255.0F);
                }
            }
            CHECK(row == batch.indices.size());
            CHECK(bad == batch.skipped.size());
        }
        CHECK(next == 40);
    }
}

}  // namespace stackae

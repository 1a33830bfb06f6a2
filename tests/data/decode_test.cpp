#include <fmt/format.h>

#include "stackae/error.hpp"

#include "data/make.hpp"

namespace stackae {
namespace {

using namespace test;

/// 2 × 3 gray values 10 … 60, as they lie in a file for each EXIF orientation, with the file's height.
struct Stored {
    std::vector<int> values;
    int height;
};

Stored stored_for(unsigned orientation) {
    switch (orientation) {
        case 2:
            return {{30, 20, 10, 60, 50, 40}, 2};
        case 3:
            return {{60, 50, 40, 30, 20, 10}, 2};
        case 4:
            return {{40, 50, 60, 10, 20, 30}, 2};
        case 5:
            return {{10, 40, 20, 50, 30, 60}, 3};
        case 6:
            return {{30, 60, 20, 50, 10, 40}, 3};
        case 7:
            return {{60, 30, 50, 20, 40, 10}, 3};
        case 8:
            return {{40, 10, 50, 20, 60, 30}, 3};
        default:
            return {{10, 20, 30, 40, 50, 60}, 2};
    }
}

const std::vector<double> upright{10, 20, 30, 40, 50, 60};

/// Each value as a block of 8 × 8 pixels, so that JPEG keeps it.
cv::Mat blocks(const Stored& stored) {
    const int width = 6 / stored.height;
    cv::Mat pixels(8 * stored.height, 8 * width, CV_8UC1);
    for (int y = 0; y < pixels.rows; ++y) {
        for (int x = 0; x < pixels.cols; ++x) {
            const auto i = static_cast<std::size_t>(y / 8 * width + x / 8);
            pixels.at<uchar>(y, x) = static_cast<uchar>(stored.values[i]);
        }
    }
    return pixels;
}

std::string png_rows(const Stored& stored) {
    std::string rows;
    const auto width = static_cast<std::size_t>(6 / stored.height);
    for (std::size_t i = 0; i < 6; ++i) {
        if (i % width == 0) {
            rows += '\0';
        }
        rows += static_cast<char>(stored.values[i]);
    }
    return rows;
}

/// As ImageMagick writes a profile to a text: its kind, its length, and lines of 36 bytes in hexadecimal
/// digits.
std::string raw_profile(const std::string& kind, const std::string& bytes) {
    std::string text = fmt::format("\n{}\n{:8}\n", kind, bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        text += fmt::format("{:02x}{}", static_cast<unsigned char>(bytes[i]),
                            i % 36 == 35 || i + 1 == bytes.size() ? "\n" : "");
    }
    return text;
}

}  // namespace

TEST_CASE("Every EXIF orientation of a JPEG comes out upright") {
    const unsigned orientation = GENERATE(range(1U, 9U));
    const TemporaryFolder folder;
    const cv::Mat pixels = blocks(stored_for(orientation));
    write_text(folder / "a.jpg", with_exif(encode(".jpg", pixels, {.quality = 100}), orientation));
    CHECK(farthest(values_of(folder / "a.jpg", preprocessing_of(1, 2, 3)), upright) < 1.5);
    const Preprocessing chosen = choose_preprocessing(ImageDataset::open(folder / "a.jpg"), {});
    CHECK(chosen.height == 16);
    CHECK(chosen.width == 24);
}

TEST_CASE("Every EXIF orientation of PNG, WebP and TIFF comes out upright") {
    const unsigned orientation = GENERATE(range(1U, 9U));
    const TemporaryFolder folder;
    const Stored stored = stored_for(orientation);
    const auto height = static_cast<std::uint32_t>(stored.height);
    write_text(folder / "a.png",
               png(6 / height, height, 8, 0, png_rows(stored), png_chunk("eXIf", exif_block(orientation))));
    CHECK(farthest(values_of(folder / "a.png", preprocessing_of(1, 2, 3)), upright) < 1e-4);

    std::string webp = encode(".webp", blocks(stored), {.lossless = true});
    const std::string block = exif_block(orientation);
    webp += "EXIF" + le32(block.size()) + block;
    webp.replace(4, 4, le32(webp.size() - 8));
    write_text(folder / "a.webp", webp);
    CHECK(farthest(values_of(folder / "a.webp", preprocessing_of(1, 2, 3)), upright) < 1.0);

    std::string data8;
    std::string data16;
    for (const int value : stored.values) {
        data8 += static_cast<char>(value);
        data16 += le16(static_cast<std::uint64_t>(value) * 257);
    }
    for (const bool a_row_a_strip : {false, true}) {
        TiffKind kind;
        kind.orientation = orientation;
        kind.a_row_a_strip = a_row_a_strip;
        write_text(folder / "a.tif", tiff(6 / height, height, data8, kind));
        CHECK(farthest(values_of(folder / "a.tif", preprocessing_of(1, 2, 3)), upright) < 1e-4);
        kind.bits = 16;
        write_text(folder / "b.tif", tiff(6 / height, height, data16, kind));
        CHECK(farthest(values_of(folder / "b.tif", preprocessing_of(1, 2, 3)), upright) < 1e-4);
    }
}

TEST_CASE("Every EXIF orientation of a PNG comes out upright, also where EXIF is a text") {
    const unsigned orientation = GENERATE(range(1U, 9U));
    const TemporaryFolder folder;
    const Stored stored = stored_for(orientation);
    const auto height = static_cast<std::uint32_t>(stored.height);
    const auto farthest_with = [&](const std::string& chunks) {
        write_text(folder / "a.png", png(6 / height, height, 8, 0, png_rows(stored), chunks));
        return farthest(values_of(folder / "a.png", preprocessing_of(1, 2, 3)), upright);
    };
    const std::string block = std::string("Exif\0\0", 6) + exif_block(orientation);
    for (const char* kind : {"exif", "APP1"}) {
        const std::string keyword = fmt::format("Raw profile type {}", kind) + '\0';
        CHECK(farthest_with(png_chunk("tEXt", keyword + raw_profile(kind, block))) < 1e-4);
        const std::string packed = keyword + '\0' + deflate(raw_profile(kind, block));
        CHECK(farthest_with(png_chunk("zTXt", packed)) < 1e-4);
        // The chunk that was made for it has the last word.
        const std::string wrong = std::string("Exif\0\0", 6) + exif_block(orientation % 8 + 1);
        const std::string text = png_chunk("tEXt", keyword + raw_profile(kind, wrong));
        CHECK(farthest_with(png_chunk("eXIf", exif_block(orientation)) + text) < 1e-4);
        CHECK(farthest_with(text + png_chunk("eXIf", exif_block(orientation))) < 1e-4);
    }
}

TEST_CASE("A profile in a PNG's text that is damaged, or endless, does not lose the picture") {
    const TemporaryFolder folder;
    const std::string keyword = std::string("Raw profile type exif") + '\0';
    for (const std::string& chunk :
         {png_chunk("tEXt", "Raw profile type exif"), png_chunk("tEXt", keyword),
          png_chunk("tEXt", keyword + "\nexif\n"), png_chunk("tEXt", keyword + "\nexif\n 9\n4578zz"),
          png_chunk("zTXt", "Raw profile type exif"), png_chunk("zTXt", keyword),
          png_chunk("zTXt", keyword + '\0' + "no zlib data"),
          png_chunk("zTXt", keyword + '\0' + deflate(std::string(std::size_t{100} << 20U, '\n')))}) {
        write_text(folder / "a.png", png(3, 2, 8, 0, png_rows(stored_for(1)), chunk));
        CHECK(farthest(values_of(folder / "a.png", preprocessing_of(1, 2, 3)), upright) < 1e-4);
    }
}

TEST_CASE("An EXIF block that is damaged does not lose the picture") {
    const TemporaryFolder folder;
    std::string file = with_exif(encode(".jpg", blocks(stored_for(1))), 6);
    for (std::size_t i = 12; i < 30; ++i) {
        file[i] = '\xff';
    }
    write_text(folder / "a.jpg", file);
    CHECK(farthest(values_of(folder / "a.jpg", preprocessing_of(1, 2, 3)), upright) < 2.0);
}

TEST_CASE("The same pixels give the same values in every lossless format") {
    const TemporaryFolder folder;
    const cv::Mat colour = colour_scene(9, 7);
    const Preprocessing preprocessing = preprocessing_of(3, 9, 7);
    write_text(folder / "a.png", encode(".png", colour));
    const std::vector<double> expected = values_of(folder / "a.png", preprocessing);
    CHECK(expected[3 * 6] == Approx(colour.at<cv::Vec3b>(0, 6)[2]));      // red first
    CHECK(expected[3 * 6 + 2] == Approx(colour.at<cv::Vec3b>(0, 6)[0]));  // blue last
    for (const std::string ending : {".bmp", ".tiff", ".ppm"}) {
        write_text(folder / ("a" + ending), encode(ending, colour));
        CHECK(values_of(folder / ("a" + ending), preprocessing) == expected);
    }
    write_text(folder / "a.webp", encode(".webp", colour, {.lossless = true}));
    CHECK(values_of(folder / "a.webp", preprocessing) == expected);
}

TEST_CASE("Gray is BT.601's luma, from PNG and from JPEG") {
    const TemporaryFolder folder;
    const cv::Mat red(16, 16, CV_8UC3, cv::Scalar(0, 0, 200));
    write_text(folder / "a.png", encode(".png", red));
    CHECK(values_of(folder / "a.png", preprocessing_of(1, 1, 1))[0] == Approx(0.299 * 200).margin(0.6));
    write_text(folder / "a.jpg", encode(".jpg", red, {.quality = 100}));
    CHECK(values_of(folder / "a.jpg", preprocessing_of(1, 1, 1))[0] == Approx(0.299 * 200).margin(1.5));
}

TEST_CASE("16 bits are not read as white") {
    const TemporaryFolder folder;
    const cv::Mat deep = (cv::Mat_<std::uint16_t>(1, 3) << 0, 1000, 65535);
    write_text(folder / "a.png", encode(".png", deep));
    CHECK(farthest(values_of(folder / "a.png", preprocessing_of(1, 1, 3)), {0, 1000 / 257.0, 255}) < 1e-4);
    write_text(folder / "a.tif", encode(".tiff", deep));
    CHECK(farthest(values_of(folder / "a.tif", preprocessing_of(1, 1, 3)), {0, 1000 / 257.0, 255}) < 1e-4);
    TiffKind inverted;
    inverted.bits = 16;
    inverted.photometric = 0;
    write_text(folder / "w.tif", tiff(3, 1, le16(65535) + le16(64535) + le16(0), inverted));
    CHECK(farthest(values_of(folder / "w.tif", preprocessing_of(1, 1, 3)), {0, 1000 / 257.0, 255}) < 1e-4);
}

TEST_CASE("Floats of a TIFF are taken as they are, and must lie between 0 and 1") {
    const TemporaryFolder folder;
    TiffKind kind;
    kind.bits = 32;
    kind.format = 3;
    write_text(folder / "a.tif", tiff(2, 1, bytes_of(std::vector<float>{0.25F, 1.0F}), kind));
    CHECK(farthest(values_of(folder / "a.tif", preprocessing_of(1, 1, 2)), {63.75, 255}) < 1e-4);
    write_text(folder / "b.tif", tiff(2, 1, bytes_of(std::vector<float>{0.25F, 100.0F}), kind));
    CHECK(skipped_at(folder / "b.tif").status == PictureStatus::unsupported);
    kind.bits = 16;
    kind.format = 2;
    write_text(folder / "c.tif", tiff(2, 1, le16(5) + le16(6), kind));
    CHECK(skipped_at(folder / "c.tif").status == PictureStatus::unsupported);
}

TEST_CASE("Transparency shows the background, whatever way it is stored") {
    const TemporaryFolder folder;
    Preprocessing preprocessing = preprocessing_of(3, 1, 3);
    preprocessing.background = 0.5F;
    const std::string opaque_half_clear("\0\xc8\x64\x32\xff\xc8\x64\x32\x80\xc8\x64\x32\x00", 13);
    const double a = 128 / 255.0;
    const std::vector<double> expected{
        200,   100,   50,   200 * a + 127.5 * (1 - a), 100 * a + 127.5 * (1 - a), 50 * a + 127.5 * (1 - a),
        127.5, 127.5, 127.5};
    write_text(folder / "rgba8.png", png(3, 1, 8, 6, opaque_half_clear));
    CHECK(farthest(values_of(folder / "rgba8.png", preprocessing), expected) < 1e-3);

    TiffKind kind;
    kind.channels = 4;
    kind.photometric = 2;
    write_text(folder / "rgba8.tif", tiff(3, 1, opaque_half_clear.substr(1), kind));
    CHECK(farthest(values_of(folder / "rgba8.tif", preprocessing), expected) < 1.0);

    std::string deep_png(1, '\0');
    std::string deep_tiff;
    for (const char c : opaque_half_clear.substr(1)) {
        deep_png += std::string(2, c);
        deep_tiff += std::string(2, c);
    }
    write_text(folder / "rgba16.png", png(3, 1, 16, 6, deep_png));
    CHECK(farthest(values_of(folder / "rgba16.png", preprocessing), expected) < 1e-3);
    kind.bits = 16;
    write_text(folder / "rgba16.tif", tiff(3, 1, deep_tiff, kind));
    CHECK(farthest(values_of(folder / "rgba16.tif", preprocessing), expected) < 1e-3);

    const std::string palette = png_chunk("PLTE", "\xc8\x64\x32") + png_chunk("tRNS", std::string(1, '\x80'));
    write_text(folder / "palette.png", png(3, 1, 8, 3, std::string(4, '\0'), palette));
    CHECK(farthest(values_of(folder / "palette.png", preprocessing),
                   {expected[3], expected[4], expected[5], expected[3], expected[4], expected[5], expected[3],
                    expected[4], expected[5]}) < 1e-3);

    preprocessing.channels = 1;
    write_text(folder / "ga.png", png(3, 1, 8, 4, std::string("\0\xc8\xff\xc8\x80\xc8\x00", 7)));
    CHECK(farthest(values_of(folder / "ga.png", preprocessing), {200, 200 * a + 127.5 * (1 - a), 127.5}) <
          1e-3);
    write_text(folder / "key.png", png(3, 1, 8, 0, std::string("\0\x05\xc8\x06", 4),
                                       png_chunk("tRNS", std::string("\0\xc8", 2))));
    CHECK(farthest(values_of(folder / "key.png", preprocessing), {5, 127.5, 6}) < 1e-3);
    write_text(folder / "key4.png",
               png(3, 1, 4, 0, std::string("\0\x0f\x30", 3), png_chunk("tRNS", std::string("\0\x0f", 2))));
    CHECK(farthest(values_of(folder / "key4.png", preprocessing), {0, 127.5, 51}) < 1e-3);
}

TEST_CASE("An interlaced PNG is put together") {
    const TemporaryFolder folder;
    const std::string header = be32(2) + be32(1) + std::string("\x08\0\0\0\1", 5);
    const std::string passes = std::string("\0\x64\0\xc8", 4);  // the first of seven has the left pixel
    write_text(folder / "a.png", "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", header) +
                                     png_chunk("IDAT", deflate(passes)) + png_chunk("IEND", ""));
    CHECK(farthest(values_of(folder / "a.png", preprocessing_of(1, 1, 2)), {100, 200}) < 1e-4);
}

TEST_CASE("The colour that a PNG calls transparent shows the background") {
    const TemporaryFolder folder;
    Preprocessing preprocessing = preprocessing_of(3, 1, 2);
    preprocessing.background = 0.0F;
    const std::string row = std::string("\0\x0a\x14\x1e\x0a\x14\x1f", 7);
    write_text(folder / "a.png",
               png(2, 1, 8, 2, row, png_chunk("tRNS", std::string("\0\x0a\0\x14\0\x1e", 6))));
    CHECK(farthest(values_of(folder / "a.png", preprocessing), {0, 0, 0, 10, 20, 31}) < 1e-4);
}

TEST_CASE("An alpha channel that hides nothing changes nothing") {
    const TemporaryFolder folder;
    const cv::Mat colour = colour_scene(50, 40);
    cv::Mat with_alpha(colour.size(), CV_8UC4, cv::Scalar::all(255));
    cv::mixChannels(colour, with_alpha, {0, 0, 1, 1, 2, 2});
    write_text(folder / "rgb.png", encode(".png", colour));
    write_text(folder / "rgba.png", encode(".png", with_alpha));
    for (const int channels : {1, 3}) {
        CHECK(values_of(folder / "rgb.png", preprocessing_of(channels, 7, 9)) ==
              values_of(folder / "rgba.png", preprocessing_of(channels, 7, 9)));
    }
}

TEST_CASE("PNM values are scaled by the header's largest value") {
    const TemporaryFolder folder;
    const Preprocessing preprocessing = preprocessing_of(1, 1, 3);
    write_text(folder / "a.pgm", std::string("P5\n# made by hand\n3 1\n15\n\x00\x03\x0f", 28));
    CHECK(farthest(values_of(folder / "a.pgm", preprocessing), {0, 51, 255}) < 1e-3);
    write_text(folder / "b.pgm", "P2 3 1 15 0 3 15\n");
    CHECK(farthest(values_of(folder / "b.pgm", preprocessing), {0, 51, 255}) < 1e-3);
    write_text(folder / "c.pgm", std::string("P5 3 1 4095\n\x00\x00\x03\x33\x0f\xff", 18));
    CHECK(farthest(values_of(folder / "c.pgm", preprocessing), {0, 51, 255}) < 1e-3);
    write_text(folder / "d.pgm", "P2 3 1 4095 0 819 4095\n");
    CHECK(farthest(values_of(folder / "d.pgm", preprocessing), {0, 51, 255}) < 1e-3);
    write_text(folder / "e.pbm", "P1 3 1 1 0 1\n");
    CHECK(farthest(values_of(folder / "e.pbm", preprocessing), {0, 255, 0}) < 1e-3);
    write_text(folder / "f.pbm", std::string("P4 3 1\n\xa0", 8));
    CHECK(farthest(values_of(folder / "f.pbm", preprocessing), {0, 255, 0}) < 1e-3);
}

TEST_CASE("A large JPEG is reduced while decoding, with nearly the values of the whole") {
    const TemporaryFolder folder;
    const cv::Mat scene = colour_scene(1024, 768);
    write_text(folder / "a.jpg", encode(".jpg", scene, {.quality = 98}));
    write_text(folder / "a.png", encode(".png", scene));
    for (const int size : {24, 100, 300, 768}) {
        for (const ResizeMode mode : {ResizeMode::squash, ResizeMode::border, ResizeMode::center}) {
            const Preprocessing preprocessing = preprocessing_of(3, size, size, mode);
            CHECK(farthest(values_of(folder / "a.jpg", preprocessing),
                           values_of(folder / "a.png", preprocessing)) < 8.0);
        }
    }
}

TEST_CASE("A picture's name may be in any script") {
    const TemporaryFolder folder;
    const std::string path = folder / "\xD0\xBA\xD0\xBE\xD1\x82 \xE7\x8C\xAB \xF0\x9F\x90\x88.png";
    write_text(path, encode(".png", gray_ramp(2, 2)));
    CHECK(farthest(values_of(path, preprocessing_of(1, 2, 2)), {0, 3, 7, 10}) < 1e-4);
}

TEST_CASE("A picture written as PNG comes back") {
    const TemporaryFolder folder;
    Tensor picture({2, 2, 3});
    for (std::int64_t i = 0; i < picture.size(); ++i) {
        picture.data()[i] = static_cast<float>(i * 20) / 255.0F;
    }
    picture.data()[11] = 7.0F;
    picture.data()[0] = -1.0F;
    write_png(folder / "a.png", picture);
    const std::vector<double> values = values_of(folder / "a.png", preprocessing_of(3, 2, 2));
    CHECK(farthest(values, {0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 255}) < 1e-3);
    write_png(folder / "a.png", Tensor({3, 5}));
    CHECK(choose_preprocessing(ImageDataset::open(folder / "a.png"), {}).width == 5);
    CHECK_THROWS_AS(write_png(folder / "a.png", Tensor({3, 5, 2})), InvalidArgument);
    CHECK_THROWS_AS(write_png(folder / "a.png", Tensor({15})), InvalidArgument);
    CHECK_THROWS_AS(write_png(folder / "gone/a.png", Tensor({3, 5})), IoError);
    CHECK(folder.entries() == 1);
}

}  // namespace stackae

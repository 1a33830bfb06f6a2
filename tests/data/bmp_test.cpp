#include <cmath>

#include "data/spoil.hpp"

namespace stackae {
namespace {

using namespace test;

struct BmpKind {
    std::uint32_t header = 40;  ///< bytes
    int bits = 24;
    std::uint32_t compression = 0;
    std::uint32_t colours = 0;      ///< as the header states them
    std::string inside{};           ///< of the header, behind its first 40 bytes
    std::string behind{};           ///< between header and data: masks, palette
    std::uint32_t data_offset = 0;  ///< as the file states it; 0: the right one
};

/// height: negative where the rows come from the top.
std::string bmp(int width, int height, const std::string& data, const BmpKind& kind) {
    std::string header = le32(kind.header);
    if (kind.header == 12) {
        header += le16(static_cast<std::uint64_t>(width)) + le16(static_cast<std::uint64_t>(height)) +
                  le16(1) + le16(static_cast<std::uint64_t>(kind.bits));
    } else {
        header += le32(static_cast<std::uint32_t>(width)) + le32(static_cast<std::uint32_t>(height)) +
                  le16(1) + le16(static_cast<std::uint64_t>(kind.bits)) + le32(kind.compression) +
                  le32(data.size()) + std::string(8, '\0') + le32(kind.colours) + le32(0) + kind.inside;
        header.resize(kind.header, '\0');
    }
    const std::uint64_t offset = 14 + header.size() + kind.behind.size();
    return "BM" + le32(offset + data.size()) + le32(0) +
           le32(kind.data_offset != 0 ? kind.data_offset : offset) + header + kind.behind + data;
}

std::vector<double> read_bmp(const std::string& file, int height, int width, int channels = 3) {
    const TemporaryFolder folder;
    write_text(folder / "a.bmp", file);
    return values_of(folder / "a.bmp", preprocessing_of(channels, height, width));
}

SkippedPicture refused(const std::string& file, const PictureLimits& limits = {}) {
    const TemporaryFolder folder;
    write_text(folder / "a.bmp", file);
    return skipped_at(folder / "a.bmp", limits);
}

std::string masks(std::uint32_t red, std::uint32_t green, std::uint32_t blue) {
    return le32(red) + le32(green) + le32(blue);
}

/// Four colours as a palette of B, G, R and, unless it is OS/2's first, a byte of no meaning.
std::string palette(bool four_bytes = true) {
    std::string text;
    for (const char* colour : {"\x01\x02\x03", "\x0a\x14\x1e", "\x64\x6e\x78", "\xc8\xd2\xdc"}) {
        text += std::string(colour, 3) + (four_bytes ? "\x55" : "");
    }
    return text;
}

const std::vector<double> first_colour{3, 2, 1};
const std::vector<double> second_colour{30, 20, 10};
const std::vector<double> third_colour{120, 110, 100};
const std::vector<double> fourth_colour{220, 210, 200};

std::vector<double> joined(std::initializer_list<std::vector<double>> parts) {
    std::vector<double> all;
    for (const std::vector<double>& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

constexpr std::uint32_t rle8 = 1;
constexpr std::uint32_t rle4 = 2;
constexpr std::uint32_t bit_fields = 3;
constexpr std::uint32_t alpha_bit_fields = 6;

/// Runs of a picture of 4 × 2 pixels.
std::string runs(const std::string& data, std::uint32_t compression = rle8) {
    return bmp(
        4, 2, data,
        {.bits = compression == rle4 ? 4 : 8, .compression = compression, .colours = 4, .behind = palette()});
}

}  // namespace

TEST_CASE("An OS/2 BMP keeps its colours at every depth") {
    const std::vector<double> expected = joined({second_colour, third_colour, first_colour});
    const auto os2 = [](int bits, const std::string& data, std::size_t colours) {
        std::string entries = palette(false);
        entries.resize(3 * colours, '\0');
        return bmp(3, 1, data, {.header = 12, .bits = bits, .behind = entries});
    };
    CHECK(farthest(read_bmp(os2(8, std::string("\1\2\0\0", 4), 256), 1, 3), expected) < 1e-3);
    CHECK(farthest(read_bmp(os2(8, std::string("\1\2\0\0", 4), 3), 1, 3), expected) <
          1e-3);  // a short palette
    CHECK(farthest(read_bmp(os2(4, std::string("\x12\0\0\0", 4), 16), 1, 3), expected) < 1e-3);
    CHECK(farthest(read_bmp(os2(2, std::string("\x60\0\0\0", 4), 4), 1, 3), expected) < 1e-3);
    CHECK(farthest(read_bmp(os2(1, std::string("\xa0\0\0\0", 4), 2), 1, 3),
                   joined({second_colour, first_colour, second_colour})) < 1e-3);
    CHECK(farthest(read_bmp(os2(24, std::string("\x0a\x14\x1e\x64\x6e\x78\1\2\3\0\0\0", 12), 0), 1, 3),
                   expected) < 1e-3);
}

TEST_CASE("An OS/2 2 BMP is read, also where its header is cut") {
    for (const std::uint32_t header : {64U, 16U, 24U, 40U}) {
        std::string entries = palette();
        entries.resize(4 * 256, '\0');
        CHECK(farthest(read_bmp(bmp(2, 1, std::string("\2\1\0\0", 4),
                                    {.header = header, .bits = 8, .behind = entries}),
                                1, 2),
                       joined({third_colour, second_colour})) < 1e-3);
    }
    CHECK_THAT(refused(bmp(2, 1, "data", {.header = 66, .bits = 8, .behind = palette()})).reason,
               contains("BMP header of 66 bytes found; 12, 16 to 64, 108 or 124 expected"));
}

TEST_CASE("A BMP's palette of any size is looked up, and not beyond") {
    const auto indexed = [](int bits, const std::string& data) {
        return bmp(3, 1, data, {.bits = bits, .colours = 3, .behind = palette().substr(0, 12)});
    };
    const std::vector<double> expected = joined({second_colour, third_colour, first_colour});
    CHECK(farthest(read_bmp(indexed(8, std::string("\1\2\0\0", 4)), 1, 3), expected) < 1e-3);
    CHECK(farthest(read_bmp(indexed(4, std::string("\x12\0\0\0", 4)), 1, 3), expected) < 1e-3);
    CHECK(farthest(read_bmp(indexed(2, std::string("\x60\0\0\0", 4)), 1, 3), expected) < 1e-3);
    const SkippedPicture skipped = refused(indexed(8, std::string("\1\3\0\0", 4)));
    CHECK(skipped.status == PictureStatus::corrupt);
    CHECK_THAT(skipped.reason, contains("palette index 3 found, 3 colours expected"));
    // More colours are stated than there is room, or than bits can name.
    CHECK(farthest(read_bmp(bmp(3, 1, std::string("\1\2\0\0", 4),
                                {.bits = 8, .colours = 0xffffff, .behind = palette()}),
                            1, 3),
                   expected) < 1e-3);
    CHECK(farthest(read_bmp(bmp(3, 1, std::string("\xa0\0\0\0", 4),
                                {.bits = 1, .colours = 3, .behind = palette()}),
                            1, 3),
                   joined({second_colour, first_colour, second_colour})) < 1e-3);
    // The place of the data is not stated.
    CHECK(farthest(read_bmp(bmp(3, 1, std::string("\1\2\0\0", 4),
                                {.bits = 8, .colours = 4, .behind = palette(), .data_offset = 1}),
                            1, 3),
                   expected) < 1e-3);
}

TEST_CASE("A BMP of grays is gray") {
    const TemporaryFolder folder;
    write_text(folder / "a.bmp",
               bmp(2, 1, std::string("\0\1\0\0", 4),
                   {.bits = 8, .colours = 2, .behind = std::string("\7\7\7\0\x63\x63\x63\0", 8)}));
    CHECK(choose_preprocessing(ImageDataset::open(folder / "a.bmp"), {}).channels == 1);
    CHECK(farthest(values_of(folder / "a.bmp", preprocessing_of(1, 1, 2)), {7, 99}) < 1e-3);
}

TEST_CASE("A BMP's rows come from the bottom, or from the top where its height is negative") {
    const std::string data("\1\2\3\0\x0a\x14\x1e\0", 8);
    CHECK(farthest(read_bmp(bmp(1, 2, data, {}), 2, 1), joined({second_colour, first_colour})) < 1e-3);
    CHECK(farthest(read_bmp(bmp(1, -2, data, {}), 2, 1), joined({first_colour, second_colour})) < 1e-3);
    CHECK(farthest(read_bmp(bmp(1, 2, data.substr(0, 7), {}), 2, 1), joined({second_colour, first_colour})) <
          1e-3);
    CHECK(refused(bmp(1, 2, data.substr(0, 6), {})).status == PictureStatus::corrupt);
}

TEST_CASE("A BMP's runs are put together") {
    const std::vector<double> expected =
        joined({second_colour, second_colour, third_colour, first_colour,  // the upper row, stored last
                fourth_colour, fourth_colour, fourth_colour, second_colour});
    CHECK(farthest(read_bmp(runs(std::string("\3\3\1\1\0\0\2\1\1\2\1\0\0\0\0\1", 16)), 2, 4), expected) <
          1e-3);
    // Without the marks of the rows' ends at the picture's end, and literals that are padded.
    CHECK(farthest(read_bmp(runs(std::string("\3\3\1\1\0\0\2\1\1\2\1\0", 12)), 2, 4), expected) < 1e-3);
    CHECK(farthest(read_bmp(runs(std::string("\0\3\3\3\3\0\1\1\0\0\0\4\1\1\2\0\0\1", 18)), 2, 4), expected) <
          1e-3);
    CHECK(farthest(read_bmp(runs(std::string("\3\x33\1\x11\0\0\2\x11\2\x20\0\1", 12), rle4), 2, 4),
                   expected) < 1e-3);
    CHECK(farthest(read_bmp(runs(std::string("\0\4\x33\x31\0\0\0\4\x11\x20\0\1", 12), rle4), 2, 4),
                   expected) < 1e-3);
    const std::string rle24(
        "\3\xc8\xd2\xdc\1\x0a\x14\x1e\0\0\0\4\x0a\x14\x1e\x0a\x14\x1e\x64\x6e\x78\1\2\3\0\1", 26);
    CHECK(farthest(read_bmp(bmp(4, 2, rle24, {.header = 64, .compression = 4}), 2, 4), expected) < 1e-3);
}

TEST_CASE("A BMP's runs that cover the padding are clipped at the line's end") {
    CHECK(farthest(read_bmp(runs(std::string("\7\3\0\0\x05\1\0\0\0\1", 10)), 2, 4),
                   joined({second_colour, second_colour, second_colour, second_colour, fourth_colour,
                           fourth_colour, fourth_colour, fourth_colour})) < 1e-3);
    CHECK(farthest(read_bmp(runs(std::string("\0\5\3\3\3\3\2\0\0\0\4\1\0\1", 14)), 2, 4),
                   joined({second_colour, second_colour, second_colour, second_colour, fourth_colour,
                           fourth_colour, fourth_colour, fourth_colour})) < 1e-3);
}

TEST_CASE("Pixels that a BMP's runs skip have the palette's first colour") {
    const std::vector<double>& blank = first_colour;
    CHECK(farthest(read_bmp(runs(std::string("\1\3\0\0\0\2\2\0\1\1\0\1", 12)), 2, 4),
                   joined({blank, blank, second_colour, blank, fourth_colour, blank, blank, blank})) < 1e-3);
    CHECK(farthest(read_bmp(runs(std::string("\1\3\0\1", 4)), 2, 4),
                   joined({blank, blank, blank, blank, fourth_colour, blank, blank, blank})) < 1e-3);
}

TEST_CASE("A BMP's runs that end too early, or lead outside, are refused") {
    const std::string whole("\3\3\1\1\0\0\2\1\0\3\2\0\1\0\0\1", 16);
    for (std::size_t length = 0; length < 13; ++length) {
        INFO(length);
        const SkippedPicture skipped = refused(runs(whole.substr(0, length)));
        CHECK(skipped.status == PictureStatus::corrupt);
    }
    CHECK_THAT(refused(runs("")).reason, contains("cut short: BMP runs end in row 1 of 2"));
    CHECK_THAT(refused(runs(std::string("\0\2\5\0\1\1\0\1", 8))).reason, contains("lead to column 5"));
}

TEST_CASE("A BMP of a few bytes cannot claim a hundred megapixels") {
    const std::string bomb =
        bmp(10'000, 10'000, std::string("\0\1", 2),
            {.bits = 8, .compression = rle8, .colours = 1, .behind = std::string(4, '\0')});
    const SkippedPicture skipped = refused(bomb);
    CHECK(skipped.status == PictureStatus::corrupt);
    CHECK_THAT(skipped.reason, contains("10000 × 10000 pixels in 2 bytes of runs found, at most 65792"));
    CHECK(refused(bmp(50'000, 50'000, "data",
                      {.bits = 8, .compression = rle8, .colours = 4, .behind = palette()}))
              .status == PictureStatus::too_large);
    CHECK(refused(bmp(40'000, -2'147'483'647 - 1, "data", {})).status == PictureStatus::too_large);
}

TEST_CASE("Masks of any width stretch from 0 to 1 exactly") {
    const auto wide = [](std::uint32_t red, std::uint32_t green, std::uint32_t blue,
                         const std::string& data) {
        const int bits = static_cast<int>(data.size()) * 4;  // two pixels
        return read_bmp(
            bmp(2, 1, data, {.bits = bits, .compression = bit_fields, .behind = masks(red, green, blue)}), 1,
            2);
    };
    CHECK(read_bmp(bmp(2, 1, std::string("\xff\x7f\0\0", 4), {.bits = 16}), 1, 2) ==
          std::vector<double>{255, 255, 255, 0, 0, 0});
    CHECK(wide(0xf800, 0x07e0, 0x001f, std::string("\xff\xff\0\0", 4)) ==
          std::vector<double>{255, 255, 255, 0, 0, 0});
    CHECK(farthest(wide(0xf800, 0x07e0, 0x001f, le16(10U << 11U | 20U << 5U | 30U) + le16(1)),
                   {10 * 255.0 / 31, 20 * 255.0 / 63, 30 * 255.0 / 31, 0, 0, 255.0 / 31}) < 0.01);
    CHECK(farthest(wide(0x0f00, 0x00f0, 0x000f, le16(0x0123) + le16(0xffff)), {17, 34, 51, 255, 255, 255}) <
          0.01);
    CHECK(farthest(wide(0x7c00, 0x03e0, 0x001f, le16(0x8000) + le16(0x7c00)), {0, 0, 0, 255, 0, 0}) < 0.01);
    CHECK(farthest(wide(0x00ff0000, 0x0000ff00, 0x000000ff, le32(0x80010203) + le32(0)), {1, 2, 3, 0, 0, 0}) <
          0.01);
    CHECK(farthest(wide(0x000000ff, 0x0000ff00, 0x00ff0000, le32(0x80010203) + le32(0)), {3, 2, 1, 0, 0, 0}) <
          0.01);
    CHECK(farthest(wide(0xff000000, 0x00ff0000, 0x0000ff00, le32(0x01020380) + le32(0)), {1, 2, 3, 0, 0, 0}) <
          0.01);
    CHECK(farthest(wide(0x3ff00000, 0x000ffc00, 0x000003ff, le32(1U << 20U | 512U << 10U | 1023U) + le32(0)),
                   {255.0 / 1023, 512 * 255.0 / 1023, 255, 0, 0, 0}) < 0.01);
    CHECK(farthest(wide(0xffff0000, 0x0000fffe, 1, le32(0x1234ffff) + le32(0)),
                   {0x1234 / 257.0, 255, 255, 0, 0, 0}) < 0.01);
    CHECK(farthest(wide(0, 0xff00, 0xff, le16(0x0102) + le16(0)), {0, 1, 2, 0, 0, 0}) < 0.01);
}

TEST_CASE("The headers of Windows 95 and later have their masks inside") {
    const std::string white_and_red("\xff\xff\0\xf8", 4);
    for (const std::uint32_t header : {52U, 56U, 108U, 124U}) {
        CHECK(read_bmp(bmp(2, 1, white_and_red,
                           {.header = header,
                            .bits = 16,
                            .compression = bit_fields,
                            .inside = masks(0xf800, 0x07e0, 0x001f)}),
                       1, 2) == std::vector<double>{255, 255, 255, 255, 0, 0});
    }
}

TEST_CASE("A BMP's alpha mask is blended, a byte that is none is not") {
    const std::string data = le32(0x80640000) + le32(0xff00c800);
    const std::vector<double> blended{100 * 128 / 255.0, 0, 0, 0, 200, 0};
    const std::vector<double> opaque{100, 0, 0, 0, 200, 0};
    const std::string colours = masks(0xff0000, 0xff00, 0xff);
    for (const std::uint32_t header : {56U, 108U, 124U}) {
        CHECK(farthest(read_bmp(bmp(2, 1, data,
                                    {.header = header,
                                     .bits = 32,
                                     .compression = bit_fields,
                                     .inside = colours + le32(0xff000000)}),
                                1, 2),
                       blended) < 0.01);
    }
    CHECK(
        farthest(
            read_bmp(bmp(2, 1, data,
                         {.bits = 32, .compression = alpha_bit_fields, .behind = colours + le32(0xff000000)}),
                     1, 2),
            blended) < 0.01);
    CHECK(
        farthest(read_bmp(bmp(2, 1, data, {.bits = 32, .compression = bit_fields, .behind = colours}), 1, 2),
                 opaque) < 0.01);
    CHECK(farthest(read_bmp(bmp(2, 1, data, {.bits = 32}), 1, 2), opaque) < 0.01);
    CHECK(farthest(read_bmp(bmp(2, 1, le16(0x8f00) + le16(0xf0f0),
                                {.header = 108,
                                 .bits = 16,
                                 .compression = bit_fields,
                                 .inside = masks(0x0f00, 0x00f0, 0x000f) + le32(0xf000)}),
                            1, 2),
                   {255 * 8 / 15.0, 0, 0, 0, 255, 0}) < 0.01);
    // All of it unset: the program that wrote it knew no alpha.
    CHECK(farthest(read_bmp(bmp(1, 1, le32(0x00640000),
                                {.header = 124,
                                 .bits = 32,
                                 .compression = bit_fields,
                                 .inside = colours + le32(0xff000000)}),
                            1, 1),
                   {100, 0, 0}) < 0.01);
}

TEST_CASE("Masks that overlap, have gaps or lie outside of the pixel are refused") {
    const auto reason = [](std::uint32_t red, std::uint32_t green, std::uint32_t blue) {
        const SkippedPicture skipped = refused(
            bmp(2, 1, "data", {.bits = 16, .compression = bit_fields, .behind = masks(red, green, blue)}));
        CHECK(skipped.status == PictureStatus::corrupt);
        return skipped.reason;
    };
    CHECK_THAT(reason(0xf00, 0x1f0, 0xf), contains("BMP masks f00, 1f0, f, 0 found"));
    CHECK_THAT(reason(0xa00, 0xf0, 0xf), contains("BMP masks"));
    CHECK_THAT(reason(0xf0000, 0xf0, 0xf), contains("runs of bits within 16 expected"));
    CHECK_THAT(reason(0, 0, 0), contains("all 0"));
}

TEST_CASE("A BMP of 64 bits a pixel is linear light, brought to sRGB") {
    const std::string pixel = le16(8192) + le16(4096) + le16(0) + le16(8192);
    const double half = 255 * (1.055 * std::pow(0.5, 1 / 2.4) - 0.055);
    CHECK(farthest(read_bmp(bmp(1, 1, pixel, {.bits = 64}), 1, 1), {0, half, 255}) < 0.01);
}

TEST_CASE("A JPEG or PNG inside of a BMP is read as such") {
    const std::string inner = encode(".png", gray_ramp(3, 2));
    CHECK(farthest(read_bmp(bmp(2, 3, inner, {.header = 124, .bits = 0, .compression = 5}), 3, 2, 1),
                   {0, 3, 7, 10, 14, 17}) < 1e-3);
    const std::string jpeg = encode(".jpg", cv::Mat(8, 8, CV_8UC1, cv::Scalar(100)));
    const std::string outer = bmp(8, 8, jpeg, {.header = 124, .bits = 0, .compression = 4});
    CHECK(farthest(read_bmp(outer, 1, 1, 1), {100}) < 1.5);
    CHECK(refused(outer.substr(0, outer.size() - 40)).status == PictureStatus::corrupt);
}

TEST_CASE("OS/2's array of bitmaps gives its first") {
    std::string file = bmp(1, 1, std::string("\1\2\3\0", 4), {});
    file.replace(10, 4, le32(14 + 14 + 40));
    CHECK(farthest(read_bmp("BA" + le32(40) + le32(0) + le16(0) + le16(0) + file, 1, 1), first_colour) <
          1e-3);
}

TEST_CASE("A BMP of a kind that is not read is named") {
    const SkippedPicture huffman =
        refused(bmp(8, 1, "data", {.header = 64, .bits = 1, .compression = 3, .behind = palette()}));
    CHECK(huffman.status == PictureStatus::unsupported);
    CHECK_THAT(huffman.reason, contains("Huffman 1D"));
    CHECK_THAT(refused(bmp(8, 1, "data", {.compression = 77})).reason, contains("BMP compression 77 found"));
    CHECK_THAT(refused(bmp(8, 1, "data", {.bits = 7})).reason, contains("BMP of 7 bits a pixel"));
    CHECK(refused(bmp(-5, 1, "data", {})).status == PictureStatus::corrupt);
    CHECK(refused(bmp(0, 1, "data", {})).status == PictureStatus::corrupt);
}

TEST_CASE("A BMP that is cut short anywhere is refused") {
    const std::string whole = bmp(5, 4, std::string(64, '\x40'), {});
    for (std::size_t length = 2; length + 1 < whole.size(); ++length) {
        INFO(length);
        const PictureStatus status = refused(whole.substr(0, length)).status;
        CHECK((status == PictureStatus::corrupt || length < 26));
    }
}

TEST_CASE("Spoilt BMPs are read or refused, never worse") {
    check_rounds("runs.bmp", runs(std::string("\3\3\1\1\0\0\2\1\0\3\2\0\1\0\0\1", 16)), 400);
    check_rounds("masks.bmp",
                 bmp(4, 1, "datadatadatadata",
                     {.header = 124,
                      .bits = 32,
                      .compression = bit_fields,
                      .inside = masks(0x3ff, 0xffc00, 0x3ff00000) + le32(0xc0000000)}),
                 400);
    check_rounds("os2.bmp",
                 bmp(3, 2, std::string(8, '\1'), {.header = 12, .bits = 8, .behind = palette(false)}), 300);
}

}  // namespace stackae

#include "data/tiff_writer.hpp"

namespace stackae {
namespace {

using namespace test;

/// Writes and reads; gray or RGB.
void check_comes_back(const TiffMade& made) {
    INFO(made.bits << " bits, format " << made.format << ", " << made.samples << " samples, separate "
                   << made.separate << ", tiled " << made.tiled << ", mode " << made.mode << ", compression "
                   << made.compression << ", predictor " << made.predictor << ", last bit first "
                   << made.last_bit_first);
    const TemporaryFolder folder;
    write_tiff(folder / "a.tif", made, scattered(made));
    CHECK(farthest(values_of(folder / "a.tif", preprocessing_for(made, made.samples)),
                   expected_of(made, scattered(made))) < 1e-3);
}

/// The same for the predictor of floats, whose data are the same in both byte orders: the highest bytes of a
/// row first (Adobe's third technical note on TIFF). They are copied from a little-endian file, for
/// libtiff 4.5 writes them otherwise to a big-endian one, and does not read those back itself.
void check_comes_back_by_bytes(TiffMade made) {
    INFO(made.bits << " bits, separate " << made.separate << ", mode " << made.mode);
    const TemporaryFolder folder;
    const std::string mode = std::exchange(made.mode, "wl");
    write_tiff(folder / "little.tif", made, scattered(made));
    TIFF* from = TIFFOpen((folder / "little.tif").c_str(), "r");
    TIFF* to = TIFFOpen((folder / "a.tif").c_str(), mode.c_str());
    REQUIRE((from != nullptr && to != nullptr));
    set_tiff_fields(to, made);
    const std::uint32_t count = made.tiled ? TIFFNumberOfTiles(from) : TIFFNumberOfStrips(from);
    for (std::uint32_t i = 0; i < count; ++i) {
        std::string data(TIFFGetStrileByteCount(from, i), '\0');
        const auto size = static_cast<tmsize_t>(data.size());
        const auto read = made.tiled ? TIFFReadRawTile : TIFFReadRawStrip;
        const auto write = made.tiled ? TIFFWriteRawTile : TIFFWriteRawStrip;
        REQUIRE(read(from, i, data.data(), size) == size);
        REQUIRE(write(to, i, data.data(), size) == size);
    }
    TIFFClose(from);
    TIFFClose(to);
    CHECK(farthest(values_of(folder / "a.tif", preprocessing_for(made, made.samples)),
                   expected_of(made, scattered(made))) < 1e-3);
}

TiffMade gray_or_rgb(int samples) {
    TiffMade made;
    made.samples = samples;
    made.photometric = samples == 1 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB;
    return made;
}

/// All that libtiff can write here, of those without loss.
std::vector<int> lossless_compressions() {
    std::vector<int> found;
    for (const int compression :
         {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE, COMPRESSION_DEFLATE,
          COMPRESSION_PACKBITS, COMPRESSION_LZMA, COMPRESSION_ZSTD, COMPRESSION_LERC}) {
        if (has_compression(compression)) {
            found.push_back(compression);
        }
    }
    return found;
}

}  // namespace

TEST_CASE("A TIFF's whole numbers of any width are read, in strips and tiles, planes together or apart") {
    for (const int bits : {1, 2, 4, 6, 8, 10, 12, 14, 16, 24, 32}) {
        for (const int samples : {1, 3}) {
            for (const bool tiled : {false, true}) {
                for (const bool separate : {false, true}) {
                    for (const char* mode : {"wl", "wb", "wb8"}) {
                        TiffMade made = gray_or_rgb(samples);
                        made.bits = bits;
                        made.tiled = tiled;
                        made.separate = separate;
                        made.mode = mode;
                        check_comes_back(made);
                    }
                }
            }
        }
    }
}

TEST_CASE("A TIFF's floats of 16, 32 and 64 bits are read") {
    for (const int bits : {16, 32, 64}) {
        for (const int predictor : {0, 3}) {
            for (const bool separate : {false, true}) {
                for (const char* mode : {"wl", "wb"}) {
                    TiffMade made = gray_or_rgb(3);
                    made.bits = bits;
                    made.format = SAMPLEFORMAT_IEEEFP;
                    made.predictor = predictor;
                    made.compression = predictor == 0 ? COMPRESSION_NONE : COMPRESSION_ADOBE_DEFLATE;
                    made.separate = separate;
                    made.tiled = separate;
                    made.mode = mode;
                    predictor == 0 ? check_comes_back(made) : check_comes_back_by_bytes(made);
                }
            }
        }
    }
}

TEST_CASE("A TIFF of any compression without loss is read") {
    for (const int compression : lossless_compressions()) {
        for (const int bits : {8, 16}) {
            for (const bool tiled : {false, true}) {
                TiffMade made = gray_or_rgb(3);
                made.compression = compression;
                made.bits = bits;
                made.tiled = tiled;
                check_comes_back(made);
                const bool predicts = compression == COMPRESSION_LZW ||
                                      compression == COMPRESSION_ADOBE_DEFLATE ||
                                      compression == COMPRESSION_LZMA || compression == COMPRESSION_ZSTD;
                if (predicts) {
                    made.predictor = 2;
                    check_comes_back(made);
                }
                made.last_bit_first = compression != COMPRESSION_LERC;
                check_comes_back(made);
            }
        }
    }
}

TEST_CASE("A TIFF of fax compression is read") {
    for (const int compression : {COMPRESSION_CCITTRLE, COMPRESSION_CCITTFAX3, COMPRESSION_CCITTFAX4}) {
        for (const bool last_bit_first : {false, true}) {
            for (const std::uint32_t width : {37U, 64U}) {
                TiffMade made;
                made.width = width;
                made.bits = 1;
                made.compression = compression;
                made.last_bit_first = last_bit_first;
                check_comes_back(made);
            }
        }
    }
}

TEST_CASE("A TIFF with JPEG or WebP inside has nearly its colours") {
    const auto smooth = [](std::uint32_t x, std::uint32_t y, std::uint32_t sample) {
        return std::floor(40.0 + 1.5 * x + 2.0 * y + 20.0 * sample);
    };
    for (const int compression : {COMPRESSION_JPEG, COMPRESSION_WEBP}) {
        for (const bool tiled : {false, true}) {
            for (const int photometric : {PHOTOMETRIC_RGB, PHOTOMETRIC_YCBCR}) {
                if (!has_compression(compression) ||
                    (compression == COMPRESSION_WEBP && photometric == PHOTOMETRIC_YCBCR)) {
                    continue;
                }
                const TemporaryFolder folder;
                TiffMade made = gray_or_rgb(3);
                made.width = 48;
                made.height = 32;
                made.compression = compression;
                made.photometric = photometric;
                made.tiled = tiled;
                made.one_strip = true;
                if (photometric == PHOTOMETRIC_YCBCR) {
                    made.more = [](TIFF* tiff) {
                        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
                        TIFFSetField(tiff, TIFFTAG_YCBCRSUBSAMPLING, 2, 2);
                    };
                }
                write_tiff(folder / "a.tif", made, smooth);
                CHECK(farthest(values_of(folder / "a.tif", preprocessing_for(made, 3)),
                               expected_of(made, smooth)) < 12.0);
            }
        }
    }
}

TEST_CASE("A TIFF with WebP inside that loses nothing has its colours exactly") {
    if (!has_compression(COMPRESSION_WEBP)) {
        return;
    }
    for (const bool alpha : {false, true}) {
        for (const bool tiled : {false, true}) {
            TiffMade made = gray_or_rgb(alpha ? 4 : 3);
            made.compression = COMPRESSION_WEBP;
            made.tiled = tiled;
            made.more = [](TIFF* tiff) { REQUIRE(TIFFSetField(tiff, TIFFTAG_WEBP_LOSSLESS, 1) == 1); };
            if (!alpha) {
                check_comes_back(made);
                continue;
            }
            made.alpha = EXTRASAMPLE_UNASSALPHA;
            const TiffValues opaque = [&](std::uint32_t x, std::uint32_t y, std::uint32_t sample) {
                return sample == 3 ? 255.0 : scattered(made)(x, y, sample);
            };
            TiffMade colours = made;
            colours.samples = 3;
            const TemporaryFolder folder;
            write_tiff(folder / "a.tif", made, opaque);
            CHECK(farthest(values_of(folder / "a.tif", preprocessing_for(made, 3)),
                           expected_of(colours, scattered(colours))) < 1e-3);
        }
    }
}

TEST_CASE("A TIFF's CIELab becomes RGB, by the white that it states") {
    struct Colour {
        std::array<double, 3> lab;
        std::array<double, 3> rgb;
    };
    // sRGB's own corners, against D50 (CSS Color 4) and against D65.
    const std::vector<Colour> by_d50{
        {{54.29, 80.81, 69.89}, {255, 0, 0}},   {{87.82, -79.29, 80.99}, {0, 255, 0}},
        {{29.57, 68.30, -112.03}, {0, 0, 255}}, {{100, 0, 0}, {255, 255, 255}},
        {{53.59, 0, 0}, {128, 128, 128}},       {{0, 0, 0}, {0, 0, 0}}};
    const std::vector<Colour> by_d65{{{53.24, 80.09, 67.20}, {255, 0, 0}},
                                     {{87.73, -86.18, 83.18}, {0, 255, 0}},
                                     {{32.30, 79.19, -107.86}, {0, 0, 255}},
                                     {{100, 0, 0}, {255, 255, 255}}};
    for (const bool stated : {false, true}) {
        const std::vector<Colour>& colours = stated ? by_d65 : by_d50;
        for (const int bits : {8, 16}) {
            TiffMade made = gray_or_rgb(3);
            made.photometric = PHOTOMETRIC_CIELAB;
            made.bits = bits;
            made.width = static_cast<std::uint32_t>(colours.size());
            made.height = 1;
            if (stated) {
                made.more = [](TIFF* tiff) {
                    const std::array<float, 2> white{0.3127F, 0.3290F};
                    TIFFSetField(tiff, TIFFTAG_WHITEPOINT, white.data());
                };
            }
            const double one = bits == 8 ? 1.0 : 256.0;
            const TemporaryFolder folder;
            write_tiff(folder / "a.tif", made, [&](std::uint32_t x, std::uint32_t, std::uint32_t sample) {
                const double value = colours[x].lab.at(sample);
                const double stored = std::round(sample == 0 ? value / 100.0 * white_of(made) : value * one);
                return stored < 0 ? stored + white_of(made) + 1.0 : stored;
            });
            std::vector<double> expected;
            for (const Colour& colour : colours) {
                expected.insert(expected.end(), colour.rgb.begin(), colour.rgb.end());
            }
            CHECK(farthest(values_of(folder / "a.tif", preprocessing_for(made, 3)), expected) <
                  (bits == 8 ? 25.0 : 3.0));
        }
    }
}

TEST_CASE("A TIFF's YCbCr with fewer colours than pixels is read") {
    const TemporaryFolder folder;
    // Two by two pixels of one colour: four Y, then Cb and Cr (BT.601); reddish.
    const std::string block{"\x62\x62\x62\x62\x70\xb0", 6};
    write_text(folder / "a.tif", tiff_of(block + block, {{256, 4, {4}},
                                                         {257, 4, {2}},
                                                         {258, 3, {8, 8, 8}},
                                                         {259, 3, {1}},
                                                         {262, 3, {6}},
                                                         {273, 4, {8}},
                                                         {277, 3, {3}},
                                                         {278, 4, {2}},
                                                         {279, 4, {12}},
                                                         {530, 3, {2, 2}}}));
    const std::vector<double> values = values_of(folder / "a.tif", preprocessing_of(3, 2, 4));
    for (std::size_t i = 0; i < values.size(); i += 3) {
        CHECK(values[i] == Approx(98 + 1.402 * 48).margin(2.0));
        CHECK(values[i + 1] == Approx(98 + 0.344 * 16 - 0.714 * 48).margin(2.0));
        CHECK(values[i + 2] == Approx(98 - 1.772 * 16).margin(2.0));
    }
}

TEST_CASE("A TIFF whose zero is white is turned over") {
    for (const int bits : {1, 4, 8, 12, 16}) {
        const TemporaryFolder folder;
        TiffMade made;
        made.bits = bits;
        made.photometric = PHOTOMETRIC_MINISWHITE;
        write_tiff(folder / "a.tif", made, scattered(made));
        std::vector<double> expected = expected_of(made, scattered(made));
        for (double& value : expected) {
            value = 255.0 - value;
        }
        CHECK(farthest(values_of(folder / "a.tif", preprocessing_for(made, 1)), expected) < 1e-3);
    }
}

TEST_CASE("A TIFF's palette gives its colours, however many bits the indices and the colours have") {
    // Colours in 16 bits: doubled bytes, bytes shifted up, bytes alone (old programs), and true 16 bits.
    const std::array<std::function<double(unsigned)>, 4> makes{
        [](unsigned byte) { return 257.0 * byte; }, [](unsigned byte) { return 256.0 * byte; },
        [](unsigned byte) { return 1.0 * byte; },
        [](unsigned byte) { return 257.0 * byte + (byte == 7 ? 100 : 0); }};
    for (const int bits : {1, 2, 4, 8}) {
        for (const auto& make : makes) {
            const auto colour = [](unsigned index, unsigned c) { return index * (40 + 7 * c) + 7 * c + 7; };
            std::vector<std::uint16_t> map;
            for (unsigned c = 0; c < 3; ++c) {
                for (unsigned i = 0; i < 1U << bits; ++i) {
                    map.push_back(static_cast<std::uint16_t>(make(colour(i, c) & 0xffU)));
                }
            }
            TiffMade made;
            made.bits = bits;
            made.photometric = PHOTOMETRIC_PALETTE;
            made.more = [&](TIFF* tiff) {
                TIFFSetField(tiff, TIFFTAG_COLORMAP, map.data(), &map[std::size_t{1} << bits],
                             &map[std::size_t{2} << bits]);
            };
            const TemporaryFolder folder;
            const TiffValues indices = scattered(made);
            write_tiff(folder / "a.tif", made, indices);
            std::vector<double> expected;
            for (std::uint32_t i = 0; i < made.width * made.height; ++i) {
                const auto index = static_cast<unsigned>(indices(i % made.width, i / made.width, 0));
                for (unsigned c = 0; c < 3; ++c) {
                    expected.push_back(colour(index, c) & 0xffU);
                }
            }
            CHECK(farthest(values_of(folder / "a.tif", preprocessing_for(made, 3)), expected) < 0.4);
        }
    }
}

TEST_CASE("A TIFF's CMYK becomes RGB") {
    for (const int bits : {8, 16}) {
        for (const bool separate : {false, true}) {
            const TemporaryFolder folder;
            TiffMade made;
            made.bits = bits;
            made.samples = 4;
            made.photometric = PHOTOMETRIC_SEPARATED;
            made.separate = separate;
            const TiffValues inks = scattered(made);
            write_tiff(folder / "a.tif", made, inks);
            std::vector<double> expected;
            for (std::uint32_t i = 0; i < made.width * made.height; ++i) {
                for (std::uint32_t c = 0; c < 3; ++c) {
                    const auto light = [&](std::uint32_t ink) {
                        return 1.0 - inks(i % made.width, i / made.width, ink) / white_of(made);
                    };
                    expected.push_back(255.0 * light(c) * light(3));
                }
            }
            CHECK(farthest(values_of(folder / "a.tif", preprocessing_for(made, 3)), expected) < 0.51);
        }
    }
}

TEST_CASE("A TIFF's alpha lets the background through, and a sample of no meaning does not") {
    for (const int colours : {1, 3}) {
        for (const int kind : {EXTRASAMPLE_UNASSALPHA, EXTRASAMPLE_ASSOCALPHA, EXTRASAMPLE_UNSPECIFIED}) {
            for (const auto& [bits, format] : {std::pair<int, int>{8, SAMPLEFORMAT_UINT},
                                               {16, SAMPLEFORMAT_UINT},
                                               {12, SAMPLEFORMAT_UINT},
                                               {32, SAMPLEFORMAT_IEEEFP}}) {
                for (const bool apart : {false, true}) {
                    TiffMade made = gray_or_rgb(colours);
                    made.bits = bits;
                    made.format = format;
                    made.samples = colours + 1;
                    made.alpha = kind;
                    made.separate = apart;
                    made.tiled = apart;
                    const TiffValues all = scattered(made);
                    const TiffValues stored = [&](std::uint32_t x, std::uint32_t y, std::uint32_t s) {
                        const double alpha =
                            all(x, y,
                                static_cast<std::uint32_t>(colours));  // associated colours are at most alpha
                        return kind == EXTRASAMPLE_ASSOCALPHA ? std::min(all(x, y, s), alpha) : all(x, y, s);
                    };
                    const TemporaryFolder folder;
                    write_tiff(folder / "a.tif", made, stored);
                    std::vector<double> expected;
                    for (std::uint32_t i = 0; i < made.width * made.height; ++i) {
                        const auto unit = [&](std::uint32_t s) {
                            return stored(i % made.width, i / made.width, s) / white_of(made);
                        };
                        const double alpha =
                            kind == EXTRASAMPLE_UNSPECIFIED ? 1.0 : unit(static_cast<std::uint32_t>(colours));
                        for (std::uint32_t c = 0; c < static_cast<std::uint32_t>(colours); ++c) {
                            const double colour = kind == EXTRASAMPLE_UNASSALPHA ? unit(c) * alpha : unit(c);
                            expected.push_back(255.0 * (colour + 0.25 * (1.0 - alpha)));
                        }
                    }
                    Preprocessing preprocessing = preprocessing_for(made, colours);
                    preprocessing.background = 0.25F;
                    CHECK(farthest(values_of(folder / "a.tif", preprocessing), expected) < 1e-3);
                }
            }
        }
    }
}

TEST_CASE("A TIFF of gray that counts down from white keeps its alpha") {
    TiffMade made;
    made.width = 3;
    made.height = 1;
    made.samples = 2;
    made.photometric = PHOTOMETRIC_MINISWHITE;
    const std::vector<std::vector<double>> pixels{{0, 102}, {51, 102}, {102, 102}};
    const auto blended = [&](int alpha) {
        made.alpha = alpha;
        const TemporaryFolder folder;
        write_tiff(folder / "a.tif", made,
                   [&](std::uint32_t x, std::uint32_t, std::uint32_t sample) { return pixels[x][sample]; });
        return values_of(folder / "a.tif", preprocessing_for(made, 1));  // on black
    };
    CHECK(farthest(blended(EXTRASAMPLE_ASSOCALPHA), {102, 51, 0}) < 1e-3);
    CHECK(farthest(blended(EXTRASAMPLE_UNASSALPHA), {102, 0.4 * 204, 0.4 * 153}) < 1e-3);
}

TEST_CASE("A TIFF stored in any of the eight orientations comes upright, from strips and from tiles") {
    for (int orientation = 1; orientation <= 8; ++orientation) {
        for (const bool tiled : {false, true}) {
            TiffMade made = gray_or_rgb(3);
            made.orientation = orientation;
            made.tiled = tiled;
            const TiffValues values = scattered(made);
            const TemporaryFolder folder;
            write_tiff(folder / "a.tif", made, values);
            // Rows for columns from 5 on; 2, 3, 6 and 7 begin at the right, 3, 4, 7 and 8 at the bottom
            // (TIFF 6.0).
            const bool turned = orientation >= 5;
            const std::uint32_t width = turned ? made.height : made.width;
            const std::uint32_t height = turned ? made.width : made.height;
            const bool right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
            const bool bottom = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
            std::vector<double> expected;
            for (std::uint32_t i = 0; i < width * height; ++i) {
                const std::uint32_t x = right ? width - 1 - i % width : i % width;
                const std::uint32_t y = bottom ? height - 1 - i / width : i / width;
                for (std::uint32_t s = 0; s < 3; ++s) {
                    expected.push_back(turned ? values(y, x, s) : values(x, y, s));
                }
            }
            const Preprocessing preprocessing =
                preprocessing_of(3, static_cast<int>(height), static_cast<int>(width));
            INFO("orientation " << orientation << ", tiled " << tiled);
            CHECK(farthest(values_of(folder / "a.tif", preprocessing), expected) < 1e-3);
        }
    }
}

}  // namespace stackae

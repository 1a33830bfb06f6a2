#pragma once

#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <tiffio.h>

#include "data/make.hpp"

/// TIFFs of every kind by libtiff's own writer.
namespace stackae::test {

struct TiffMade {
    std::uint32_t width = 37;
    std::uint32_t height = 21;
    int bits = 8;
    int samples = 1;
    int photometric = PHOTOMETRIC_MINISBLACK;
    int format = SAMPLEFORMAT_UINT;
    int compression = COMPRESSION_NONE;
    int predictor = 0;
    int orientation = 1;
    std::optional<int> alpha;  ///< of the last sample
    bool separate = false;
    bool tiled = false;  ///< 16 × 16, else 8 rows a strip
    bool last_bit_first = false;
    bool one_strip = false;
    std::string mode = "w";  ///< "wb": big endian, "w8": BigTIFF
    std::function<void(TIFF*)> more = [](TIFF*) {};
};

/// The value of a sample: whole numbers from 0 to 2^bits − 1 that are nowhere alike, or halves of them for
/// floats.
using TiffValues = std::function<double(std::uint32_t x, std::uint32_t y, std::uint32_t sample)>;

inline std::uint16_t half_of(double value) {  // of [0, 1], whose 11 leading bits are all
    if (value == 0.0) {
        return 0;
    }
    int exponent = 0;
    const double fraction = std::frexp(value, &exponent);
    return static_cast<std::uint16_t>((exponent + 14) << 10 |
                                      static_cast<int>((2.0 * fraction - 1.0) * 1024.0));
}

/// Values of one row, packed as TIFF packs them before bytes are swapped.
inline std::string packed_row(const std::vector<double>& values, const TiffMade& made) {
    std::string row;
    std::uint64_t held = 0;
    int have = 0;
    for (const double value : values) {
        const auto whole = static_cast<std::uint64_t>(value);
        if (made.format == SAMPLEFORMAT_IEEEFP) {
            row += made.bits == 16   ? number(half_of(value), 2, false)
                   : made.bits == 32 ? bytes_of(std::vector<float>{static_cast<float>(value)})
                                     : bytes_of(std::vector<double>{value});
        } else if (made.bits == 8 || made.bits == 16 || made.bits == 24 || made.bits == 32) {
            row += number(whole, made.bits / 8, false);
        } else {
            held = held << made.bits | whole;
            for (have += made.bits; have >= 8; have -= 8) {
                row += static_cast<char>(held >> (have - 8) & 0xffU);
            }
        }
    }
    if (have > 0) {
        row += static_cast<char>(held << (8 - have) & 0xffU);
    }
    return row;
}

/// Whether libtiff is built with it here.
inline bool has_compression(int compression) {
    return TIFFIsCODECConfigured(static_cast<std::uint16_t>(compression)) != 0;
}

inline void write_tiff_pixels(TIFF* tiff, const TiffMade& made, const TiffValues& values) {
    const std::uint32_t wide = made.tiled ? 16 : made.width;
    const std::uint32_t high = made.tiled ? 16 : made.one_strip ? made.height : 8;
    for (int plane = 0; plane < (made.separate ? made.samples : 1); ++plane) {
        for (std::uint32_t y0 = 0; y0 < made.height; y0 += high) {
            for (std::uint32_t x0 = 0; x0 < made.width; x0 += wide) {
                std::string piece;
                for (std::uint32_t y = y0; y < (made.tiled ? y0 + high : std::min(y0 + high, made.height));
                     ++y) {
                    std::vector<double> row;
                    for (std::uint32_t x = x0; x < x0 + wide; ++x) {
                        for (int s = 0; s < (made.separate ? 1 : made.samples); ++s) {
                            const bool inside = x < made.width && y < made.height;
                            row.push_back(
                                inside ? values(x, y, static_cast<std::uint32_t>(made.separate ? plane : s))
                                       : 0.0);
                        }
                    }
                    piece += packed_row(row, made);
                }
                const auto size = static_cast<tmsize_t>(piece.size());
                const auto sample = static_cast<std::uint16_t>(plane);
                const tmsize_t written =
                    made.tiled
                        ? TIFFWriteEncodedTile(tiff, TIFFComputeTile(tiff, x0, y0, 0, sample), piece.data(),
                                               size)
                        : TIFFWriteEncodedStrip(tiff, TIFFComputeStrip(tiff, y0, sample), piece.data(), size);
                REQUIRE(written == size);
            }
        }
    }
}

inline void set_tiff_fields(TIFF* tiff, const TiffMade& made) {
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, made.width);
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, made.height);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, made.bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, made.samples);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, made.photometric);
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, made.format);
    TIFFSetField(tiff, TIFFTAG_ORIENTATION, made.orientation);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, made.separate ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, made.compression);
    if (made.last_bit_first) {
        TIFFSetField(tiff, TIFFTAG_FILLORDER, FILLORDER_LSB2MSB);
    }
    if (made.predictor != 0) {
        TIFFSetField(tiff, TIFFTAG_PREDICTOR, made.predictor);
    }
    if (made.alpha) {
        const auto kind = static_cast<std::uint16_t>(*made.alpha);
        TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &kind);
    }
    if (made.tiled) {
        TIFFSetField(tiff, TIFFTAG_TILEWIDTH, 16);
        TIFFSetField(tiff, TIFFTAG_TILELENGTH, 16);
    } else {
        TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, made.one_strip ? made.height : 8);
    }
    made.more(tiff);
}

/// More than one picture: a page each.
inline void write_tiff(const std::string& path, const std::vector<TiffMade>& pages,
                       const TiffValues& values) {
    TIFF* tiff = TIFFOpen(path.c_str(), pages.front().mode.c_str());
    REQUIRE(tiff != nullptr);
    for (const TiffMade& made : pages) {
        set_tiff_fields(tiff, made);
        write_tiff_pixels(tiff, made, values);
        REQUIRE(TIFFWriteDirectory(tiff) == 1);
    }
    TIFFClose(tiff);
}
inline void write_tiff(const std::string& path, const TiffMade& made, const TiffValues& values) {
    write_tiff(path, std::vector<TiffMade>{made}, values);
}

/// The largest value.
inline double white_of(const TiffMade& made) {
    return made.format == SAMPLEFORMAT_IEEEFP ? 1.0 : std::exp2(made.bits) - 1.0;
}

/// Values that use the whole range and differ from pixel to pixel.
inline TiffValues scattered(const TiffMade& made) {
    const double white = white_of(made);
    return [made, white](std::uint32_t x, std::uint32_t y, std::uint32_t sample) {
        const std::uint32_t mixed = (x * 2654435761U) ^ (y * 2246822519U) ^ (sample * 3266489917U);
        const double part = static_cast<double>(mixed >> 22U) / 1023.0;
        return made.format == SAMPLEFORMAT_IEEEFP ? std::floor(part * 1024.0) / 1024.0
                                                  : std::min(white, std::floor(part * (white + 1.0)));
    };
}

/// What those values are in a picture of as many channels, times 255.
inline std::vector<double> expected_of(const TiffMade& made, const TiffValues& values) {
    std::vector<double> expected;
    for (std::uint32_t y = 0; y < made.height; ++y) {
        for (std::uint32_t x = 0; x < made.width; ++x) {
            for (int s = 0; s < made.samples; ++s) {
                expected.push_back(255.0 * values(x, y, static_cast<std::uint32_t>(s)) / white_of(made));
            }
        }
    }
    return expected;
}

inline Preprocessing preprocessing_for(const TiffMade& made, int channels) {
    return preprocessing_of(channels, static_cast<int>(made.height), static_cast<int>(made.width));
}

}  // namespace stackae::test

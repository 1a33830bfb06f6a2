#pragma once

#include <cstdint>
#include <vector>

#include "data/bytes.hpp"

namespace stackae::data {

/// What a PNG says of its picture before anything is decoded.
struct PngHeader {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    unsigned channels = 0;     ///< once palettes and transparent colours are expanded
    unsigned bits = 8;         ///< a value, likewise: 8 or 16
    int orientation = 1;       ///< by EXIF, 1 to 8
    bool extras = false;       ///< it holds more than its picture
    std::uint32_t frames = 1;  ///< of an animation (APNG)
};

/// Reads the header and checks that the file is whole and that every checksum fits. Throws BadPicture.
[[nodiscard]] PngHeader png_header(ByteSpan file);

/// A PNG that png_header() accepted, with the chunks that make its picture and no others: libpng would unpack
/// and judge colour profiles and texts.
[[nodiscard]] std::vector<std::byte> bare_png(ByteSpan file);

}  // namespace stackae::data

#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "data/bytes.hpp"

namespace stackae::data {

/// How a BMP's picture is stored, whatever number its header gives it (4 is JPEG on Windows and RLE24 on
/// OS/2).
enum class BmpCompression { raw, rle4, rle8, rle24, jpeg, png };

/// What stands before a BMP's picture.
struct BmpHeader {
    std::uint64_t width = 0;
    std::uint64_t height = 0;
    bool top_down = false;
    unsigned bits = 0;  ///< a pixel
    BmpCompression compression = BmpCompression::raw;
    std::array<std::uint32_t, 4> masks{};  ///< of red, green, blue, alpha; of 16 to 32 bits a pixel
    std::uint64_t data_at = 0;
    std::vector<std::array<std::uint8_t, 3>> palette;  ///< R, G, B; of 1 to 8 bits a pixel
};

/// Reads the headers of OS/2 1.x and 2.x (whole or cut) and of Windows 3 to 5, with masks and palette. at:
/// where the header of the file ("BM") lies. Throws BadPicture: corrupt, unsupported.
[[nodiscard]] BmpHeader read_bmp_header(ByteSpan file, std::uint64_t at);

}  // namespace stackae::data

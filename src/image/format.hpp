#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "image/bytes.hpp"

namespace stackae::image {

enum class Format { png, jpeg, bmp, tiff, webp, pnm };

/// What a file says of its picture before anything is decoded.
struct PictureHeader {
    Format format = Format::png;
    std::uint64_t width = 0;
    std::uint64_t height = 0;
    std::uint64_t pixels = 0;     ///< that decoding would hold; a TIFF's tile may be larger than its picture
    int orientation = 1;          ///< by EXIF, 1 to 8; 1 for TIFF, which OpenCV turns upright itself
    std::optional<double> white;  ///< PNM: the decoded value that stands for 1
    bool premultiplied = false;   ///< TIFF: the alpha channel is what TIFF calls associated
    bool white_is_zero = false;   ///< TIFF: photometric interpretation 0
    bool extras = false;          ///< PNG: it holds more than its picture
};

/// By the first bytes. Throws BadPicture (unsupported), naming what was found.
[[nodiscard]] Format detect_format(ByteSpan file);

/// Reads the header and checks as much as can be had without decoding: that the file is whole, and for
/// PNG that every checksum fits. JPEG is left to decode_jpeg(). Throws BadPicture.
[[nodiscard]] PictureHeader inspect(ByteSpan file, Format format);

/// A PNG that inspect() accepted, with the chunks that make its picture and no others: libpng would unpack
/// and judge colour profiles and texts.
[[nodiscard]] std::vector<std::byte> bare_png(ByteSpan file);

}  // namespace stackae::image

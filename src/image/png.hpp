#pragma once

#include "image/bytes.hpp"
#include "image/picture.hpp"

namespace stackae::image {

/// Decodes a PNG that inspect() accepted: gray, gray and alpha, RGB or RGBA, of 8 or 16 bits. libpng is asked
/// directly, since loading OpenCV's codecs takes longer than decoding a small picture. Not turned upright.
/// Throws BadPicture: corrupt.
[[nodiscard]] cv::Mat decode_png(ByteSpan file);

}  // namespace stackae::image

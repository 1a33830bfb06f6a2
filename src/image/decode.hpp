#pragma once

#include <string>

#include "stackae/recipe.hpp"

#include "image/bytes.hpp"
#include "image/picture.hpp"

namespace stackae::image {

/// Decodes the bytes of a picture file upright. recipe: where given, what the picture will be brought to,
/// so that large JPEGs can be reduced while decoding; null for the full size.
/// Throws BadPicture: corrupt, too_large, unsupported.
[[nodiscard]] Picture decode(ByteSpan file, const PictureLimits& limits, const Recipe* recipe);

/// The same from a file; also missing, unreadable.
[[nodiscard]] Picture decode_file(const std::string& path, const PictureLimits& limits, const Recipe* recipe);

/// Throws BadPicture (unsupported) when a float lies outside of [0, 1] or is not a number.
void check_unit_range(const cv::Mat& pixels);

}  // namespace stackae::image

#pragma once

#include "stackae/recipe.hpp"

#include "image/bytes.hpp"
#include "image/picture.hpp"

namespace stackae::image {

/// Decodes a JPEG file upright, gray or RGB. libjpeg is asked directly, since OpenCV keeps its warnings to
/// itself, and they alone tell a picture that is cut short or damaged (and would be half gray).
///
/// With a recipe, the picture may come at 1/2, 1/4 or 1/8 of its size, at least twice as large as the
/// recipe needs it, and gray where the recipe is gray.
/// Throws BadPicture: corrupt, too_large, unsupported.
[[nodiscard]] Picture decode_jpeg(ByteSpan file, const PictureLimits& limits, const Recipe* recipe);

/// Turns a picture stored with an EXIF orientation of 1 to 8 upright.
void turn_upright(cv::Mat& pixels, int orientation);

}  // namespace stackae::image

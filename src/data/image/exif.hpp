#pragma once

#include "data/bytes.hpp"

namespace stackae::data {

/// The orientation (tag 274) in an EXIF block, with or without the leading "Exif\0\0": 1 to 8. A block
/// that is damaged, or has none, gives 1: it is no reason to lose the picture.
[[nodiscard]] int exif_orientation(ByteSpan block);

/// Turns a picture stored with an orientation of 1 to 8 upright.
void turn_upright(cv::Mat& pixels, int orientation);

}  // namespace stackae::data

#pragma once

#include <opencv2/core.hpp>

#include "data/image/tiff_file.hpp"

namespace stackae::data {

/// Indices of up to 16 bits, with or without alpha from 0 to white, to R, G, B by the file's palette, and
/// that alpha: 8U or 16U, over the whole range. Throws BadPicture (corrupt) where there is no palette.
[[nodiscard]] cv::Mat palette_colours(const TiffFile& tiff, unsigned bits, const cv::Mat& indices,
                                      double white);

}  // namespace stackae::data

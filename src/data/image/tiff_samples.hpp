#pragma once

#include <opencv2/core.hpp>

#include "stackae/image_dataset.hpp"

#include "data/image/tiff_file.hpp"
#include "data/image/tiff_layout.hpp"

namespace stackae::data {

/// All samples as they are stored: height × width × layout.samples, unpacked as SampleFormat says. Throws
/// BadPicture.
[[nodiscard]] cv::Mat stored_samples(TiffFile& tiff, const TiffLayout& layout, const PictureLimits& limits);

/// The samples that libtiff itself brings to 8 bits of R, G, B (TiffLayout::by_libtiff): YCbCr and LogLuv.
/// Throws BadPicture.
[[nodiscard]] cv::Mat samples_by_libtiff(TiffFile& tiff, const TiffLayout& layout,
                                         const PictureLimits& limits);

}  // namespace stackae::data

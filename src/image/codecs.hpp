#pragma once

#include <opencv2/core.hpp>

#include "image/bytes.hpp"

namespace stackae::image {

/// Decodes by OpenCV's codecs, as they are; empty when it cannot. Their library brings more than a hundred
/// others along, which take several times as long to load as all the rest of a program: it is loaded when the
/// first picture needs it. May throw cv::Exception. Throws BadPicture (unsupported) when
/// the library cannot be had.
[[nodiscard]] cv::Mat decode_by_opencv(ByteSpan file);

}  // namespace stackae::image

#pragma once

#include <opencv2/core.hpp>

namespace stackae::image {

/// C, M, Y, K, and alpha where there is a fifth channel, to R, G, B and that alpha: R = (1 − C) · (1 − K) and
/// so on. 8U, 16U or 32F, from 0 to white. inverted: 0 stands for full ink, as Adobe's programs store JPEGs.
[[nodiscard]] cv::Mat cmyk_to_rgb(const cv::Mat& inks, double white, bool inverted);

}  // namespace stackae::image

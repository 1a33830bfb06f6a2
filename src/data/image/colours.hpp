#pragma once

#include <array>
#include <opencv2/core.hpp>

namespace stackae::data {

/// C, M, Y, K, and alpha where there is a fifth channel, to R, G, B and that alpha: R = (1 − C) · (1 − K) and
/// so on. 8U, 16U or 32F, from 0 to white. inverted: 0 stands for full ink, as Adobe's programs store JPEGs.
[[nodiscard]] cv::Mat cmyk_to_rgb(const cv::Mat& inks, double white, bool inverted);

/// CIE L*a*b* as TIFF stores it (TIFF 6.0, section 23) to R, G, B of sRGB in [0, 1], adapted to its white by
/// Bradford's transform; what no screen shows is cut off. lab: 8UC3 or 16UC3, L* from 0 to 100 over the whole
/// range, a* and b* as signed numbers of which 1 or 256 is 1. white_xy: chromaticity of the white that L* of
/// 100 stands for.
[[nodiscard]] cv::Mat lab_to_rgb(const cv::Mat& lab, const std::array<float, 2>& white_xy);

}  // namespace stackae::data

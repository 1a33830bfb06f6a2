#pragma once

#include <opencv2/core.hpp>
#include <string>

namespace stackae::test {

struct EncodeKind {
    int quality = 95;          ///< of JPEG
    bool progressive = false;  ///< JPEG
    bool lossless = false;     ///< WebP
};

/// A picture file of the format that `ending` names: .png, .jpg, .bmp, .tiff, .webp, .ppm (or PGM). pixels:
/// gray, or in the order that OpenCV is used to, B, G, R (and alpha, PNG alone); 8 bits, PNG and TIFF
/// also 16.
[[nodiscard]] std::string encode(const std::string& ending, const cv::Mat& pixels,
                                 const EncodeKind& kind = {});

}  // namespace stackae::test

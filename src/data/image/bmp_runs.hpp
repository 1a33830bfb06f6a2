#pragma once

#include <opencv2/core.hpp>

#include "data/image/bmp_header.hpp"

namespace stackae::data {

/// A BMP's runs (RLE4, RLE8 or OS/2's RLE24) to palette indices (8UC1) or B, G, R (8UC3), rows in the order
/// in which they are stored. Runs are clipped at the row's end; pixels that the data skips are 0.
///
/// Skipping needs no data, so that a few bytes could claim any size. Runs describe at most 127.5 pixels a
/// byte: a picture of more than 65,536 + 128 × data's bytes pixels is refused as corrupt, before memory is
/// taken. So is one whose data end before its last row does without saying so.
[[nodiscard]] cv::Mat read_bmp_runs(ByteSpan data, const BmpHeader& header);

}  // namespace stackae::data

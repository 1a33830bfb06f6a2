#pragma once

#include <cstdint>

#include "stackae/model.hpp"

/// What running a model takes, by shapes alone.
namespace stackae::encoding {

inline constexpr double float_bytes = sizeof(float);

/// Floats that a thread holds to run a convolutional layer forward and, where asked, backward.
[[nodiscard]] double convolution_floats(const ConvolutionShape& shape, bool backward = false);

/// Floats of the weights that come out of training.
[[nodiscard]] double parameter_count(const ConvolutionShape& shape);

}  // namespace stackae::encoding

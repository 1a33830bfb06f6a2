#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stackae/model.hpp"

namespace stackae::cli {

/// `32x32x3 -> 14x14x256`: what a convolutional layer makes of its input, height x width x channels.
[[nodiscard]] std::string map_text(const ConvolutionShape& shape);

/// Sizes from the picture to the code: `784 -> 1000 -> 30`, or `32x32x3 -> 14x14x256 -> 512`.
[[nodiscard]] std::string stack_text(const Recipe& recipe, const std::vector<ConvolutionShape>& convolutions,
                                     const std::vector<std::int64_t>& units);
[[nodiscard]] std::string stack_text(const Model& model);
/// Of the stack that training is to make. Throws InvalidArgument where its layers do not fit one another.
[[nodiscard]] std::string stack_text(const Recipe& recipe, const TrainOptions& options);
/// Its layers, the code in closed form among them.
[[nodiscard]] int stack_depth(const TrainOptions& options);

}  // namespace stackae::cli

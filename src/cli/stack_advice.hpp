#pragma once

#include <string>
#include <vector>

#include "stackae/recipe.hpp"
#include "stackae/train_config.hpp"

namespace stackae::cli {

/// A line on each of copying_layers().
[[nodiscard]] std::vector<std::string> stack_advice(const Recipe& recipe, const TrainConfig& config);

}  // namespace stackae::cli

#pragma once

#include <string>
#include <vector>

#include "stackae/recipe.hpp"
#include "stackae/train_options.hpp"

namespace stackae::cli {

/// Lines on dense layers that can copy what they see instead of learning from it: more than twice as many
/// units as inputs, or a code that is no shorter than a picture, where neither corruption, moved pictures,
/// sparsity nor winner-take-all keeps them from it.
[[nodiscard]] std::vector<std::string> stack_advice(const Recipe& recipe, const TrainOptions& options);

}  // namespace stackae::cli

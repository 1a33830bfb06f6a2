#pragma once

#include <string>
#include <vector>

#include "stackae/train.hpp"
#include "stackae/train_config.hpp"

namespace stackae::cli {

/// A line for each of those options that changes nothing: what other options would have to be for it to, that
/// no layer has a use for it or, where no gradients are followed, that there are none.
[[nodiscard]] std::vector<std::string> unused_options(const std::vector<std::string>& options,
                                                      const TrainConfig& config, const TrainPlan& plan);

}  // namespace stackae::cli

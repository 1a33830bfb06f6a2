#pragma once

#include <string>
#include <vector>

#include "stackae/preprocessing.hpp"
#include "stackae/train.hpp"
#include "stackae/train_config.hpp"

namespace stackae::cli {

/// A line on each of copying_layers().
[[nodiscard]] std::vector<std::string> stack_advice(const Preprocessing& preprocessing,
                                                    const TrainConfig& config);
/// A line for each layer whose output will be smaller than what was asked for.
[[nodiscard]] std::vector<std::string> cut_layers(const Preprocessing& preprocessing,
                                                  const TrainConfig& config, const TrainPlan& plan);

}  // namespace stackae::cli

#pragma once

#include <string>
#include <vector>

#include "stackae/train_config.hpp"

namespace stackae::cli {

/// A line for each of those options that changes nothing: what other options would have to be for it to, or,
/// where no gradients are followed, that there are none.
[[nodiscard]] std::vector<std::string> unused_options(const std::vector<std::string>& options,
                                                      const TrainConfig& config, bool by_gradients);

}  // namespace stackae::cli

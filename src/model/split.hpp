#pragma once

#include <cstdint>
#include <vector>

#include "stackae/train_config.hpp"

namespace stackae {

/// Rows of the pictures that could be read, each in rising order.
struct Split {
    std::vector<std::int64_t> train;
    std::vector<std::int64_t> held_out;
};

/// How many of the pictures the configuration holds out: its share, at most 10,000.
[[nodiscard]] std::int64_t held_out(const TrainConfig& config, std::int64_t pictures);

/// Which: a function of its seed and share and of the number of pictures, so that what training never looked
/// at can be found again.
[[nodiscard]] Split split_pictures(const TrainConfig& config, std::int64_t pictures);

}  // namespace stackae

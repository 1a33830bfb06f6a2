#pragma once

#include <cstdint>
#include <span>
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
/// at can be found again. groups: of each picture, or none; groups are held out whole, in random order those
/// that do not take more than held_out(), else the smallest where it is no more than a half: fewer pictures
/// where groups are large.
[[nodiscard]] Split split_pictures(const TrainConfig& config, std::int64_t pictures,
                                   std::span<const std::int64_t> groups = {});

}  // namespace stackae

#pragma once

#include <cstdint>
#include <vector>

#include "stackae/train_config.hpp"
#include "stackae/train_options.hpp"

namespace stackae {

/// Rows of the pictures that could be read, each in rising order.
struct Split {
    std::vector<std::int64_t> train;
    std::vector<std::int64_t> held_out;
};

/// How many of the pictures are held out: the share asked for, at most 10,000.
[[nodiscard]] std::int64_t held_out(const TrainOptions& options, std::int64_t pictures);
[[nodiscard]] std::int64_t held_out(const TrainConfig& config, std::int64_t pictures);

/// Which: a function of the options' seed and share and of the number of pictures, so that what training
/// never looked at can be found again.
[[nodiscard]] Split split_pictures(const TrainOptions& options, std::int64_t pictures);
/// The same of a configuration.
[[nodiscard]] Split split_rows(const TrainConfig& config, std::int64_t pictures);

}  // namespace stackae

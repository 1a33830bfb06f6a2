#pragma once

#include <string>

#include "stackae/preprocessing.hpp"
#include "stackae/train_config.hpp"

/// What `train --save-config` writes.
namespace stackae::cli {

/// All that affects what is learnt, as lines that `--config` reads, each with what it is for; options of
/// gradients where some are followed.
[[nodiscard]] std::string config_file(const TrainConfig& config, bool gradients);
/// More of them: how pictures are prepared.
[[nodiscard]] std::string config_lines(const Preprocessing& preprocessing);

}  // namespace stackae::cli

#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace stackae {

/// One epoch of one stage of training, as it went. A value that was not measured is absent.
struct StageEpoch {
    std::string stage;                      ///< "layer 2, dense"; "fine-tuning"
    std::int64_t epoch = 0;                 ///< 1-based
    std::optional<double> train_loss;       ///< mean over the epoch, of corrupted inputs and with penalties
    std::optional<double> validation_loss;  ///< clean, without penalties
    std::optional<double> mean_loss;   ///< loss of predicting the mean input for every input of the same part
    std::optional<double> dead_units;  ///< share of the layer's units that give every picture the same value
    std::optional<double> learning_rate;  ///< at the epoch's end
};

}  // namespace stackae

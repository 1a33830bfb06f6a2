#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "stackae/shape.hpp"

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
    /// Where the stage learnt nothing: what went wrong, and what was done about it; else empty.
    std::string remark = {};
};

/// How far a stage has come. Epoch 0 of 0: what it learns from is being made.
struct StageProgress {
    std::int64_t epoch = 0;
    std::int64_t epochs = 0;
    std::int64_t done = 0;  ///< rows, within the epoch
    std::int64_t of = 0;
};

/// One stage of training, as the layer that it is for tells it.
struct StageInfo {
    std::string name;  ///< as in StageEpoch
    std::string type;  ///< of the layer: "dense"; empty for fine-tuning
    Shape input;       ///< of the layer; of fine-tuning, of the lowest layer that takes part
    Shape output;
    std::int64_t parameters = 0;
    std::int64_t epochs = 0;        ///< 0: there are none, as where a layer is solved in closed form
    double multiply_adds = 0.0;     ///< of all its work, about
    std::int64_t memory_bytes = 0;  ///< taken at most beside what is held of pictures and codes
};

}  // namespace stackae

#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "stackae/activation.hpp"
#include "stackae/train_config.hpp"

namespace stackae::layers {

/// What a layer will learn from, as far as it is known before anything is read.
struct PlanContext {
    const TrainConfig& config;
    std::string name;          ///< of the stage; messages begin with it
    std::uint32_t stage = 0;   ///< of random numbers, and of the layer from the bottom
    bool of_pictures = false;  ///< the input is the pictures as they are
    bool lowest = false;       ///< nothing below learns
    bool made_anew = false;    ///< the input is made whenever it is asked for, see LayerInput::hold()
    Activation suited_output = Activation::linear;  ///< of a decoder that rebuilds the input
    std::int64_t train = 0;                         ///< pictures that are learnt from
    std::int64_t validation = 0;                    ///< pictures that are held out
    std::int64_t at_hand = 0;      ///< of those learnt from, whose input a stage below has left
    std::int64_t patch_bytes = 0;  ///< of samples that are learnt from, at most
    int threads = 1;               ///< resolved
    double input_floats = 0.0;     ///< held while some rows of the input are made
    std::int64_t input_chunk = 1;  ///< rows of the input that are made at a time
    /// Values of all rows, those held out too, that are not 0: of a table its entries, also behind layers
    /// that keep zeros; else every one.
    double input_entries = 0.0;

    /// Whether the input's values lie in [0, 1].
    [[nodiscard]] bool unit_input() const { return suited_output == Activation::sigmoid; }
};

/// What a stage of training takes.
struct StageCost {
    /// What of its input it leaves for stages above.
    enum class Leaves { nothing, some_rows, all_rows };

    std::int64_t epochs = 0;      ///< 0: there are none
    double multiply_adds = 0.0;   ///< of its own work, as Layer::encoding_multiply_adds() counts
    double input_rows = 0.0;      ///< that the layers below make for it
    double stored_rows = 0.0;     ///< of its input, held at a time or in a file where memory is short
    double working_floats = 0.0;  ///< held at most beside those and the layers
    Leaves leaves = Leaves::nothing;
    bool keeps_state = false;  ///< without epochs: whether a checkpoint has what was found so far

    /// Of work after or before the other: floats held at one time, beside.
    void hold(double floats) { working_floats = std::max(working_floats, floats); }
};

}  // namespace stackae::layers

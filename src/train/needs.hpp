#pragma once

#include <cstdint>

#include "stackae/train.hpp"

namespace stackae::training {

/// What a training takes, by the shapes of its stack alone: nothing of it is made.
struct Needs {
    std::vector<TrainPlan::Phase> phases;  ///< without seconds
    std::int64_t parameters = 0;           ///< of the finished stack
    /// Of the phase that takes most: the layers below it, its weights, gradients, optimiser state and
    /// activations, patches and what is worked out from them. Has to be there.
    std::int64_t working_bytes = 0;
    /// Pictures and codes, which may be held or go to a file.
    std::int64_t held_bytes = 0;
    /// Of them the pictures, which come first.
    std::int64_t picture_bytes = 0;
};

/// pictures: to train on. The options are valid, and their memory is settled.
[[nodiscard]] Needs needs_of(std::int64_t pictures, const Recipe& recipe, const TrainOptions& options);

/// The options with TrainOptions::memory brought within half of the limit: what is learnt from depends on it.
[[nodiscard]] TrainOptions settle_memory(const TrainOptions& options);

/// What may be held of pictures and codes beside what is worked with. Throws InvalidArgument that names what
/// is needed and what is allowed where there is too little to work with.
[[nodiscard]] std::int64_t holdable_bytes(const Needs& needs, const TrainOptions& options);

}  // namespace stackae::training

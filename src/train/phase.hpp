#pragma once

#include <cstdint>
#include <vector>

#include "stackae/train.hpp"

#include "nn/gradient_loop.hpp"

namespace stackae::training {

struct PhaseResult {
    std::int64_t epochs = 0;  ///< that were finished
    bool stopped = false;     ///< by the observer
};

/// Runs a loop to its end, or until the observer stops it, and leaves the best weights in its parameters.
/// layer: as in EpochRecord. Throws Divergence.
PhaseResult run_phase(nn::GradientLoop& loop, int layer, TrainObserver& observer,
                      std::vector<EpochRecord>& history);

}  // namespace stackae::training

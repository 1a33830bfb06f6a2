#pragma once

#include <cstdint>

#include "stackae/tensor.hpp"
#include "stackae/train_options.hpp"

#include "nn/parameters.hpp"

namespace stackae::nn {

/// The learning rate's factor in [0, 1] at progress t in [0, 1) of a phase of `epochs` epochs; see Schedule.
[[nodiscard]] double schedule_factor(const TrainOptions& options, double t, std::int64_t epochs);

/// Applies gradients to parameters; keeps its moments. Clipping, decay and update are one pass over the
/// values, after one that measures the gradient where it is clipped.
class OptimizerState {
public:
    OptimizerState(const TrainOptions& options, std::int64_t size);

    /// rate: the learning rate of this very step.
    void update(Parameters& parameters, double rate);

private:
    TrainOptions options_;
    std::int64_t steps_ = 0;
    Tensor first_;   ///< velocity, or Adam's first moment
    Tensor second_;  ///< Adam's second moment
};

}  // namespace stackae::nn

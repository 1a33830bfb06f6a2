#pragma once

#include <cstdint>
#include <span>

#include "stackae/optimizer_config.hpp"
#include "stackae/tensor.hpp"

#include "nn/parameters.hpp"

namespace stackae::nn {

/// The learning rate's factor in [0, 1] at progress t in [0, 1) of a stage of `epochs` epochs; see
/// ScheduleKind.
[[nodiscard]] double schedule_factor(const ScheduleConfig& schedule, double t, std::int64_t epochs);

/// Applies gradients to parameters, and keeps what it remembers of earlier ones. Clipping, decay and update
/// are one pass over the values, after one that measures the gradient where it is clipped.
///
/// With g = scale · gradient, scale = min(1, clip_norm / ‖gradient‖), λ the weight decay, η the rate:
/// sgd (Polyak 1964; Nesterov's: Sutskever et al. 2013): g ← g + λ w; v ← momentum · v + g;
///   w ← w − η · (nesterov ? g + momentum · v : v).
/// adam, adamw: g ← g + λ w (adam alone); m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²;
///   w ← (1 − η λ) w (adamw alone) − η m̂ / (√v̂ + ε), m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ).
class Optimizer {
public:
    /// size: of the parameters.
    Optimizer(const OptimizerConfig& config, std::int64_t size);

    /// rate: the learning rate of this very step.
    void update(Parameters& parameters, double rate);
    /// The same of so many values, of which the first `decayed` are weights.
    void update(std::span<float> values, std::span<const float> gradients, std::int64_t decayed, double rate);

    /// What an optimiser needs to go on as if it had never stopped.
    struct State {
        std::int64_t steps = 0;  ///< t
        Tensor moments;          ///< 1 × size: sgd's v; 2 × size: Adam's m and v
    };
    [[nodiscard]] State& state() { return state_; }

private:
    OptimizerConfig config_;
    State state_;
};

}  // namespace stackae::nn

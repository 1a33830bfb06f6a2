#include "nn/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/parallel.hpp"
#include "base/vectorized.hpp"
#include "linalg/vector_ops.hpp"

namespace stackae::nn {
namespace {

constexpr std::int64_t grain = 4096;  // values; a multiple of a cache line
constexpr double one_cycle_start = 1.0 / 25.0;
constexpr double one_cycle_end = 1e-4;

double cosine_between(double from, double to, double t) {
    return to + (from - to) * (1.0 + std::cos(std::numbers::pi * t)) / 2.0;
}

/// v ← momentum · v + g; w ← w − rate · (nesterov ? g + momentum · v : v), g = scale · diff + decay · w.
struct SgdStep {
    float rate;
    float momentum;
    float decay;
    float scale;
    bool nesterov;
};

/// m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; w ← shrink · w − rate · m / (sqrt(v · correction) + ε),
/// g = scale · diff + decay · w.
struct AdamStep {
    float rate;        ///< η / (1 − β₁ᵗ)
    float correction;  ///< 1 / (1 − β₂ᵗ)
    float beta1;
    float beta2;
    float epsilon;
    float decay;   ///< L2 penalty
    float shrink;  ///< decoupled decay: 1 − η λ
    float scale;
};

STACKAE_VECTORIZED void sgd_range(SgdStep step, const float* __restrict diff, std::int64_t size,
                                  float* __restrict velocity, float* __restrict weights) {
    const float look_ahead = step.nesterov ? step.momentum : 1.0F;
    const float now = step.nesterov ? 1.0F : 0.0F;
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        const float g = step.scale * diff[i] + step.decay * weights[i];
        const float v = step.momentum * velocity[i] + g;
        velocity[i] = v;
        weights[i] -= step.rate * (now * g + look_ahead * v);
    }
}

STACKAE_VECTORIZED void adam_range(AdamStep step, const float* __restrict diff, std::int64_t size,
                                   float* __restrict m, float* __restrict v, float* __restrict weights) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        const float w = weights[i];
        const float g = step.scale * diff[i] + step.decay * w;
        const float first = step.beta1 * m[i] + (1.0F - step.beta1) * g;
        const float second = step.beta2 * v[i] + (1.0F - step.beta2) * g * g;
        m[i] = first;
        v[i] = second;
        weights[i] =
            step.shrink * w - step.rate * first / (std::sqrt(second * step.correction) + step.epsilon);
    }
}

}  // namespace

double schedule_factor(const ScheduleConfig& schedule, double t, std::int64_t epochs) {
    switch (schedule.kind) {
        case ScheduleKind::constant:
            return 1.0;
        case ScheduleKind::step: {
            // (k / E) · E may fall just below k.
            const double epoch = std::floor(t * static_cast<double>(epochs) + 1e-9);
            return std::pow(schedule.step_factor,
                            std::floor(epoch / static_cast<double>(schedule.step_epochs)));
        }
        case ScheduleKind::cosine:
            return cosine_between(1.0, 0.0, t);
        case ScheduleKind::one_cycle:
            return t < schedule.warmup
                       ? cosine_between(one_cycle_start, 1.0, t / schedule.warmup)
                       : cosine_between(1.0, one_cycle_end, (t - schedule.warmup) / (1.0 - schedule.warmup));
    }
    return 1.0;
}

Optimizer::Optimizer(const OptimizerConfig& config, std::int64_t size)
    : config_(config), state_{0, Tensor({config.kind == OptimizerKind::sgd ? 1 : 2, size})} {}

void Optimizer::update(Parameters& parameters, double rate) {
    update(parameters.values().values(), std::as_const(parameters.gradient()).values(), parameters.decayed(),
           rate);
}

void Optimizer::update(std::span<float> values, std::span<const float> gradients, std::int64_t decayed,
                       double rate) {
    ++state_.steps;
    const OptimizerConfig& o = config_;
    const std::int64_t size = std::ssize(values);
    double scale = 1.0;
    const float* gradient = gradients.data();
    if (o.clip_norm > 0.0) {
        const double norm = std::sqrt(linalg::squared_norm(gradient, size));
        scale = norm > o.clip_norm ? o.clip_norm / norm : 1.0;
    }
    float* weights = values.data();
    float* first = state_.moments.data();
    const auto update_range = [&](std::int64_t from, std::int64_t to, double decay) {
        if (o.kind == OptimizerKind::sgd) {
            const SgdStep step{static_cast<float>(rate), static_cast<float>(o.momentum),
                               static_cast<float>(decay), static_cast<float>(scale), o.nesterov};
            base::parallel_ranges(to - from, grain, [&](std::int64_t begin, std::int64_t end) {
                sgd_range(step, gradient + from + begin, end - begin, first + from + begin,
                          weights + from + begin);
            });
            return;
        }
        const bool decoupled = o.kind == OptimizerKind::adamw;
        const auto t = static_cast<double>(state_.steps);
        const AdamStep step{static_cast<float>(rate / (1.0 - std::pow(o.beta1, t))),
                            static_cast<float>(1.0 / (1.0 - std::pow(o.beta2, t))),
                            static_cast<float>(o.beta1),
                            static_cast<float>(o.beta2),
                            static_cast<float>(o.epsilon),
                            static_cast<float>(decoupled ? 0.0 : decay),
                            static_cast<float>(decoupled ? 1.0 - rate * decay : 1.0),
                            static_cast<float>(scale)};
        float* second = first + size;
        base::parallel_ranges(to - from, grain, [&](std::int64_t begin, std::int64_t end) {
            adam_range(step, gradient + from + begin, end - begin, first + from + begin,
                       second + from + begin, weights + from + begin);
        });
    };
    // Weights are decayed, the biases behind them are not.
    update_range(0, decayed, o.weight_decay);
    update_range(decayed, size, 0.0);
}

}  // namespace stackae::nn

#include "nn/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "linalg/vector_ops.hpp"
#include "nn/kernels.hpp"

namespace stackae::nn {
namespace {

constexpr double one_cycle_start = 1.0 / 25.0;
constexpr double one_cycle_end = 1e-4;

double cosine_between(double from, double to, double t) {
    return to + (from - to) * (1.0 + std::cos(std::numbers::pi * t)) / 2.0;
}

}  // namespace

double schedule_factor(const TrainOptions& options, double t, std::int64_t epochs) {
    switch (options.schedule) {
        case Schedule::constant:
            return 1.0;
        case Schedule::step: {
            // (k / E) · E may fall just below k.
            const double epoch = std::floor(t * static_cast<double>(epochs) + 1e-9);
            return std::pow(options.step_factor,
                            std::floor(epoch / static_cast<double>(options.step_epochs)));
        }
        case Schedule::cosine:
            return cosine_between(1.0, 0.0, t);
        case Schedule::one_cycle:
            return t < options.warmup
                       ? cosine_between(one_cycle_start, 1.0, t / options.warmup)
                       : cosine_between(1.0, one_cycle_end, (t - options.warmup) / (1.0 - options.warmup));
    }
    return 1.0;
}

OptimizerState::OptimizerState(const TrainOptions& options, std::int64_t size)
    : options_(options), first_({size}), second_({options.optimizer == Optimizer::sgd ? 0 : size}) {}

void OptimizerState::update(Parameters& parameters, double rate) {
    ++steps_;
    const TrainOptions& o = options_;
    double scale = 1.0;
    const float* gradient = parameters.gradient().data();
    if (o.clip_norm > 0.0) {
        const double norm = std::sqrt(linalg::squared_norm(gradient, parameters.size()));
        scale = norm > o.clip_norm ? o.clip_norm / norm : 1.0;
    }
    // Weights are decayed, the biases behind them are not.
    const auto update_range = [&](std::int64_t begin, std::int64_t end, double decay) {
        const std::int64_t size = end - begin;
        float* weights = parameters.values().data() + begin;
        if (o.optimizer == Optimizer::sgd) {
            const SgdStep step{static_cast<float>(rate), static_cast<float>(o.momentum),
                               static_cast<float>(decay), static_cast<float>(scale), o.nesterov};
            sgd_update(step, gradient + begin, size, first_.data() + begin, weights);
            return;
        }
        const bool decoupled = o.optimizer == Optimizer::adamw;
        const auto t = static_cast<double>(steps_);
        const AdamStep step{static_cast<float>(rate / (1.0 - std::pow(o.beta1, t))),
                            static_cast<float>(1.0 / (1.0 - std::pow(o.beta2, t))),
                            static_cast<float>(o.beta1),
                            static_cast<float>(o.beta2),
                            static_cast<float>(o.epsilon),
                            static_cast<float>(decoupled ? 0.0 : decay),
                            static_cast<float>(decoupled ? 1.0 - rate * decay : 1.0),
                            static_cast<float>(scale)};
        adam_update(step, gradient + begin, size, first_.data() + begin, second_.data() + begin, weights);
    };
    update_range(0, parameters.decayed(), o.weight_decay);
    update_range(parameters.decayed(), parameters.size(), 0.0);
}

}  // namespace stackae::nn

#pragma once

#include <cstdint>

#include "stackae/enum_names.hpp"

namespace stackae {

/// How gradients change weights. Has names.
enum class OptimizerKind {
    sgd,    ///< momentum, optionally Nesterov's; weight decay as an L2 penalty
    adam,   ///< Kingma & Ba 2015; weight decay as an L2 penalty
    adamw,  ///< Loshchilov & Hutter 2019; weight decay decoupled from the gradient
};

/// The learning rate over one stage of training, t in [0, 1] its progress. Has names.
enum class ScheduleKind {
    constant,
    step,       ///< multiplied by `step_factor` after every `step_epochs` epochs
    cosine,     ///< (1 + cos(π t)) / 2
    one_cycle,  ///< cosine from 1/25 up to 1 over the first `warmup`, then cosine down to 1e-4
};

struct OptimizerConfig {
    OptimizerKind kind = OptimizerKind::adam;
    double learning_rate = 1e-3;  ///< the schedule's factor is on top
    double momentum = 0.9;        ///< sgd only
    bool nesterov = false;        ///< sgd only
    double beta1 = 0.9;           ///< adam only
    double beta2 = 0.999;         ///< adam only
    double epsilon = 1e-8;        ///< adam only
    double weight_decay = 0.0;    ///< λ; weights only, never biases
    double clip_norm = 0.0;       ///< upper bound of the gradient's Euclidean norm; 0: none
};

struct ScheduleConfig {
    ScheduleKind kind = ScheduleKind::one_cycle;
    std::int64_t step_epochs = 10;  ///< step only
    double step_factor = 0.1;       ///< step only
    double warmup = 0.3;            ///< share of the stage, one_cycle only
};

}  // namespace stackae

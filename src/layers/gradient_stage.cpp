#include "layers/gradient_stage.hpp"

#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <type_traits>
#include <utility>

#include "stackae/error.hpp"

namespace stackae::layers {
namespace {

/// A value that is no number was not measured.
std::optional<double> measured(double value) {
    return std::isnan(value) ? std::nullopt : std::optional(value);
}

}  // namespace

nn::GradientLoopConfig loop_config(const TrainContext& context) {
    const TrainConfig& c = context.config;
    nn::GradientLoopConfig config;
    config.name = context.name;
    config.seed = c.seed;
    config.stream = context.stage;
    config.epochs = c.epochs;
    config.batch_size = c.batch_size;
    config.patience = c.patience;
    config.optimizer = {.kind = c.optimizer,
                        .learning_rate = c.learning_rate,
                        .momentum = c.momentum,
                        .nesterov = c.nesterov,
                        .beta1 = c.beta1,
                        .beta2 = c.beta2,
                        .epsilon = c.epsilon,
                        .weight_decay = c.weight_decay,
                        .clip_norm = c.clip_norm};
    config.schedule = {
        .kind = c.schedule, .step_epochs = c.step_epochs, .step_factor = c.step_factor, .warmup = c.warmup};
    return config;
}

LossKind suited_loss(std::optional<LossKind> asked, bool unit_target, Activation output, bool must) {
    const bool possible = unit_target && output == Activation::sigmoid;
    if (asked == LossKind::cross_entropy && must && !possible) {
        throw InvalidArgument(
            fmt::format("cross-entropy needs values in [0, 1] and a sigmoid output; found {} and a {} output",
                        unit_target ? "values in [0, 1]" : "values beyond", name(output)));
    }
    return possible ? asked.value_or(LossKind::cross_entropy) : LossKind::squared_error;
}

GradientStage::GradientStage(const TrainContext& context, nn::Parameters parameters,
                             const nn::TrainingRows& rows, nn::GradientLoopConfig config)
    : parameters_(std::move(parameters)),
      loop_(context.context, parameters_, rows, std::move(config), context.communicator) {}

bool GradientStage::step(TrainContext& context) {
    const bool more = loop_.step();
    const nn::EpochMetrics& metrics = loop_.metrics();
    if (metrics.epoch > reported_) {
        reported_ = metrics.epoch;
        context.on_epoch({.stage = {},
                          .epoch = metrics.epoch,
                          .train_loss = measured(metrics.train_loss),
                          .validation_loss = measured(metrics.validation_loss),
                          .mean_loss = measured(metrics.mean_loss),
                          .dead_units = measured(metrics.dead_units),
                          .learning_rate = measured(metrics.learning_rate)});
    }
    return more;
}

StageProgress GradientStage::progress() const {
    const nn::GradientLoop::Progress progress = loop_.progress();
    return {progress.epoch, progress.epochs, progress.done, progress.rows};
}

const nn::Parameters& GradientStage::best() {
    loop_.use_best();
    return parameters_;
}

void GradientStage::save_state(TrainerState& state) {
    state.tensors["parameters"] = parameters_.values();
    state.numbers["reported"] = reported_;
    loop_.state().visit([&](const char* key, auto& value) {
        using Value = std::remove_reference_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, Tensor>) {
            state.tensors[key] = value;
        } else {
            state.numbers[key] = std::bit_cast<std::int64_t>(value);
        }
    });
}

void GradientStage::load_state(const TrainerState& state) {
    parameters_.values() = state.tensors.at("parameters");
    reported_ = state.numbers.at("reported");
    loop_.state().visit([&](const char* key, auto& value) {
        using Value = std::remove_reference_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, Tensor>) {
            value = state.tensors.at(key);
        } else {
            value = std::bit_cast<Value>(state.numbers.at(key));
        }
    });
}

}  // namespace stackae::layers

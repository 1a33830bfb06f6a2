#include "layers/gradient_stage.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <set>
#include <type_traits>
#include <utility>

#include "stackae/error.hpp"

namespace stackae::layers {
namespace {

constexpr std::int64_t most_steps = std::int64_t{1} << 48;  ///< that a stage will ever take

/// A value that is no number was not measured.
std::optional<double> measured(double value) {
    return std::isnan(value) ? std::nullopt : std::optional(value);
}

}  // namespace

nn::GradientLoopConfig loop_config(const PlanContext& context) {
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

std::int64_t parameters_of(const std::vector<nn::LayerSpec>& specs) {
    return std::accumulate(specs.begin(), specs.end(), std::int64_t{0},
                           [](std::int64_t sum, const nn::LayerSpec& spec) {
                               return sum + spec.oc + (spec.tied_to < 0 ? spec.ic * spec.oc : 0);
                           });
}

StageCost gradient_cost(const std::vector<nn::LayerSpec>& specs, const nn::GradientLoopConfig& config,
                        std::int64_t train, std::int64_t validation, bool corrupts) {
    const auto real = [](std::int64_t value) { return static_cast<double>(value); };
    const auto parameters = real(parameters_of(specs));
    double weights = 0.0;
    double values = real(nn::held_values(config.loss) * specs.back().oc);
    double widest = 0.0;
    double tied = 0.0;
    for (std::size_t i = 0; i < specs.size(); ++i) {
        const nn::LayerSpec& spec = specs[i];
        const double products = real(spec.ic) * real(spec.oc);
        const bool preactivation = spec.activation == Activation::silu;
        const bool winners = i == config.sparsity.layer && config.sparsity.lifetime_sparsity > 0.0;
        values += real(spec.oc) * (2.0 + (preactivation ? 1.0 : 0.0) + (winners ? 1.0 : 0.0));
        weights += products;
        widest = std::max(widest, products);
        tied += spec.tied_to < 0 ? 0.0 : products;
    }
    StageCost cost;
    cost.epochs = config.epochs;
    // Forward, and backward by weights and by data, of which the lowest map needs none; then an update.
    constexpr double an_update = 120.0;  // of a value
    constexpr double a_value = 60.0;     // of an activation, its gradient and its share of the loss
    const double products = 3.0 * weights - real(specs.front().ic) * real(specs.front().oc);
    const double measured = validation > 0 ? real(validation) : real(std::min(train, nn::max_measured));
    const double updates = std::ceil(real(train) / real(config.batch_size));
    cost.multiply_adds = real(config.epochs) * (real(train) * (products + a_value * values) +
                                                updates * an_update * parameters) +
                         real(config.epochs + 1) * measured * weights;
    // Parameters, gradients, the best so far and moments; for each size of a batch a network's activations,
    // their gradients and what losses and penalties keep; a map in the layout that oneDNN likes.
    const double moments = config.optimizer.kind == OptimizerKind::sgd ? 1.0 : 2.0;
    double floats = (3.0 + moments) * parameters + 2.0 * widest;
    const std::int64_t batch = std::min(config.batch_size, train);
    std::set<std::int64_t> sizes{batch, train % config.batch_size, std::min(nn::measuring_batch, validation),
                                 validation % nn::measuring_batch};
    sizes.erase(0);
    for (const std::int64_t n : sizes) {
        floats += real(n) * values + tied;
    }
    cost.hold(floats +
              real(std::max(batch, nn::measuring_batch)) * real(specs.front().ic) * (corrupts ? 2.0 : 1.0));
    return cost;
}

StageCost held_gradient_cost(const std::vector<nn::LayerSpec>& specs, const nn::GradientLoopConfig& config,
                             const PlanContext& context, bool corrupts) {
    StageCost cost = gradient_cost(specs, config, context.train, context.validation, corrupts);
    if (context.made_anew) {
        cost.input_rows = static_cast<double>(config.epochs) * static_cast<double>(context.train);
        cost.hold(context.input_floats);
    } else if (!context.of_pictures) {
        cost.input_rows = cost.stored_rows = static_cast<double>(context.train + context.validation);
        cost.leaves = StageCost::Leaves::all_rows;
        cost.hold(context.input_floats);
    }
    return cost;
}

LossKind suited_loss(std::optional<LossKind> asked, const PlanContext& context, Activation output) {
    if (asked && of_observations(*asked)) {
        if (context.lowest && output != Activation::linear) {
            throw InvalidArgument(
                fmt::format("loss: {} needs a linear output; a {} one found", name(*asked), name(output)));
        }
        return context.lowest ? *asked : LossKind::squared_error;
    }
    const bool possible = context.unit_input() && output == Activation::sigmoid;
    if (asked == LossKind::cross_entropy && context.of_pictures && !possible) {
        throw InvalidArgument(
            fmt::format("cross-entropy needs values in [0, 1] and a sigmoid output; found {} and a {} output",
                        context.unit_input() ? "values in [0, 1]" : "values beyond", name(output)));
    }
    return possible ? asked.value_or(LossKind::cross_entropy) : LossKind::squared_error;
}

Activation suited_output(const PlanContext& context) {
    const std::optional<LossKind>& asked = context.config.loss;
    return context.lowest && asked && of_observations(*asked) ? Activation::linear : context.suited_output;
}

GradientStage::GradientStage(const TrainContext& context, const Start& start, const nn::TrainingRows& rows,
                             nn::GradientLoopConfig config)
    : backend_(context.context),
      communicator_(context.communicator),
      rows_(rows),
      config_(std::move(config)),
      tries_(context.plan()),
      parameters_(start(tries_.seed())) {
    begin();
}

void GradientStage::begin() {
    nn::GradientLoopConfig config = config_;
    config.seed = tries_.seed();
    config.optimizer.learning_rate = tries_.learning_rate(config_.optimizer.learning_rate);
    loop_.emplace(backend_, parameters_, rows_, std::move(config), communicator_);
    reported_ = 0;
}

bool GradientStage::step(TrainContext& context, const Start& start) {
    bool more = false;
    try {
        more = loop_->step();
    } catch (const Divergence& error) {
        const nn::GradientLoop::State& state = loop_->state();
        const StageEpoch epoch{.stage = {},
                               .epoch = loop_->progress().epoch,
                               .train_loss = {},
                               .validation_loss = {},
                               .mean_loss = measured(state.mean_loss),
                               .dead_units = {},
                               .learning_rate = measured(state.learning_rate),
                               .remark = {}};
        if (try_again(context, start, {.ran_away = true}, epoch)) {
            return true;
        }
        throw Divergence(error.what() + tries_.count());
    }
    const nn::EpochMetrics& metrics = loop_->metrics();
    if (metrics.epoch <= reported_) {
        return more;
    }
    reported_ = metrics.epoch;
    StageEpoch epoch{.stage = {},
                     .epoch = metrics.epoch,
                     .train_loss = measured(metrics.train_loss),
                     .validation_loss = measured(metrics.validation_loss),
                     .mean_loss = measured(metrics.mean_loss),
                     .dead_units = measured(metrics.dead_units),
                     .learning_rate = measured(metrics.learning_rate),
                     .remark = {}};
    if (!more) {
        if (loop_->rows_alike()) {
            epoch.remark = nothing_to_learn;
        } else if (const Outcome found = outcome(); found.is_nothing()) {
            if (try_again(context, start, found, epoch)) {
                return true;
            }
            epoch.remark = tries_.given_up(found);
        }
    }
    context.on_epoch(epoch);
    return more;
}

Outcome GradientStage::outcome() const {
    const nn::EpochMetrics& metrics = loop_->metrics();
    // A few rows held out may lie far from all others: then what is learnt from has to be no better either.
    const bool few = !rows_.validation.empty() && std::ssize(rows_.validation) < few_rows;
    return {.ran_away = false,
            .loss = few ? std::min(loop_->best_loss(), metrics.train_loss) : loop_->best_loss(),
            .loss_before = loop_->loss_before(),
            .loss_of_mean = metrics.mean_loss,
            .dead_units = metrics.dead_units};
}

bool GradientStage::try_again(TrainContext& context, const Start& start, const Outcome& outcome,
                              StageEpoch epoch) {
    if (!tries_.next(context, outcome, config_.optimizer.learning_rate, std::move(epoch))) {
        return false;
    }
    loop_.reset();
    parameters_ = start(tries_.seed());
    begin();
    return true;
}

StageProgress GradientStage::progress() const {
    const nn::GradientLoop::Progress progress = loop_->progress();
    return {progress.epoch, progress.epochs, progress.done, progress.rows};
}

const nn::Parameters& GradientStage::best() {
    loop_->use_best();
    return parameters_;
}

void GradientStage::save_state(TrainerState& state) {
    state.put("parameters", parameters_.values());
    state.numbers["reported"] = reported_;
    tries_.save_state(state);
    loop_->state().visit([&](const char* key, auto& value) {
        using Value = std::remove_reference_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, Tensor>) {
            state.put(key, value);
        } else {
            state.numbers[key] = std::bit_cast<std::int64_t>(value);
        }
    });
}

void GradientStage::load_state(const TrainerState& state) {
    tries_.load_state(state);
    begin();
    parameters_.values() = state.tensor("parameters", parameters_.values().shape());
    loop_->state().visit([&](const char* key, auto& value) {
        using Value = std::remove_reference_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, Tensor>) {
            if (!value.empty()) {
                value = state.tensor(key, value.shape());
            } else if (const Tensor* const found = state.find(key, parameters_.values().shape())) {
                value = *found;  // the best so far, where there is one
            }
        } else {
            value = std::bit_cast<Value>(state.number(key));
            if constexpr (std::is_same_v<Value, double>) {
                if (std::isnan(value) || (std::isinf(value) && &value != &loop_->state().best_loss)) {
                    throw InvalidArgument(fmt::format("{}: {} found, a finite number expected", key, value));
                }
            }
        }
    });
    const nn::GradientLoop::Progress most = loop_->progress();
    (void)state.number("epoch", 0, most.epochs + 1);
    (void)state.number("done", 0, most.rows);
    (void)state.number("optimizer_steps", 0, most_steps);
    (void)state.number("since_best", 0, most_steps);
    reported_ = state.number("reported", 0, most.epochs);
}

bool HeldGradientStage::step(TrainContext& context, const Start& initial,
                             const nn::GradientLoopConfig& config) {
    if (!stage_) {
        if (context.input.hold()) {
            holding_ = context.input.holding();
            return true;
        }
        stage_.emplace(context, initial,
                       nn::TrainingRows{context.input.held(), context.train, context.validation}, config);
        if (loaded_) {
            stage_->load_state(*loaded_);
            loaded_.reset();
        }
    }
    return stage_->step(context, initial);
}

void HeldGradientStage::save_state(TrainerState& state) {
    if (stage_) {
        stage_->save_state(state);
    } else if (loaded_) {
        state = *loaded_;
    }
}

}  // namespace stackae::layers

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "stackae/error.hpp"

#include "layers/autoencoder.hpp"
#include "layers/dense.hpp"
#include "layers/gradient_stage.hpp"
#include "layers/trainer.hpp"
#include "nn/inverse_activation.hpp"

namespace stackae::layers {
namespace {

/// Gives the decoder its activation. Returns how the layer is learnt, without what is done to its input.
/// Throws InvalidArgument where that cannot be.
nn::GradientLoopConfig resolve(Dense& layer, const PlanContext& context) {
    const TrainConfig& c = context.config;
    layer.output = layer.output.value_or(suited_output(context));
    const bool bounded = layer.output == Activation::sigmoid || layer.output == Activation::tanh;
    if (context.of_pictures && !context.unit_input() && layer.output == Activation::sigmoid) {
        throw InvalidArgument("a sigmoid output rebuilds pictures in [0, 1]; standardised pictures found");
    }
    if (!context.of_pictures && bounded && !context.unit_input() && layer.output != context.suited_output) {
        throw InvalidArgument(
            fmt::format("output: {} found, one of linear, relu, elu, silu expected: {} rebuilds codes that "
                        "may be above 1",
                        name(*layer.output), context.name));
    }
    if (c.sparsity_target > 0.0 && layer.activation != Activation::sigmoid) {
        throw InvalidArgument(
            fmt::format("sparsity_target: {} found, 0 expected, since the units of {} are {} and not sigmoid",
                        *c.sparsity_target, context.name, name(layer.activation)));
    }
    nn::GradientLoopConfig config = loop_config(context);
    config.epochs = layer.epochs.value_or(c.epochs);
    config.loss = suited_loss(c.loss, context, *layer.output);
    config.sparsity = {.layer = 0,
                       .target = c.sparsity_target,
                       .weight = c.sparsity_weight,
                       .lifetime_sparsity = c.lifetime_sparsity};
    return config;
}

double level_of(const Dense& layer, const TrainConfig& config) {
    return layer.corruption_level.value_or(config.corruption_level);
}

std::vector<nn::LayerSpec> maps_of(const Dense& layer) {
    const std::int64_t inputs = layer.input_shape().size();
    return {{inputs, layer.units, layer.activation, -1},
            {layer.units, inputs, *layer.output, layer.tied ? 0 : -1}};
}

/// Random weights, and the decoder's bias where it predicts the mean input with no code at all: training
/// starts at the loss of the mean and not above it.
nn::Parameters initial(const Dense& layer, LossKind loss, const TrainContext& context, std::uint64_t seed) {
    nn::Parameters parameters(maps_of(layer));
    for (const std::size_t part : {std::size_t{0}, std::size_t{1}}) {
        parameters.initialize(part, seed, context.stage);
    }
    const std::vector<double> mean = nn::best_constant(loss, context.input.held(), context.train);
    std::transform(mean.begin(), mean.end(), parameters.bias(1),
                   [&](double value) { return static_cast<float>(nn::inverse(*layer.output, value)); });
    return parameters;
}

class DenseTrainer : public LayerTrainer {
public:
    DenseTrainer(const Dense& layer, const TrainContext& context)
        : layer_(layer), must_keep_(context.stage == 0), config_(resolve(layer_, context.plan())) {
        config_.augment = context.augment;
        config_.corrupt = context.corruption ? context.corruption(level_of(layer_, context.config)) : nullptr;
    }

    bool step(TrainContext& context) override {
        return stage_.step(
            context, [&](std::uint64_t seed) { return initial(layer_, config_.loss, context, seed); },
            config_);
    }
    [[nodiscard]] StageProgress progress() const override { return stage_.progress(); }
    [[nodiscard]] std::shared_ptr<const Layer> finish() override {
        GradientStage* const stage = stage_.begun();
        if (stage == nullptr || (stage->epochs() == 0 && config_.epochs > 0 && !must_keep_)) {
            return nullptr;
        }
        return layer_.with_parameters(stage->best(), 0, 1);
    }
    void save_state(TrainerState& state) override { stage_.save_state(state); }
    void load_state(const TrainerState& state) override { stage_.load_state(state); }

private:
    Dense layer_;
    bool must_keep_;  ///< a model needs a layer, however little it learnt
    nn::GradientLoopConfig config_;
    HeldGradientStage stage_;
};

}  // namespace

StageCost Dense::plan(const PlanContext& context) {
    const nn::GradientLoopConfig config = resolve(*this, context);
    const bool corrupts =
        context.config.corruption != Corruption::none && level_of(*this, context.config) > 0.0;
    StageCost cost = held_gradient_cost(maps_of(*this), config, context, corrupts);
    cost.hold(context.input_floats);
    return cost;
}

std::unique_ptr<LayerTrainer> Dense::trainer(const TrainContext& context) const {
    return std::make_unique<DenseTrainer>(*this, context);
}

}  // namespace stackae::layers

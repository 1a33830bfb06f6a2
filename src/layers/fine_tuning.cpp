#include "layers/fine_tuning.hpp"

#include <algorithm>
#include <utility>

#include "layers/autoencoder.hpp"
#include "layers/axes_start.hpp"

namespace stackae::layers {
namespace {

/// All encoders, then all decoders from the top down.
std::vector<nn::LayerSpec> unrolled(const Layers& layers, const TrainConfig& config) {
    const std::size_t depth = layers.size();
    std::vector<nn::LayerSpec> specs(2 * depth);
    for (std::size_t i = 0; i < depth; ++i) {
        const auto autoencoder = layers[i]->autoencoder();
        specs[i] = autoencoder->encoder;
        nn::LayerSpec& decoder = specs[2 * depth - 1 - i];
        decoder = autoencoder->decoder;
        decoder.tied_to = decoder.tied_to >= 0 && !config.untie_in_fine_tuning ? static_cast<int>(i) : -1;
    }
    return specs;
}

nn::Parameters parameters_of(const Layers& layers, const TrainConfig& config) {
    nn::Parameters parameters(unrolled(layers, config));
    for (std::size_t i = 0; i < layers.size(); ++i) {
        layers[i]->autoencoder()->copy_to(parameters, i, 2 * layers.size() - 1 - i);
    }
    return parameters;
}

/// Without what is done to the pictures.
nn::GradientLoopConfig tuning_config(const Layers& layers, const PlanContext& context) {
    const TrainConfig& c = context.config;
    nn::GradientLoopConfig config = loop_config(context);
    config.epochs = c.fine_tune_epochs;
    const std::optional<double>& rate = c.fine_tune_learning_rate;
    config.optimizer.learning_rate = rate.value_or(c.learning_rate);
    const std::optional<LossKind>& asked = c.fine_tune_loss;
    config.loss =
        suited_loss(asked ? asked : *c.loss, context, layers.front()->autoencoder()->decoder.activation);
    config.code_layer = layers.size() - 1;
    config.keep_start = c.fine_tune_from_pca;
    if (c.fine_tune_from_pca) {
        check_axes_start(unrolled(layers, c), context.name);
    }
    return config;
}

}  // namespace

StageCost FineTuning::plan(const Layers& layers, const PlanContext& context) {
    const TrainConfig& c = context.config;
    StageCost cost =
        held_gradient_cost(unrolled(layers, c), tuning_config(layers, context), context,
                           c.corruption != Corruption::none && c.fine_tune_corruption_level > 0.0);
    if (c.fine_tune_from_pca) {
        const StageCost axes = cost_of_axes(context.train, layers.front()->input_shape().size(),
                                            layers.back()->output_shape().size());
        cost.multiply_adds += axes.multiply_adds;
        cost.hold(axes.working_floats);
    }
    return cost;
}

std::int64_t FineTuning::parameters(const Layers& layers, const TrainConfig& config) {
    return layers::parameters_of(unrolled(layers, config));
}

FineTuning::FineTuning(Layers layers, const TrainContext& context)
    : layers_(std::move(layers)), config_(tuning_config(layers_, context.plan())) {
    config_.augment = context.augment;
    config_.corrupt =
        context.corruption ? context.corruption(context.config.fine_tune_corruption_level) : nullptr;
}

nn::Parameters FineTuning::start(const TrainContext& context) const {
    nn::Parameters parameters = parameters_of(layers_, context.config);
    if (context.config.fine_tune_from_pca) {
        begin_with_axes(parameters, axes_of_rows(context, layers_.back()->output_shape().size()));
    }
    return parameters;
}

bool FineTuning::step(TrainContext& context) {
    return stage_.step(
        context, [&](std::uint64_t /*seed*/) { return start(context); }, config_);
}

Layers FineTuning::finish() {
    GradientStage* const stage = stage_.begun();
    if (stage == nullptr || stage->epochs() == 0) {
        return layers_;
    }
    const nn::Parameters& parameters = stage->best();
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        layers_[i] = layers_[i]->with_parameters(parameters, i, 2 * layers_.size() - 1 - i);
    }
    return layers_;
}

}  // namespace stackae::layers

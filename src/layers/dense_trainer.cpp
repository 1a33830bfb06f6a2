#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "stackae/error.hpp"

#include "layers/autoencoder.hpp"
#include "layers/dense.hpp"
#include "layers/gradient_stage.hpp"
#include "layers/trainer.hpp"
#include "nn/inverse_activation.hpp"

namespace stackae::layers {
namespace {

/// Random weights, and the decoder's bias where it predicts the mean input with no code at all: training
/// starts at the loss of the mean and not above it.
nn::Parameters initial(const Dense& layer, const TrainContext& context) {
    const std::int64_t inputs = layer.input_shape().size();
    nn::Parameters parameters({{inputs, layer.units, layer.activation, -1},
                               {layer.units, inputs, *layer.output, layer.tied ? 0 : -1}});
    for (const std::size_t part : {std::size_t{0}, std::size_t{1}}) {
        parameters.initialize(part, context.config.seed, context.stage);
    }
    const std::vector<double> mean = context.input.held().mean(context.train);
    std::transform(mean.begin(), mean.end(), parameters.bias(1),
                   [&](double value) { return static_cast<float>(nn::inverse(*layer.output, value)); });
    return parameters;
}

class DenseTrainer : public LayerTrainer {
public:
    DenseTrainer(const Dense& layer, const TrainContext& context)
        : layer_(layer), must_keep_(context.stage == 0), config_(loop_config(context)) {
        layer_.output = layer.output.value_or(context.suited_output);
        if (context.of_pictures && !context.unit_input() && layer_.output == Activation::sigmoid) {
            throw InvalidArgument(
                "a sigmoid output rebuilds pictures in [0, 1]; standardised pictures found");
        }
        const TrainConfig& c = context.config;
        if (c.sparsity_target > 0.0 && layer_.activation != Activation::sigmoid) {
            throw InvalidArgument(fmt::format(
                "sparsity_target: {} found, 0 expected, since the units of {} are {} and not sigmoid",
                *c.sparsity_target, context.name, name(layer_.activation)));
        }
        config_.epochs = layer.epochs.value_or(c.epochs);
        config_.loss = suited_loss(c.loss, context.unit_input(), *layer_.output, context.of_pictures);
        config_.sparsity = {.layer = 0,
                            .target = c.sparsity_target,
                            .weight = c.sparsity_weight,
                            .lifetime_sparsity = c.lifetime_sparsity};
        config_.augment = context.augment;
        const double level = layer.corruption_level.value_or(c.corruption_level);
        config_.corrupt = context.corruption ? context.corruption(level) : nullptr;
    }

    bool step(TrainContext& context) override {
        if (!stage_) {
            if (context.input.hold()) {
                holding_ = context.input.holding();
                return true;
            }
            stage_.emplace(context, initial(layer_, context),
                           nn::TrainingRows{context.input.held(), context.train, context.validation},
                           config_);
            if (loaded_) {
                stage_->load_state(*loaded_);
                loaded_.reset();
            }
        }
        return stage_->step(context);
    }
    [[nodiscard]] StageProgress progress() const override { return stage_ ? stage_->progress() : holding_; }
    [[nodiscard]] std::shared_ptr<const Layer> finish() override {
        if (!stage_ || (stage_->epochs() == 0 && config_.epochs > 0 && !must_keep_)) {
            return nullptr;
        }
        return layer_.with_parameters(stage_->best(), 0, 1);
    }
    void save_state(TrainerState& state) override {
        if (stage_) {
            stage_->save_state(state);
        }
    }
    void load_state(const TrainerState& state) override { loaded_ = state; }

private:
    Dense layer_;
    bool must_keep_;  ///< a model needs a layer, however little it learnt
    nn::GradientLoopConfig config_;
    StageProgress holding_;
    std::optional<GradientStage> stage_;
    std::optional<TrainerState> loaded_;
};

}  // namespace

std::unique_ptr<LayerTrainer> Dense::trainer(const TrainContext& context) const {
    return std::make_unique<DenseTrainer>(*this, context);
}

}  // namespace stackae::layers

#include "layers/fine_tuning.hpp"

#include <algorithm>
#include <utility>

#include "layers/autoencoder.hpp"

namespace stackae::layers {
namespace {

nn::Parameters unrolled(const std::vector<std::shared_ptr<const Layer>>& layers, bool tied) {
    const std::size_t depth = layers.size();
    std::vector<nn::LayerSpec> specs(2 * depth);
    for (std::size_t i = 0; i < depth; ++i) {
        const auto autoencoder = layers[i]->autoencoder();
        specs[i] = autoencoder->encoder;
        specs[2 * depth - 1 - i] = autoencoder->decoder;
        specs[2 * depth - 1 - i].tied_to =
            tied && autoencoder->decoder.tied_to >= 0 ? static_cast<int>(i) : -1;
    }
    nn::Parameters parameters(specs);
    for (std::size_t i = 0; i < depth; ++i) {
        layers[i]->autoencoder()->copy_to(parameters, i, 2 * depth - 1 - i);
    }
    return parameters;
}

}  // namespace

FineTuning::FineTuning(std::vector<std::shared_ptr<const Layer>> layers, const TrainContext& context)
    : layers_(std::move(layers)), config_(loop_config(context)), tied_(!context.config.untie_in_fine_tuning) {
    const TrainConfig& c = context.config;
    config_.epochs = c.fine_tune_epochs;
    const std::optional<double>& rate = c.fine_tune_learning_rate;
    config_.optimizer.learning_rate = rate.value_or(c.learning_rate);
    const std::optional<LossKind>& asked = c.fine_tune_loss;
    config_.loss = suited_loss(asked ? asked : *c.loss, context.unit_input(),
                               layers_.front()->autoencoder()->decoder.activation, context.of_pictures);
    config_.code_layer = layers_.size() - 1;
    config_.augment = context.augment;
}

bool FineTuning::step(TrainContext& context) {
    if (!stage_) {
        if (context.input.hold()) {
            holding_ = context.input.holding();
            return true;
        }
        stage_.emplace(context, unrolled(layers_, tied_),
                       nn::TrainingRows{context.input.held(), context.train, context.validation}, config_);
        if (loaded_) {
            stage_->load_state(*loaded_);
            loaded_.reset();
        }
    }
    return stage_->step(context);
}

StageProgress FineTuning::progress() const {
    return stage_ ? stage_->progress() : holding_;
}

std::vector<std::shared_ptr<const Layer>> FineTuning::finish() {
    if (!stage_ || stage_->epochs() == 0) {
        return layers_;
    }
    const nn::Parameters& parameters = stage_->best();
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        layers_[i] = layers_[i]->with_parameters(parameters, i, 2 * layers_.size() - 1 - i);
    }
    return layers_;
}

void FineTuning::save_state(TrainerState& state) {
    if (stage_) {
        stage_->save_state(state);
    }
}

}  // namespace stackae::layers

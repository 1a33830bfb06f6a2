#include "train/stack.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "stackae/error.hpp"
#include "stackae/train.hpp"

#include "nn/inverse_activation.hpp"
#include "train/augmentation.hpp"
#include "train/corruption.hpp"

namespace stackae::training {
namespace {

/// One value for all layers, or one a layer.
template <class Value>
Value at_layer(const std::vector<Value>& values, std::size_t layer) {
    return values.size() == 1 ? values.front() : values.at(layer);
}

void check_output_above_convolutions(const TrainOptions& options, Activation decoder) {
    if (!options.layers.empty() && (decoder == Activation::sigmoid || decoder == Activation::tanh)) {
        throw InvalidArgument(fmt::format(
            "output: {} found, one of linear, relu, elu, silu expected: it rebuilds the codes of a "
            "convolutional layer, which may be above 1",
            name(decoder)));
    }
}

/// Moves pictures; empty where nothing is moved, or rows are no pictures.
nn::RowsTransform augmentation_of(const TrainOptions& options, const Recipe& recipe, std::uint32_t stream) {
    if (options.augmentation == Augmentation{} || recipe.height == 1 || !options.convolutions.empty()) {
        return {};
    }
    return [augmentation = options.augmentation, recipe, seed = options.seed, stream](
               std::span<const std::int64_t> rows, std::uint32_t epoch, std::span<float> values) {
        augment(augmentation, recipe, {seed, stream, epoch}, rows, values.data());
    };
}

}  // namespace

Activation activation_of(const TrainOptions& options, std::size_t layer) {
    return at_layer(options.activations, layer);
}

Activation decoder_of(const TrainOptions& options, const Recipe& recipe, std::size_t layer) {
    if (layer > 0) {
        return activation_of(options, layer - 1);
    }
    if (!options.convolutions.empty()) {
        // Codes with a threshold are never negative; those that predict their context may be.
        return options.output.value_or(options.convolutions.back().context > 0 ? Activation::linear
                                                                               : Activation::relu);
    }
    return options.output.value_or(recipe.unit_range() ? Activation::sigmoid : Activation::linear);
}

LossKind loss_of(const TrainOptions& options, const Recipe& recipe, std::size_t layer) {
    const bool first = layer == 0 && options.convolutions.empty();
    const bool unit_target = first ? recipe.unit_range() : layer > 0;
    const bool possible = unit_target && decoder_of(options, recipe, layer) == Activation::sigmoid;
    const LossKind wanted = options.loss.value_or(LossKind::cross_entropy);
    if (options.loss == LossKind::cross_entropy && first && !possible) {
        throw InvalidArgument(fmt::format(
            "cross-entropy needs pictures in [0, 1] and a sigmoid output; found {} and a {} output",
            recipe.unit_range() ? "pictures in [0, 1]" : "standardised pictures",
            name(decoder_of(options, recipe, 0))));
    }
    return possible ? wanted : LossKind::squared_error;
}

void check_settings(const TrainOptions& options, const Recipe& recipe) {
    validate(recipe);
    validate(options);
    if (!options.convolutions.empty()) {
        (void)convolution_shapes(recipe, options);
        check_output_above_convolutions(options, decoder_of(options, recipe, 0));
    } else if (!recipe.unit_range() && decoder_of(options, recipe, 0) == Activation::sigmoid) {
        throw InvalidArgument("a sigmoid output rebuilds pictures in [0, 1]; standardised pictures found");
    }
    if (options.layers.empty()) {
        return;
    }
    for (std::size_t layer = 0; layer < options.layers.size(); ++layer) {
        (void)greedy_config(options, recipe, layer);
    }
    (void)fine_tuning_config(options, recipe);
}

std::vector<nn::LayerSpec> autoencoder(const TrainOptions& options, const Recipe& recipe, std::size_t layer) {
    const std::int64_t inputs = layer > 0 ? options.layers[layer - 1]
                                : options.convolutions.empty()
                                    ? recipe.size()
                                    : convolution_shapes(recipe, options).back().output_size();
    const std::int64_t units = options.layers[layer];
    return {{inputs, units, activation_of(options, layer), -1},
            {units, inputs, decoder_of(options, recipe, layer), options.tied ? 0 : -1}};
}

void initialize(nn::Parameters& autoencoder, const std::vector<double>& mean, std::uint64_t seed,
                std::size_t layer) {
    for (const std::size_t part : {std::size_t{0}, std::size_t{1}}) {
        autoencoder.initialize(part, seed, static_cast<std::uint32_t>(layer));
    }
    const Activation decoder = autoencoder.layers()[1].activation;
    std::transform(mean.begin(), mean.end(), autoencoder.bias(1),
                   [&](double value) { return static_cast<float>(nn::inverse(decoder, value)); });
}

nn::GradientLoopConfig loop_config(const TrainOptions& options, int layer) {
    nn::GradientLoopConfig config;
    config.name = layer == 0 ? "fine-tuning" : fmt::format("layer {}", layer);
    config.seed = options.seed;
    config.stream = static_cast<std::uint32_t>(layer);
    config.batch_size = options.batch_size;
    config.patience = options.patience;
    config.optimizer = {options.optimizer, options.learning_rate, options.momentum,
                        options.nesterov,  options.beta1,         options.beta2,
                        options.epsilon,   options.weight_decay,  options.clip_norm};
    config.schedule = {options.schedule, options.step_epochs, options.step_factor, options.warmup};
    return config;
}

nn::GradientLoopConfig greedy_config(const TrainOptions& options, const Recipe& recipe, std::size_t layer) {
    nn::GradientLoopConfig config =
        loop_config(options, static_cast<int>(options.convolutions.size() + layer) + 1);
    config.epochs = at_layer(options.epochs, layer);
    config.loss = loss_of(options, recipe, layer);
    const double level = at_layer(options.corruption_level, layer);
    if (options.corruption != Corruption::none && level > 0.0) {
        config.corrupt = [kind = options.corruption, level, seed = config.seed, stream = config.stream](
                             std::span<const std::int64_t> rows, std::uint32_t epoch,
                             std::span<float> values) {
            corrupt(kind, level, {seed, stream, epoch}, rows, std::ssize(values) / std::ssize(rows),
                    values.data());
        };
    }
    if (layer == 0) {
        config.augment = augmentation_of(options, recipe, config.stream);
    }
    config.sparsity = {0, options.sparsity_target, options.sparsity_weight, options.winner_share};
    return config;
}

std::vector<nn::LayerSpec> autoencoder(const DenseLayer& layer) {
    return {{layer.inputs(), layer.units(), layer.activation, -1},
            {layer.units(), layer.inputs(), layer.decoder, -1}};
}

std::vector<nn::LayerSpec> unrolled(const std::vector<std::vector<nn::LayerSpec>>& autoencoders, bool tied) {
    std::vector<nn::LayerSpec> specs;
    for (const auto& layer : autoencoders) {
        specs.push_back(layer.front());
    }
    for (std::size_t i = autoencoders.size(); i-- > 0;) {
        nn::LayerSpec decoder = autoencoders[i].back();
        decoder.tied_to = tied ? static_cast<int>(i) : -1;
        specs.push_back(decoder);
    }
    return specs;
}

nn::GradientLoopConfig fine_tuning_config(const TrainOptions& options, const Recipe& recipe) {
    nn::GradientLoopConfig config = loop_config(options, 0);
    config.epochs = options.fine_tune_epochs;
    config.optimizer.learning_rate = options.fine_tune_learning_rate.value_or(options.learning_rate);
    config.loss = loss_of(options, recipe, 0);
    if (options.fine_tune_loss) {
        TrainOptions asked = options;
        asked.loss = options.fine_tune_loss;
        config.loss = loss_of(asked, recipe, 0);
    }
    config.augment = augmentation_of(options, recipe, config.stream);
    config.code_layer = options.layers.size() - 1;
    return config;
}

DenseLayer to_layer(const nn::Parameters& parameters, std::size_t encoder, std::size_t decoder) {
    const nn::LayerSpec& f = parameters.layers()[encoder];
    const nn::LayerSpec& g = parameters.layers()[decoder];
    DenseLayer layer{f.activation, g.activation, Tensor({f.oc, f.ic}), Tensor({f.oc}), {}, Tensor({g.oc})};
    std::copy_n(parameters.weights(encoder), layer.weights.size(), layer.weights.data());
    std::copy_n(parameters.bias(encoder), layer.bias.size(), layer.bias.data());
    std::copy_n(parameters.bias(decoder), layer.decoder_bias.size(), layer.decoder_bias.data());
    if (g.tied_to < 0) {
        layer.decoder_weights = Tensor({g.oc, g.ic});
        std::copy_n(parameters.weights(decoder), layer.decoder_weights.size(), layer.decoder_weights.data());
    }
    return layer;
}

void from_layer(const DenseLayer& layer, nn::Parameters& parameters, std::size_t encoder,
                std::size_t decoder) {
    std::copy_n(layer.weights.data(), layer.weights.size(), parameters.weights(encoder));
    std::copy_n(layer.bias.data(), layer.bias.size(), parameters.bias(encoder));
    std::copy_n(layer.decoder_bias.data(), layer.decoder_bias.size(), parameters.bias(decoder));
    if (parameters.layers()[decoder].tied_to >= 0) {
        return;
    }
    float* weights = parameters.weights(decoder);
    if (!layer.tied()) {
        std::copy_n(layer.decoder_weights.data(), layer.decoder_weights.size(), weights);
        return;
    }
    for (std::int64_t i = 0; i < layer.inputs(); ++i) {
        for (std::int64_t j = 0; j < layer.units(); ++j) {
            weights[i * layer.units() + j] = layer.weights.data()[j * layer.inputs() + i];
        }
    }
}

}  // namespace stackae::training

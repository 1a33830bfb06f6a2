#pragma once

#include <algorithm>

#include "stackae/recipe.hpp"
#include "stackae/tensor.hpp"

#include "golden/naive_trainer.hpp"

/// The tiny run whose trace is kept in tiny_run.csv: 42 pictures of 3 × 4 through a stack of 6 and 3 units.
namespace golden {

inline stackae::Recipe recipe() {
    stackae::Recipe recipe;
    recipe.height = 3;
    recipe.width = 4;
    return recipe;
}

inline stackae::Tensor pictures() {
    return reference::uniform({42, 3, 4}, 0.0F, 1.0F, 77);
}

inline stackae::TrainOptions options() {
    stackae::TrainOptions options;
    options.layers = {6, 3};
    options.activations = {stackae::Activation::sigmoid, stackae::Activation::silu};
    options.epochs = {4};
    options.fine_tune_epochs = 4;
    options.batch_size = 16;  // 42 = 16 + 16 + 10
    options.learning_rate = 0.02;
    options.schedule = stackae::ScheduleKind::constant;
    options.validation = 0.0;
    options.seed = 3;
    return options;
}

inline Layer from_parameters(const stackae::nn::Parameters& parameters, std::size_t index) {
    const auto& spec = parameters.layers()[index];
    Layer layer{spec.activation, {}, Vector(parameters.bias(index), parameters.bias(index) + spec.oc)};
    for (std::int64_t o = 0; o < spec.oc; ++o) {
        const float* row = parameters.weights(index) + o * spec.ic;
        layer.weights.emplace_back(row, row + spec.ic);
    }
    return layer;
}

inline Rows encode(const Layer& layer, const Rows& rows) {
    Rows codes;
    for (const Vector& x : rows) {
        Vector h;
        for (std::size_t o = 0; o < layer.bias.size(); ++o) {
            h.push_back(reference::activate(
                layer.activation,
                std::inner_product(x.begin(), x.end(), layer.weights[o].begin(), layer.bias[o])));
        }
        codes.push_back(h);
    }
    return codes;
}

/// Training losses: four epochs of layer 1, four of layer 2, four of fine-tuning.
inline Vector naive_trace() {
    using stackae::Activation;
    const stackae::TrainOptions o = options();
    const stackae::Tensor tensor = pictures();
    Rows rows;
    for (std::int64_t i = 0; i < tensor.rows(); ++i) {
        rows.emplace_back(tensor.row(i).begin(), tensor.row(i).end());
    }
    Vector trace;
    std::vector<Layer> encoders;
    std::vector<Layer> decoders;
    Rows inputs = rows;
    for (std::size_t l = 0; l < 2; ++l) {
        const auto ic = static_cast<std::int64_t>(inputs.front().size());
        stackae::nn::Parameters parameters(
            {{ic, o.layers[l], o.activations[l], -1}, {o.layers[l], ic, Activation::sigmoid, -1}});
        parameters.initialize(0, o.seed, static_cast<std::uint32_t>(l));
        parameters.initialize(1, o.seed, static_cast<std::uint32_t>(l));
        Layer decoder = from_parameters(parameters, 1);
        for (std::size_t j = 0; j < inputs.front().size(); ++j) {
            double mean = 0.0;
            for (const Vector& x : inputs) {
                mean += x[j] / static_cast<double>(inputs.size());
            }
            decoder.bias[j] = std::log(mean / (1.0 - mean));
        }
        Chain chain({from_parameters(parameters, 0), decoder}, true);
        const Vector losses = run_phase(chain, inputs, o, static_cast<int>(l) + 1, o.epochs.front());
        trace.insert(trace.end(), losses.begin(), losses.end());
        encoders.push_back(chain.layers()[0]);
        decoders.push_back(chain.layers()[1]);
        inputs = encode(encoders.back(), inputs);
    }
    Chain unrolled({encoders[0], encoders[1], decoders[1], decoders[0]}, true);
    const Vector losses = run_phase(unrolled, rows, o, 0, o.fine_tune_epochs);
    trace.insert(trace.end(), losses.begin(), losses.end());
    return trace;
}

}  // namespace golden

#pragma once

#include <algorithm>
#include <array>

#include "stackae/preprocessing.hpp"
#include "stackae/tensor.hpp"

#include "golden/naive_trainer.hpp"

/// The tiny run whose trace is kept in tiny_run.csv: 42 pictures of 3 × 4 through a stack of 6 and 3 units.
namespace golden {

inline stackae::Preprocessing preprocessing() {
    stackae::Preprocessing preprocessing;
    preprocessing.height = 3;
    preprocessing.width = 4;
    return preprocessing;
}

inline stackae::Tensor pictures() {
    return reference::uniform({42, 3, 4}, 0.0F, 1.0F, 77);
}

inline stackae::TrainConfig config() {
    stackae::TrainConfig config;
    config.stack = stackae::parse_stack("dense:6:activation=sigmoid, dense:3:activation=silu");
    config.epochs = 4;
    config.fine_tune_epochs = 4;
    config.batch_size = 16;  // 42 = 16 + 16 + 10
    config.learning_rate = 0.02;
    config.schedule = stackae::ScheduleKind::constant;
    config.validation = 0.0;
    config.seed = 3;
    return config;
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
    const stackae::TrainConfig c = config();
    constexpr std::array<std::int64_t, 2> units{6, 3};
    constexpr std::array activations{Activation::sigmoid, Activation::silu};
    constexpr std::uint32_t fine_tuning = 1000;  // of random numbers
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
            {{ic, units[l], activations[l], -1}, {units[l], ic, Activation::sigmoid, -1}});
        parameters.initialize(0, c.seed, static_cast<std::uint32_t>(l));
        parameters.initialize(1, c.seed, static_cast<std::uint32_t>(l));
        Layer decoder = from_parameters(parameters, 1);
        for (std::size_t j = 0; j < inputs.front().size(); ++j) {
            double mean = 0.0;
            for (const Vector& x : inputs) {
                mean += x[j] / static_cast<double>(inputs.size());
            }
            decoder.bias[j] = std::log(mean / (1.0 - mean));
        }
        Chain chain({from_parameters(parameters, 0), decoder}, true);
        const Vector losses = run_stage(chain, inputs, c, static_cast<std::uint32_t>(l), c.epochs);
        trace.insert(trace.end(), losses.begin(), losses.end());
        encoders.push_back(chain.layers()[0]);
        decoders.push_back(chain.layers()[1]);
        inputs = encode(encoders.back(), inputs);
    }
    Chain unrolled({encoders[0], encoders[1], decoders[1], decoders[0]}, true);
    const Vector losses = run_stage(unrolled, rows, c, fine_tuning, c.fine_tune_epochs);
    trace.insert(trace.end(), losses.begin(), losses.end());
    return trace;
}

}  // namespace golden

#include "nn/parameters.hpp"

#include <cmath>
#include <numbers>
#include <utility>

#include "base/random.hpp"

namespace stackae::nn {
namespace {

/// Blocks begin at multiples of 64 bytes.
std::int64_t padded(std::int64_t size) {
    return (size + 15) / 16 * 16;
}

float gain_of(Activation activation) {
    switch (activation) {
        case Activation::sigmoid:
            return 4.0F;
        case Activation::relu:
        case Activation::elu:
        case Activation::silu:
            return std::numbers::sqrt2_v<float>;
        case Activation::linear:
        case Activation::tanh:
            break;
    }
    return 1.0F;
}

}  // namespace

Parameters::Parameters(std::vector<LayerSpec> layers)
    : layers_(std::move(layers)), weights_at_(layers_.size()), bias_at_(layers_.size()) {
    std::int64_t at = 0;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        const LayerSpec& layer = layers_[i];
        if (layer.tied_to >= 0) {
            weights_at_[i] = weights_at_[static_cast<std::size_t>(layer.tied_to)];
        } else {
            weights_at_[i] = std::exchange(at, at + padded(layer.ic * layer.oc));
        }
    }
    decayed_ = at;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        bias_at_[i] = std::exchange(at, at + padded(layers_[i].oc));
    }
    values_ = Tensor({at});
    gradient_ = Tensor({at});
}

void Parameters::initialize(std::size_t layer, std::uint64_t seed, std::uint32_t stream) {
    const LayerSpec& spec = layers_[layer];
    if (spec.tied_to >= 0) {
        return;
    }
    const float bound = gain_of(spec.activation) * std::sqrt(6.0F / static_cast<float>(spec.ic + spec.oc));
    const base::Random random(seed, base::RandomStream::weights, stream, static_cast<std::uint32_t>(layer));
    float* values = weights(layer);
    const std::int64_t size = spec.ic * spec.oc;
    for (std::int64_t i = 0; i < size; i += 4) {
        const auto bits = random.block(static_cast<std::uint32_t>(i / 4));
        for (std::int64_t j = i; j < std::min(i + 4, size); ++j) {
            values[j] = bound * (2.0F * base::Random::uniform(bits[static_cast<std::size_t>(j - i)]) - 1.0F);
        }
    }
}

}  // namespace stackae::nn

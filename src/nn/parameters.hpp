#pragma once

#include <cstdint>
#include <vector>

#include "stackae/activation.hpp"
#include "stackae/tensor.hpp"

namespace stackae::nn {

/// One affine map of a network, and how it is activated.
struct LayerSpec {
    std::int64_t ic = 0;
    std::int64_t oc = 0;
    Activation activation = Activation::linear;
    /// Index of an earlier layer whose weights, transposed, are this one's (a tied decoder); −1: its own.
    int tied_to = -1;
};

/// Weights (oc × ic, row-major) and biases (oc) of a network in one buffer, their gradients in another of the
/// same layout, so that an optimiser is one pass over both. Weights come first; [0, decayed()) are weights.
class Parameters {
public:
    explicit Parameters(std::vector<LayerSpec> layers);

    [[nodiscard]] const std::vector<LayerSpec>& layers() const { return layers_; }
    /// Number of values, with the padding between blocks.
    [[nodiscard]] std::int64_t size() const { return values_.size(); }
    [[nodiscard]] std::int64_t decayed() const { return decayed_; }

    /// A tied layer's weights are the ones it is tied to.
    [[nodiscard]] float* weights(std::size_t layer) { return values_.data() + weights_at_[layer]; }
    [[nodiscard]] const float* weights(std::size_t layer) const {
        return values_.data() + weights_at_[layer];
    }
    [[nodiscard]] float* bias(std::size_t layer) { return values_.data() + bias_at_[layer]; }
    [[nodiscard]] const float* bias(std::size_t layer) const { return values_.data() + bias_at_[layer]; }
    [[nodiscard]] float* diff_weights(std::size_t layer) { return gradient_.data() + weights_at_[layer]; }
    [[nodiscard]] float* diff_bias(std::size_t layer) { return gradient_.data() + bias_at_[layer]; }

    [[nodiscard]] Tensor& values() { return values_; }
    [[nodiscard]] const Tensor& values() const { return values_; }
    [[nodiscard]] Tensor& gradient() { return gradient_; }

    /// Uniform in ±gain · sqrt(6 / (ic + oc)) (Glorot & Bengio 2010; gain 4 for sigmoid, √2 for relu, elu,
    /// silu: He et al. 2015), biases 0. A tied layer keeps what it is tied to. `stream` tells layers trained
    /// apart from one another.
    void initialize(std::size_t layer, std::uint64_t seed, std::uint32_t stream);

private:
    std::vector<LayerSpec> layers_;
    std::vector<std::int64_t> weights_at_;
    std::vector<std::int64_t> bias_at_;
    std::int64_t decayed_ = 0;
    Tensor values_;
    Tensor gradient_;
};

}  // namespace stackae::nn

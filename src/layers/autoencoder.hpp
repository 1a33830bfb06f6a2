#pragma once

#include <cstddef>
#include <memory>

#include "stackae/layer.hpp"
#include "stackae/tensor.hpp"

#include "nn/parameters.hpp"

namespace stackae::layers {

/// A layer as the two affine maps of a dense autoencoder, h = f(W x + b) and x̂ = g(V h + c), which gradients
/// can be followed through. The tensors are the layer's.
struct Autoencoder {
    nn::LayerSpec encoder;
    nn::LayerSpec decoder;  ///< tied_to: 0 where V = Wᵀ
    const Tensor& weights;
    const Tensor& bias;
    const Tensor& decoder_weights;  ///< empty where it is tied
    const Tensor& decoder_bias;

    /// Copies its values there; of a decoder that is tied here and not there, Wᵀ.
    void copy_to(nn::Parameters& parameters, std::size_t encoder_at, std::size_t decoder_at) const;
};

}  // namespace stackae::layers

#include "layers/autoencoder.hpp"

#include <algorithm>

namespace stackae::layers {

void Autoencoder::copy_to(nn::Parameters& parameters, std::size_t encoder_at, std::size_t decoder_at) const {
    std::copy_n(weights.data(), weights.size(), parameters.weights(encoder_at));
    std::copy_n(bias.data(), bias.size(), parameters.bias(encoder_at));
    std::copy_n(decoder_bias.data(), decoder_bias.size(), parameters.bias(decoder_at));
    if (parameters.layers()[decoder_at].tied_to >= 0) {
        return;
    }
    float* to = parameters.weights(decoder_at);
    if (!decoder_weights.empty()) {
        std::copy_n(decoder_weights.data(), decoder_weights.size(), to);
        return;
    }
    for (std::int64_t i = 0; i < encoder.ic; ++i) {
        for (std::int64_t j = 0; j < encoder.oc; ++j) {
            to[i * encoder.oc + j] = weights.data()[j * encoder.ic + i];
        }
    }
}

}  // namespace stackae::layers

#include "stackae/model.hpp"

#include <bit>
#include <fmt/format.h>

#include "stackae/error.hpp"

#include "core/hash.hpp"

namespace stackae {

std::int64_t Model::code_size(int layer) const {
    const auto count = static_cast<int>(layers.size());
    if (layer < 0 || layer > count || count == 0) {
        throw InvalidArgument(
            fmt::format("layer: {} found, 0 to {} expected: the model has {} layers", layer, count, count));
    }
    return layers[static_cast<std::size_t>(layer == 0 ? count - 1 : layer - 1)].units();
}

std::int64_t Model::parameters() const {
    std::int64_t count = 0;
    for (const DenseLayer& layer : layers) {
        count += layer.weights.size() + layer.bias.size() + layer.decoder_weights.size() +
                 layer.decoder_bias.size();
    }
    return count;
}

std::string Model::identity() const {
    core::Hash hash;
    for (const std::int64_t value : {recipe.channels, recipe.height, recipe.width}) {
        hash.add(value);
    }
    hash.add(std::string_view(name(recipe.resize)));
    hash.add(std::int64_t{std::bit_cast<std::int32_t>(recipe.background)});
    hash.add(std::int64_t{recipe.contrast});
    hash.add(std::int64_t{std::bit_cast<std::int32_t>(recipe.contrast_epsilon)});
    for (const std::vector<float>* values : {&recipe.mean, &recipe.deviation}) {
        hash.add(static_cast<std::int64_t>(values->size()));
        hash.add(std::span<const float>(*values));
    }
    for (const DenseLayer& layer : layers) {
        hash.add(std::string_view(name(layer.activation)));
        hash.add(std::string_view(name(layer.decoder)));
        for (const Tensor* tensor :
             {&layer.weights, &layer.bias, &layer.decoder_weights, &layer.decoder_bias}) {
            hash.add(std::span<const std::int64_t>(tensor->shape()));
            hash.add(tensor->values());
        }
    }
    return hash.hex();
}

}  // namespace stackae

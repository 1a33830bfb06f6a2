#include "stackae/model.hpp"

#include <array>
#include <bit>
#include <fmt/format.h>

#include "stackae/error.hpp"

#include "base/hash.hpp"

namespace stackae {
namespace {

std::array<const Tensor*, 7> tensors_of(const ConvolutionLayer& layer) {
    return {&layer.whitening,       &layer.patch_mean,   &layer.weights, &layer.bias,
            &layer.decoder_weights, &layer.decoder_bias, &layer.offset};
}

}  // namespace

std::int64_t Model::code_size(int layer) const {
    const int count = depth();
    if (layer < 0 || layer > count || (layer == 0 && code_layer() == 0)) {
        throw InvalidArgument(
            fmt::format("layer: {} found, 0 to {} expected: the model has {} layers", layer, count, count));
    }
    if (radial && layer == count) {
        return radial->units();
    }
    const auto index = static_cast<std::size_t>((layer == 0 ? code_layer() : layer) - 1);
    return index < convolutions.size() ? convolutions[index].outputs()
                                       : layers[index - convolutions.size()].units();
}

std::int64_t Model::dense_inputs() const {
    return convolutions.empty() ? recipe.size() : convolutions.back().outputs();
}

std::int64_t Model::parameters() const {
    std::int64_t count = 0;
    for (const ConvolutionLayer& layer : convolutions) {
        for (const Tensor* tensor : tensors_of(layer)) {
            count += tensor->size();
        }
    }
    for (const DenseLayer& layer : layers) {
        count += layer.weights.size() + layer.bias.size() + layer.decoder_weights.size() +
                 layer.decoder_bias.size();
    }
    if (radial) {
        count += radial->scale.size() + radial->centres.size() + radial->mixing.size();
    }
    return count + picture_weights.size() + picture_bias.size();
}

std::string Model::identity() const {
    base::Hash hash;
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
    for (const ConvolutionLayer& layer : convolutions) {
        const ConvolutionShape& s = layer.shape;
        for (const std::int64_t value :
             {s.channels, s.height, s.width, s.kernel, s.whitened, s.units, std::int64_t{s.contrast},
              std::int64_t{s.two_sided}, std::int64_t{s.unit_length}, s.pool_size, s.pool_stride, s.grid}) {
            hash.add(value);
        }
        if (s.root) {  // models made before there was one keep their identity
            hash.add(std::string_view("root"));
        }
        hash.add(std::string_view(name(s.pooling)));
        hash.add(std::int64_t{std::bit_cast<std::int32_t>(s.contrast_epsilon)});
        hash.add(std::int64_t{std::bit_cast<std::int32_t>(layer.gain)});
        for (const Tensor* tensor : tensors_of(layer)) {
            hash.add(tensor->values());
        }
    }
    if (!convolutions.empty() || l2_normalize) {
        hash.add(std::int64_t{l2_normalize});
    }
    for (const DenseLayer& layer : layers) {
        hash.add(std::string_view(name(layer.activation)));
        hash.add(std::string_view(name(layer.decoder)));
        for (const Tensor* tensor :
             {&layer.weights, &layer.bias, &layer.decoder_weights, &layer.decoder_bias}) {
            hash.add(std::span<const std::int64_t>(tensor->shape()));
            hash.add(tensor->values());
        }
        if (layer.of_roots) {  // models made before there was one keep their identity
            hash.add(std::string_view("of_roots"));
        }
    }
    if (radial) {
        hash.add(std::string_view("radial"));
        hash.add(std::int64_t{std::bit_cast<std::int32_t>(radial->gamma)});
        hash.add(std::int64_t{std::bit_cast<std::int32_t>(radial->length)});
        for (const Tensor* tensor : {&radial->scale, &radial->centres, &radial->mixing}) {
            hash.add(std::span<const std::int64_t>(tensor->shape()));
            hash.add(tensor->values());
        }
    }
    hash.add(picture_weights.values());  // nothing where there is none
    hash.add(picture_bias.values());
    return hash.hex();
}

}  // namespace stackae

#pragma once

#include <cstddef>
#include <cstdint>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "stackae/model.hpp"

/// What a model must be like to be written, and to be used once it was read.
namespace stackae {

inline constexpr std::size_t max_layers = 64;
/// Values that a dense layer or radial units see or give: a picture's code takes 256 MiB at most.
inline constexpr std::int64_t max_extent = std::int64_t{1} << 26;

[[nodiscard]] std::string tensor_name(std::size_t layer, const char* what);

/// Each tensor of a layer with its name and shape: the one list that checking, writing and reading share.
template <class Layer, class Visitor>
void each_tensor(Layer& layer, std::size_t i, const Visitor& visit) {
    const ConvolutionShape& s = layer.shape;
    const auto named = [&](const char* what) { return fmt::format("convolutions.{}.{}", i + 1, what); };
    using Shape = std::vector<std::int64_t>;
    visit(named("whitening"), layer.whitening, Shape{s.whitened, s.patch_size()});
    visit(named("patch_mean"), layer.patch_mean, Shape{s.patch_size()});
    visit(named("weights"), layer.weights, Shape{s.units, s.whitened});
    visit(named("bias"), layer.bias, Shape{s.units});
    visit(named("decoder_weights"), layer.decoder_weights, Shape{s.whitened, s.units});
    visit(named("decoder_bias"), layer.decoder_bias, Shape{s.whitened});
    visit(named("offset"), layer.offset, Shape{s.input_size()});
}

/// Everything that using the model relies on. Throws InvalidArgument.
void check_model(const Model& model);
/// The part of it that is read last, since its shape is that of layers which fit one another.
void check_picture_decoder(const Model& model);

}  // namespace stackae

#include "model/model_check.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/ranges.h>

#include "stackae/error.hpp"

#include "base/rows.hpp"

namespace stackae {
namespace {

void check_tensor(const std::string& name, const Tensor& tensor, const std::vector<std::int64_t>& shape) {
    if (tensor.shape() != shape) {
        throw InvalidArgument(fmt::format("{}: shape [{}] found, [{}] expected", name,
                                          fmt::join(tensor.shape(), ", "), fmt::join(shape, ", ")));
    }
    if (!base::all_finite(tensor.values())) {
        throw InvalidArgument(fmt::format("{}: a value that is not a finite number found", name));
    }
}

void check_layer(const DenseLayer& layer, std::size_t i, std::int64_t inputs) {
    const std::int64_t units = layer.units();
    if (layer.weights.shape().size() != 2 || units < 1 || units > max_extent) {
        throw InvalidArgument(fmt::format("{}: shape [{}] found, units × {} expected",
                                          tensor_name(i, "weights"), fmt::join(layer.weights.shape(), ", "),
                                          inputs));
    }
    check_tensor(tensor_name(i, "weights"), layer.weights, {units, inputs});
    check_tensor(tensor_name(i, "bias"), layer.bias, {units});
    check_tensor(tensor_name(i, "decoder_bias"), layer.decoder_bias, {inputs});
    if (!layer.tied()) {
        check_tensor(tensor_name(i, "decoder_weights"), layer.decoder_weights, {inputs, units});
    }
}

/// Throws InvalidArgument where a layer does not fit a map of that shape, or its tensors do not fit it.
void check_convolution(const ConvolutionLayer& layer, std::size_t i, const std::array<std::int64_t, 3>& map) {
    const ConvolutionShape& s = layer.shape;
    validate(s);
    if (std::array{s.height, s.width, s.channels} != map) {
        throw InvalidArgument(fmt::format("convolutions.{}: maps of [{}, {}, {}] found, [{}] expected", i + 1,
                                          s.height, s.width, s.channels, fmt::join(map, ", ")));
    }
    if (!std::isfinite(layer.gain)) {
        throw InvalidArgument(
            fmt::format("convolutions.{}.gain: a value that is not a finite number found", i + 1));
    }
    each_tensor(layer, i,
                [](const std::string& name, const Tensor& tensor, const std::vector<std::int64_t>& shape) {
                    check_tensor(name, tensor, shape);
                });
}

void check_positive(const char* name, double value) {
    if (!(value > 0.0 && std::isfinite(value))) {
        throw InvalidArgument(fmt::format("{}: {} found, a number above 0 expected", name, value));
    }
}

void check_radial(const RadialLayer& radial, std::int64_t inputs) {
    const std::int64_t units = radial.centres.shape().size() == 2 ? radial.units() : 0;
    const std::int64_t block = radial.mixing.shape().size() == 2 ? radial.block() : 0;
    if (units < 1 || block < 1 || block > units) {
        throw InvalidArgument(fmt::format(
            "radial: centres [{}] and mixing [{}] found, units × {} and units × "
            "block expected, 1 to units a block",
            fmt::join(radial.centres.shape(), ", "), fmt::join(radial.mixing.shape(), ", "), inputs));
    }
    check_tensor("radial.scale", radial.scale, {inputs});
    check_tensor("radial.centres", radial.centres, {units, inputs});
    check_tensor("radial.mixing", radial.mixing, {units, block});
    for (std::int64_t i = 0; i < units; ++i) {
        const double length = std::sqrt(base::squared_norm(radial.centres.row(i)));
        if (length > 1.001) {
            throw InvalidArgument(
                fmt::format("radial.centres: row {} of length {} found, 1 at most expected", i + 1, length));
        }
    }
    for (const float value : radial.scale.values()) {
        check_positive("radial.scale", double{value});
    }
    check_positive("radial.gamma", double{radial.gamma});
    check_positive("radial.length", double{radial.length});
}

}  // namespace

std::string tensor_name(std::size_t layer, const char* what) {
    return fmt::format("layers.{}.{}", layer + 1, what);
}

void check_picture_decoder(const Model& model) {
    if (!model.picture_weights.empty() || !model.picture_bias.empty()) {
        check_tensor("picture.weights", model.picture_weights, {model.recipe.size(), model.code_size()});
        check_tensor("picture.bias", model.picture_bias, {model.recipe.size()});
    }
}

void check_model(const Model& model) {
    validate(model.recipe);
    for (const auto& [name, values] : {std::pair("recipe.mean", &model.recipe.mean),
                                       std::pair("recipe.deviation", &model.recipe.deviation)}) {
        if (!base::all_finite(*values)) {
            throw InvalidArgument(fmt::format("{}: a value that is not a finite number found", name));
        }
    }
    const auto depth = static_cast<std::size_t>(model.code_layer());
    if (depth == 0 || depth > max_layers) {
        throw InvalidArgument(fmt::format("layers: {} found, 1 to {} expected", depth, max_layers));
    }
    std::array<std::int64_t, 3> map{model.recipe.height, model.recipe.width, model.recipe.channels};
    for (std::size_t i = 0; i < model.convolutions.size(); ++i) {
        const ConvolutionShape& s = model.convolutions[i].shape;
        check_convolution(model.convolutions[i], i, map);
        map = {s.cells_down(), s.cells_across(), s.code_channels()};
    }
    std::int64_t inputs = model.dense_inputs();
    const bool positive = !model.convolutions.empty() && !model.convolutions.back().shape.unit_length;
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        check_layer(model.layers[i], i, inputs);
        if (model.layers[i].of_roots && (i > 0 || !positive)) {
            throw InvalidArgument(fmt::format(
                "layers.{}: of_roots found, expected only right above a convolutional layer whose codes are "
                "0 or more",
                i + 1));
        }
        inputs = model.layers[i].units();
    }
    if (model.radial) {
        check_radial(*model.radial, model.code_size());
    }
    check_picture_decoder(model);
    if (!model.options.convolutions.empty() || !model.options.layers.empty() ||
        !model.options.activations.empty()) {
        validate(model.options);
    }
    const auto& accuracies = model.layer_accuracies;
    int below = 0;
    for (const LayerAccuracy& accuracy : accuracies) {
        if (accuracy.layer <= below || accuracy.layer > model.depth()) {
            throw InvalidArgument(fmt::format("layer_accuracies: layer {} found, {} to {} expected",
                                              accuracy.layer, below + 1, model.depth()));
        }
        below = accuracy.layer;
    }
    if (model.pictures < 0) {
        throw InvalidArgument(fmt::format("pictures: {} found, 0 or more expected", model.pictures));
    }
}

}  // namespace stackae

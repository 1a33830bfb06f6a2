#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <span>
#include <string>

#include "stackae/error.hpp"
#include "stackae/model.hpp"

#include "core/json.hpp"
#include "core/rows.hpp"
#include "core/safetensors.hpp"
#include "model/json.hpp"
#include "model/json_reader.hpp"

namespace stackae {
namespace {

constexpr const char* kind = "model";
constexpr int version = 3;
/// Without radial units, which readers of version 2 would leave out.
constexpr int roots_version = 2;
/// Without codes of roots either, which readers of version 1 would take for plain ones.
constexpr int plain_version = 1;
constexpr std::size_t max_layers = 64;
constexpr std::int64_t max_extent = std::int64_t{1} << 31;
/// model → layers or history → one of them → a value.
constexpr std::size_t max_depth = 6;

std::string tensor_name(std::size_t layer, const char* what) {
    return fmt::format("layers.{}.{}", layer + 1, what);
}

bool all_finite(std::span<const float> values) {
    return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

void check_tensor(const std::string& name, const Tensor& tensor, const std::vector<std::int64_t>& shape) {
    if (tensor.shape() != shape) {
        throw InvalidArgument(fmt::format("{}: shape [{}] found, [{}] expected", name,
                                          fmt::join(tensor.shape(), ", "), fmt::join(shape, ", ")));
    }
    if (!all_finite(tensor.values())) {
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

void check_picture_decoder(const Model& model) {
    if (!model.picture_weights.empty() || !model.picture_bias.empty()) {
        check_tensor("picture.weights", model.picture_weights, {model.recipe.size(), model.code_size()});
        check_tensor("picture.bias", model.picture_bias, {model.recipe.size()});
    }
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
        const double length = std::sqrt(core::squared_norm(radial.centres.row(i)));
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

int version_of(const Model& model) {
    const bool roots = std::any_of(model.layers.begin(), model.layers.end(),
                                   [](const DenseLayer& layer) { return layer.of_roots; });
    return model.radial ? version : roots ? roots_version : plain_version;
}

/// Everything that using the model relies on. Throws InvalidArgument.
void check_model(const Model& model) {
    validate(model.recipe);
    for (const auto& [name, values] : {std::pair("recipe.mean", &model.recipe.mean),
                                       std::pair("recipe.deviation", &model.recipe.deviation)}) {
        if (!all_finite(*values)) {
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

Tensor as_tensor(const std::vector<float>& values) {
    Tensor tensor({static_cast<std::int64_t>(values.size())});
    std::copy(values.begin(), values.end(), tensor.data());
    return tensor;
}

std::vector<float> as_vector(const Tensor& tensor) {
    return {tensor.values().begin(), tensor.values().end()};
}

DenseLayer read_layer(core::Safetensors& file, const nlohmann::json& value, std::size_t i,
                      const std::string& where) {
    const std::string here = fmt::format("{}: layers.{}", where, i + 1);
    const JsonReader reader(value, here);
    DenseLayer layer;
    bool tied = false;
    std::int64_t inputs = 0;
    std::int64_t units = 0;
    reader.required("activation", layer.activation);
    reader.required("decoder", layer.decoder);
    reader.required("tied", tied);
    reader.optional("of_roots", layer.of_roots);  // models written before there was one
    reader.required("inputs", inputs);
    reader.required("units", units);
    for (const auto& [key, extent] : {std::pair("inputs", inputs), std::pair("units", units)}) {
        if (extent < 1 || extent > max_extent) {
            reader.fail(key, fmt::format("{} found, 1 to {} expected", extent, max_extent));
        }
    }
    layer.weights = file.take(tensor_name(i, "weights"), {units, inputs});
    layer.bias = file.take(tensor_name(i, "bias"), {units});
    layer.decoder_bias = file.take(tensor_name(i, "decoder_bias"), {inputs});
    if (!tied) {
        layer.decoder_weights = file.take(tensor_name(i, "decoder_weights"), {inputs, units});
    }
    return layer;
}

RadialLayer read_radial(core::Safetensors& file, const nlohmann::json& value, const std::string& where) {
    const JsonReader reader(value, where);
    RadialLayer radial;
    std::int64_t inputs = 0;
    std::int64_t units = 0;
    std::int64_t block = 0;
    for (const auto& [key, extent] :
         {std::pair("inputs", &inputs), std::pair("units", &units), std::pair("block", &block)}) {
        reader.required(key, *extent);
        if (*extent < 1 || *extent > max_extent) {
            reader.fail(key, fmt::format("{} found, 1 to {} expected", *extent, max_extent));
        }
    }
    reader.required("gamma", radial.gamma);
    reader.required("length", radial.length);
    radial.scale = file.take("radial.scale", {inputs});
    radial.centres = file.take("radial.centres", {units, inputs});
    radial.mixing = file.take("radial.mixing", {units, block});
    return radial;
}

void read_standardization(const core::Safetensors& file, const nlohmann::json& recipe,
                          const std::string& where, Recipe& result) {
    const JsonReader reader(recipe, where);
    bool standardized = false;
    reader.required("standardized", standardized);
    if (standardized) {
        result.mean = as_vector(file.at("recipe.mean", {result.size()}));
        result.deviation = as_vector(file.at("recipe.deviation", {result.size()}));
    }
}

}  // namespace

void save(const Model& model, const std::string& path) {
    try {
        check_model(model);
    } catch (const InvalidArgument& error) {
        throw InvalidArgument(fmt::format("{}: cannot write the model: {}", path, error.what()));
    }
    core::Safetensors description;
    description.set_kind(kind, version_of(model));
    description.metadata["model"] = core::print_json(to_json(model));

    core::TensorReferences tensors;
    const Tensor mean = as_tensor(model.recipe.mean);
    const Tensor deviation = as_tensor(model.recipe.deviation);
    if (!mean.empty()) {
        tensors.emplace_back("recipe.mean", &mean);
        tensors.emplace_back("recipe.deviation", &deviation);
    }
    for (std::size_t i = 0; i < model.convolutions.size(); ++i) {
        each_tensor(model.convolutions[i], i,
                    [&](const std::string& name, const Tensor& tensor, const std::vector<std::int64_t>&) {
                        tensors.emplace_back(name, &tensor);
                    });
    }
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        const DenseLayer& layer = model.layers[i];
        tensors.emplace_back(tensor_name(i, "weights"), &layer.weights);
        tensors.emplace_back(tensor_name(i, "bias"), &layer.bias);
        if (!layer.tied()) {
            tensors.emplace_back(tensor_name(i, "decoder_weights"), &layer.decoder_weights);
        }
        tensors.emplace_back(tensor_name(i, "decoder_bias"), &layer.decoder_bias);
    }
    if (model.radial) {
        tensors.emplace_back("radial.scale", &model.radial->scale);
        tensors.emplace_back("radial.centres", &model.radial->centres);
        tensors.emplace_back("radial.mixing", &model.radial->mixing);
    }
    if (!model.picture_weights.empty()) {
        tensors.emplace_back("picture.weights", &model.picture_weights);
        tensors.emplace_back("picture.bias", &model.picture_bias);
    }
    core::write_safetensors(description.metadata, tensors, path);
}

Model load_model(const std::string& path) {
    core::Safetensors file = core::read_safetensors(path);
    file.check_kind(kind, version);
    const std::string where = path + ": model";
    const nlohmann::json description = core::parse_json(file.text("model"), where, max_depth);
    const JsonReader reader(description, where);

    Model model;
    const std::string in_recipe = path + ": recipe";
    model.recipe = read_recipe(reader.at("recipe"), in_recipe);
    read_standardization(file, reader.at("recipe"), in_recipe, model.recipe);
    reader.optional("l2_normalize", model.l2_normalize);
    if (description.contains("convolutions")) {
        const nlohmann::json& convolutions = reader.array("convolutions");
        if (convolutions.size() > max_layers) {
            reader.fail("convolutions",
                        fmt::format("{} found, at most {} expected", convolutions.size(), max_layers));
        }
        for (std::size_t i = 0; i < convolutions.size(); ++i) {
            const std::string here = fmt::format("{}: convolutions.{}", path, i + 1);
            ConvolutionLayer& layer = model.convolutions.emplace_back();
            layer.shape = read_convolution_shape(convolutions[i], here);
            JsonReader(convolutions[i], here).required("gain", layer.gain);
            each_tensor(layer, i,
                        [&](const std::string& name, Tensor& tensor, const std::vector<std::int64_t>& shape) {
                            tensor = file.take(name, shape);
                        });
        }
    }
    const nlohmann::json& layers = reader.array("layers");
    if ((layers.empty() && model.convolutions.empty()) || layers.size() > max_layers) {
        reader.fail("layers", fmt::format("{} found, 1 to {} expected", layers.size(), max_layers));
    }
    for (std::size_t i = 0; i < layers.size(); ++i) {
        model.layers.push_back(read_layer(file, layers[i], i, path));
    }
    if (description.contains("radial") && !description["radial"].is_null()) {
        model.radial = read_radial(file, description["radial"], path + ": radial");
    }
    bool picture_decoder = false;
    reader.optional("picture_decoder", picture_decoder);  // models written before there was one
    model.options = read_train_options(reader.at("options"), path + ": options");
    for (const nlohmann::json& record : reader.array("history")) {
        model.history.push_back(read_epoch_record(record, path + ": history"));
    }
    reader.required("class_names", model.class_names);
    reader.required("trained_on", model.trained_on);
    reader.required("pictures", model.pictures);
    reader.required("interrupted", model.interrupted);
    if (description.contains("layer_accuracies")) {
        for (const nlohmann::json& accuracy : reader.array("layer_accuracies")) {
            model.layer_accuracies.push_back(read_layer_accuracy(accuracy, path + ": layer_accuracies"));
        }
    }
    try {
        check_model(model);
        if (picture_decoder) {  // its shape is that of layers which fit one another
            model.picture_weights = file.take("picture.weights", {model.recipe.size(), model.code_size()});
            model.picture_bias = file.take("picture.bias", {model.recipe.size()});
            check_picture_decoder(model);
        }
    } catch (const InvalidArgument& error) {
        throw CorruptFile(fmt::format("{}: {}", path, error.what()));
    }
    return model;
}

}  // namespace stackae

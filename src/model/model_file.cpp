#include "model/model_file.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <string>

#include "stackae/error.hpp"
#include "stackae/model.hpp"

#include "base/json.hpp"
#include "base/safetensors.hpp"
#include "model/json.hpp"
#include "model/json_reader.hpp"
#include "model/model_check.hpp"

namespace stackae {
namespace {

constexpr const char* kind = "model";
/// With class names and epochs in tensors, where they are too many for the header.
constexpr int version = 4;
constexpr int radial_version = 3;
/// Without radial units, which readers of version 2 would leave out.
constexpr int roots_version = 2;
/// Without codes of roots either, which readers of version 1 would take for plain ones.
constexpr int plain_version = 1;
/// Of text, above which class names and epochs go into tensors.
constexpr std::size_t most_in_header = std::size_t{1} << 20U;
constexpr std::size_t epoch_text = 256;  ///< bytes of an epoch's record, at most
/// model → layers or history → one of them → a value.
constexpr std::size_t max_depth = 6;

bool is_long(const Model& model) {
    std::size_t text = model.history.size() * epoch_text;
    for (const std::string& name : model.class_names) {
        text += name.size() + 4;
    }
    return text > most_in_header;
}

int version_of(const Model& model) {
    const bool roots = std::any_of(model.layers.begin(), model.layers.end(),
                                   [](const DenseLayer& layer) { return layer.of_roots; });
    return is_long(model) ? version : model.radial ? radial_version : roots ? roots_version : plain_version;
}

Tensor as_tensor(const std::vector<float>& values) {
    Tensor tensor({static_cast<std::int64_t>(values.size())});
    std::copy(values.begin(), values.end(), tensor.data());
    return tensor;
}

std::vector<float> as_vector(const Tensor& tensor) {
    return {tensor.values().begin(), tensor.values().end()};
}

DenseLayer read_layer(base::Safetensors& file, const nlohmann::json& value, std::size_t i,
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

RadialLayer read_radial(base::Safetensors& file, const nlohmann::json& value, const std::string& where) {
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

void read_standardization(const base::Safetensors& file, const nlohmann::json& recipe,
                          const std::string& where, Recipe& result) {
    const JsonReader reader(recipe, where);
    bool standardized = false;
    reader.required("standardized", standardized);
    if (standardized) {
        result.mean = as_vector(file.at("recipe.mean", {result.size()}));
        result.deviation = as_vector(file.at("recipe.deviation", {result.size()}));
    }
}

void read_history(const base::Safetensors& file, const JsonReader& reader,
                  std::vector<EpochRecord>& history) {
    const std::string where = file.path + ": history";
    if (reader.at("history").is_number_unsigned()) {
        for (const std::string& text : file.texts("history", reader.at("history").get<std::size_t>())) {
            history.push_back(read_epoch_record(base::parse_json(text, where, 1), where));
        }
        return;
    }
    for (const nlohmann::json& record : reader.array("history")) {
        history.push_back(read_epoch_record(record, where));
    }
}

}  // namespace

void save(const Model& model, const std::string& path) {
    try {
        check_model(model);
    } catch (const InvalidArgument& error) {
        throw InvalidArgument(fmt::format("{}: cannot write the model: {}", path, error.what()));
    }
    base::Safetensors description;
    description.set_kind(kind, version_of(model));
    nlohmann::json object = json_value(model);
    base::TensorReferences tensors;
    std::string class_names;
    std::string history;
    if (is_long(model)) {
        std::vector<std::string> epochs;
        for (const EpochRecord& record : model.history) {
            epochs.push_back(base::print_json(json_value(record)));
        }
        class_names = base::pack_texts(model.class_names);
        history = base::pack_texts(epochs);
        object["class_names"] = model.class_names.size();
        object["history"] = epochs.size();
    }
    description.metadata["model"] = base::print_json(object);
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
    if (is_long(model)) {
        tensors.emplace_back("class_names", &class_names);
        tensors.emplace_back("history", &history);
    }
    base::write_safetensors(description.metadata, tensors, path);
}

Model load_model(const std::string& path) {
    return read_model(base::read_safetensors(path));
}

Model read_model(base::Safetensors file) {
    const std::string path = file.path;
    file.check_kind(kind, version);
    const std::string where = path + ": model";
    const nlohmann::json description = base::parse_json(file.text("model"), where, max_depth);
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
    read_history(file, reader, model.history);
    if (reader.at("class_names").is_number_unsigned()) {
        model.class_names = file.texts("class_names", reader.at("class_names").get<std::size_t>());
    } else {
        reader.required("class_names", model.class_names);
    }
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

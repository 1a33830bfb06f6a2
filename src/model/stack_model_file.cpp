#include "model/stack_model_file.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>

#include "stackae/error.hpp"

#include "base/fields.hpp"
#include "base/json.hpp"
#include "layers/registry.hpp"
#include "layers/tensors.hpp"
#include "model/json_reader.hpp"
#include "model/recipe_fields.hpp"

namespace stackae {
namespace {

using Json = nlohmann::json;

constexpr const char* kind = "model";
/// 1 to 4 were of models with one slot for each kind of layer.
constexpr int version = 5;
constexpr std::size_t max_layers = 64;
/// model → layers → one of them → a field → a list.
constexpr std::size_t max_depth = 6;
constexpr double unbounded = std::numeric_limits<double>::max();

std::string tensor_name(const char* stack, std::size_t i, const std::string& name) {
    return fmt::format("{}.{}.{}", stack, i + 1, name);
}

base::FieldTable table_of(StageEpoch& epoch) {
    base::FieldTable table;
    const Range any{-unbounded, unbounded};
    table.add("stage", epoch.stage, "");
    table.add("epoch", epoch.epoch, {1, 1e9}, "");
    table.add("train_loss", epoch.train_loss, any, "");
    table.add("validation_loss", epoch.validation_loss, any, "");
    table.add("mean_loss", epoch.mean_loss, any, "");
    table.add("dead_units", epoch.dead_units, {0.0, 1.0}, "");
    table.add("learning_rate", epoch.learning_rate, any, "");
    return table;
}

Json json_of(const Stack& stack) {
    Json array = Json::array();
    for (const auto& layer : stack.layers()) {
        Json object = layers::fields_of(*layer).json();
        object["type"] = layer->type();
        const Shape& input = layer->input_shape();
        object["input"] = {input.height, input.width, input.channels};
        array.push_back(std::move(object));
    }
    return array;
}

Json json_of(const StackModel& model) {
    Json preprocessing = fields_of(model.preprocessing).json();
    preprocessing["standardized"] = !model.preprocessing.mean.empty();
    Json outputs = Json::array();
    for (const NamedOutput& output : model.outputs) {
        outputs.push_back({{"name", output.name}, {"depth", output.depth}});
    }
    const TrainingRecord& record = model.record;
    Json accuracies = Json::array();
    for (const DepthAccuracy& a : record.accuracies) {
        accuracies.push_back({{"depth", a.depth},
                              {"l2", a.l2},
                              {"cosine", a.cosine},
                              {"pictures", a.pictures},
                              {"neighbours", a.neighbours},
                              {"k", a.k}});
    }
    return {{"preprocessing", std::move(preprocessing)},
            {"layers", json_of(model.layers)},
            {"outputs", std::move(outputs)},
            {"reconstruction",
             {{"depth", model.reconstruction.depth}, {"head", json_of(model.reconstruction.head)}}},
            {"record",
             {{"config", to_text(record.config)},
              {"data", record.data},
              {"pictures", record.pictures},
              {"interrupted", record.interrupted},
              {"class_names", record.class_names.size()},
              {"history", record.history.size()},
              {"accuracies", std::move(accuracies)}}}};
}

void reference(const Stack& stack, const char* name, base::TensorReferences& tensors) {
    for (std::size_t i = 0; i < stack.size(); ++i) {
        for (const auto& row : layers::tensors_of(stack[i])) {
            tensors.emplace_back(tensor_name(name, i, row.name), row.tensor);
        }
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

/// Calls body, and turns what it refuses into a fault of the file.
template <class Body>
void believe(const std::string& where, const Body& body) {
    try {
        body();
    } catch (const InvalidArgument& error) {
        throw CorruptFile(fmt::format("{}: {}", where, error.what()));
    }
}

Shape read_shape(const JsonReader& reader, const std::string& where) {
    std::vector<std::int64_t> extents;
    reader.required("input", extents);
    constexpr std::int64_t max_values = std::int64_t{1} << 26;
    const bool whole = extents.size() == 3 && std::all_of(extents.begin(), extents.end(), [](std::int64_t e) {
                           return e >= 1 && e <= max_values;
                       });
    if (!whole || extents[0] > max_values / extents[1] || extents[0] * extents[1] > max_values / extents[2]) {
        throw CorruptFile(
            fmt::format("{}: input: 3 extents above 0 and at most 2^26 values expected", where));
    }
    return {extents[0], extents[1], extents[2]};
}

Stack read_stack(base::Safetensors& file, const Json& array, const char* name) {
    const std::string here = fmt::format("{}: {}", file.path, name);
    if (!array.is_array() || array.size() > max_layers) {
        throw CorruptFile(fmt::format("{}: a list of at most {} layers expected", here, max_layers));
    }
    Stack stack;
    for (std::size_t i = 0; i < array.size(); ++i) {
        const std::string where = fmt::format("{}.{}", here, i + 1);
        const JsonReader reader(array[i], where);
        std::string type;
        reader.required("type", type);
        const Shape input = read_shape(reader, where);
        believe(where, [&] {
            std::unique_ptr<Layer> layer = layers::make_layer(type);
            base::FieldTable fields;
            layer->fields(fields);
            fields.read(array[i]);
            layer->bind(input);
            layers::TensorTable tensors;
            layer->tensors(tensors);
            for (const auto& row : tensors) {
                *row.tensor = file.take(tensor_name(name, i, row.name), row.shape);
            }
            stack.push_back(std::move(layer));
        });
    }
    return stack;
}

Recipe read_preprocessing(base::Safetensors& file, const Json& value) {
    const std::string where = file.path + ": preprocessing";
    const JsonReader reader(value, where);
    Recipe recipe;
    believe(where, [&] {
        base::FieldTable fields;
        add_fields(recipe, fields);
        fields.read(value);
        validate(recipe);
    });
    bool standardized = false;
    reader.required("standardized", standardized);
    if (standardized) {
        recipe.mean = as_vector(file.take("preprocessing.mean", {recipe.size()}));
        recipe.deviation = as_vector(file.take("preprocessing.deviation", {recipe.size()}));
    }
    return recipe;
}

DepthAccuracy read_accuracy(const Json& value, const std::string& where) {
    const JsonReader reader(value, where);
    DepthAccuracy accuracy;
    reader.required("depth", accuracy.depth);
    reader.required("l2", accuracy.l2);
    reader.required("cosine", accuracy.cosine);
    reader.required("pictures", accuracy.pictures);
    reader.required("neighbours", accuracy.neighbours);
    reader.required("k", accuracy.k);
    for (const auto& [key, share] : {std::pair("l2", accuracy.l2), std::pair("cosine", accuracy.cosine)}) {
        if (!(share >= 0.0 && share <= 1.0)) {
            reader.fail(key, fmt::format("{} found, 0 to 1 expected", share));
        }
    }
    for (const auto& [key, count] :
         {std::pair("pictures", accuracy.pictures), std::pair("neighbours", accuracy.neighbours),
          std::pair("k", accuracy.k)}) {
        if (count < 1) {
            reader.fail(key, fmt::format("{} found, 1 or more expected", count));
        }
    }
    return accuracy;
}

TrainingRecord read_record(const base::Safetensors& file, const Json& value) {
    const std::string where = file.path + ": record";
    const JsonReader reader(value, where);
    TrainingRecord record;
    std::string config;
    std::size_t names = 0;
    std::size_t epochs = 0;
    reader.required("config", config);
    believe(where + ": config", [&] { read_config(config, record.config); });
    reader.required("data", record.data);
    reader.required("pictures", record.pictures);
    reader.required("interrupted", record.interrupted);
    reader.required("class_names", names);
    reader.required("history", epochs);
    record.class_names = file.texts("class_names", names);
    for (const std::string& text : file.texts("history", epochs)) {
        const std::string here = file.path + ": history";
        StageEpoch epoch;
        believe(here, [&] { table_of(epoch).read(base::parse_json(text, here, 1)); });
        record.history.push_back(std::move(epoch));
    }
    for (const Json& accuracy : reader.array("accuracies")) {
        record.accuracies.push_back(read_accuracy(accuracy, where + ": accuracies"));
    }
    return record;
}

}  // namespace

void save(const StackModel& model, const std::string& path) {
    try {
        check(model);
    } catch (const InvalidArgument& error) {
        throw InvalidArgument(fmt::format("{}: cannot write the model: {}", path, error.what()));
    }
    base::Safetensors description;
    description.set_kind(kind, version);
    description.metadata["model"] = base::print_json(json_of(model));
    base::TensorReferences tensors;
    const Tensor mean = as_tensor(model.preprocessing.mean);
    const Tensor deviation = as_tensor(model.preprocessing.deviation);
    if (!mean.empty()) {
        tensors.emplace_back("preprocessing.mean", &mean);
        tensors.emplace_back("preprocessing.deviation", &deviation);
    }
    reference(model.layers, "layers", tensors);
    reference(model.reconstruction.head, "reconstruction", tensors);
    std::vector<std::string> epochs;
    for (StageEpoch epoch : model.record.history) {
        epochs.push_back(base::print_json(table_of(epoch).json()));
    }
    const std::string class_names = base::pack_texts(model.record.class_names);
    const std::string history = base::pack_texts(epochs);
    tensors.emplace_back("class_names", &class_names);
    tensors.emplace_back("history", &history);
    base::write_safetensors(description.metadata, tensors, path);
}

StackModel load_stack_model(const std::string& path) {
    return read_stack_model(base::read_safetensors(path));
}

StackModel read_stack_model(base::Safetensors file) {
    const std::string path = file.path;
    file.check_kind(kind, version);
    if (std::stoi(file.text("version")) < version) {
        throw CorruptFile(fmt::format("{}: a model of version {} found, {} expected: train it again", path,
                                      file.text("version"), version));
    }
    const std::string where = path + ": model";
    const Json description = base::parse_json(file.text("model"), where, max_depth);
    const JsonReader reader(description, where);
    StackModel model;
    model.preprocessing = read_preprocessing(file, reader.at("preprocessing"));
    model.layers = read_stack(file, reader.at("layers"), "layers");
    for (const Json& output : reader.array("outputs")) {
        const JsonReader named(output, where);
        NamedOutput& made = model.outputs.emplace_back();
        named.required("name", made.name);
        named.required("depth", made.depth);
    }
    const JsonReader reconstruction(reader.at("reconstruction"), where);
    reconstruction.required("depth", model.reconstruction.depth);
    model.reconstruction.head = read_stack(file, reconstruction.at("head"), "reconstruction");
    model.record = read_record(file, reader.at("record"));
    believe(path, [&] { check(model); });
    return model;
}

}  // namespace stackae

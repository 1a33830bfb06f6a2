#include "model/model_file.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "stackae/error.hpp"

#include "base/fields.hpp"
#include "base/json.hpp"
#include "base/with_context.hpp"
#include "layers/registry.hpp"
#include "layers/tensors.hpp"
#include "model/json_reader.hpp"
#include "model/model_json.hpp"
#include "model/table_file.hpp"

namespace stackae {
namespace {

using Json = nlohmann::json;

constexpr const char* kind = "model";
/// 1 to 4 were of models with one slot for each kind of layer; 6 has channels of their own, and is written
/// where a model has such alone.
constexpr int oldest_version = 5;
constexpr int version = 6;
/// model → layers → one of them → a field → a list.
constexpr std::size_t max_depth = 6;

std::string tensor_name(const char* stack, std::size_t i, const std::string& name) {
    return fmt::format("{}.{}.{}", stack, i + 1, name);
}

Json json_of(const Stack& stack) {
    Json array = Json::array();
    for (const auto& layer : stack.layers()) {
        Json object = layers::fields_of(*layer).json();
        object["type"] = layer->type();
        object["input"] = json_of(layer->input_shape());
        array.push_back(std::move(object));
    }
    return array;
}

Json json_of(const Model& model) {
    Json outputs = Json::array();
    for (const NamedOutput& output : model.outputs) {
        outputs.push_back({{"name", output.name}, {"depth", output.depth}});
    }
    const TrainingRecord& record = model.record;
    Json described{{"preprocessing", json_of(model.preprocessing)},
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
                     {"accuracies", json_of(record.accuracies)}}}};
    if (record.reconstruction) {
        described["record"]["reconstruction"] = json_of(*record.reconstruction);
    }
    if (!model.table.items.empty()) {
        described["table"] = json_of(model.table);
    }
    return described;
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
    if (!array.is_array() || array.size() > Stack::max_size) {
        throw CorruptFile(fmt::format("{}: a list of at most {} layers expected", here, Stack::max_size));
    }
    Stack stack;
    for (std::size_t i = 0; i < array.size(); ++i) {
        const std::string where = fmt::format("{}.{}", here, i + 1);
        const JsonReader reader(array[i], where);
        std::string type;
        reader.required("type", type);
        const Shape input = read_shape(reader, where);
        base::with_context<CorruptFile>(where, [&] {
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

/// Keys as channels_json() writes them.
void read_channels(const Json& value, const std::string& where, Preprocessing& preprocessing) {
    const JsonReader reader(value, where);
    std::vector<float> lows;
    std::vector<float> highs;
    reader.required("measured", preprocessing.measured);
    reader.required("in_pages", preprocessing.channel_files.pages);
    reader.required("suffixes", preprocessing.channel_files.suffixes);
    reader.required("lows", lows);
    reader.required("highs", highs);
    if (lows.size() != highs.size()) {
        reader.fail("highs", fmt::format("{} found, {} expected", highs.size(), lows.size()));
    }
    for (std::size_t i = 0; i < lows.size(); ++i) {
        preprocessing.ranges.push_back({lows[i], highs[i]});
    }
}

Preprocessing read_preprocessing(base::Safetensors& file, const Json& value) {
    const std::string where = file.path + ": preprocessing";
    const JsonReader reader(value, where);
    Preprocessing preprocessing;
    base::with_context<CorruptFile>(where, [&] { table_of(preprocessing).read(value); });
    if (value.contains("own_channels")) {
        read_channels(reader.at("own_channels"), where + ": own_channels", preprocessing);
    }
    base::with_context<CorruptFile>(file.path, [&] { validate(preprocessing); });
    bool standardized = false;
    reader.required("standardized", standardized);
    if (standardized) {
        preprocessing.mean = as_vector(file.take("preprocessing.mean", {preprocessing.size()}));
        preprocessing.deviation = as_vector(file.take("preprocessing.deviation", {preprocessing.size()}));
    }
    return preprocessing;
}

TrainingRecord read_record(const base::Safetensors& file, const Json& value) {
    const std::string where = file.path + ": record";
    const JsonReader reader(value, where);
    TrainingRecord record;
    std::string config;
    std::size_t names = 0;
    std::size_t epochs = 0;
    reader.required("config", config);
    base::with_context<CorruptFile>(where + ": config", [&] { read_config(config, record.config); });
    reader.required("data", record.data);
    reader.required("pictures", record.pictures);
    reader.required("interrupted", record.interrupted);
    reader.required("class_names", names);
    reader.required("history", epochs);
    record.class_names = file.texts("class_names", names);
    for (const std::string& text : file.texts("history", epochs)) {
        const std::string here = file.path + ": history";
        StageEpoch epoch;
        base::with_context<CorruptFile>(here, [&] { table_of(epoch).read(base::parse_json(text, here, 1)); });
        record.history.push_back(std::move(epoch));
    }
    for (const Json& described : reader.array("accuracies")) {
        DepthAccuracy& accuracy = record.accuracies.emplace_back();
        base::with_context<CorruptFile>(where + ": accuracies", [&] { table_of(accuracy).read(described); });
    }
    if (const auto found = value.find("reconstruction"); found != value.end()) {
        base::with_context<CorruptFile>(where + ": reconstruction",
                                        [&] { table_of(record.reconstruction.emplace()).read(*found); });
    }
    return record;
}

}  // namespace

void save(const Model& model, const std::string& path) {
    base::with_context(path + ": cannot write the model", [&] { check(model); });
    const ModelContent content(model);
    base::Safetensors description;
    description.set_kind(kind, has_own_channels(model.preprocessing) ? version : oldest_version);
    description.metadata["model"] = content.description();
    base::write_safetensors(description.metadata, content.tensors(), path);
}

ModelContent::ModelContent(const Model& model)
    : description_(base::print_json(json_of(model))),
      mean_(as_tensor(model.preprocessing.mean)),
      deviation_(as_tensor(model.preprocessing.deviation)),
      class_names_(base::pack_texts(model.record.class_names)) {
    if (!mean_.empty()) {
        tensors_.emplace_back("preprocessing.mean", &mean_);
        tensors_.emplace_back("preprocessing.deviation", &deviation_);
    }
    reference(model.layers, "layers", tensors_);
    reference(model.reconstruction.head, "reconstruction", tensors_);
    std::vector<std::string> epochs;
    for (const StageEpoch& epoch : model.record.history) {
        epochs.push_back(base::print_json(json_of(epoch)));
    }
    history_ = base::pack_texts(epochs);
    if (!model.table.items.empty()) {
        table_.emplace(model.table);
        table_->reference(tensors_);
    }
    tensors_.emplace_back("class_names", &class_names_);
    tensors_.emplace_back("history", &history_);
}

Model load_model(const std::string& path) {
    return read_model(base::read_safetensors(path));
}

Model read_model(base::Safetensors file) {
    const std::string path = file.path;
    file.check_kind(kind, version);
    if (std::stoi(file.text("version")) < oldest_version) {
        throw CorruptFile(fmt::format("{}: a model of version {} found, {} or {} expected: train it again",
                                      path, file.text("version"), oldest_version, version));
    }
    Model model = read_content(file);
    base::with_context<CorruptFile>(path, [&] { check(model); });
    return model;
}

Model read_content(base::Safetensors& file) {
    const std::string where = file.path + ": model";
    const Json description = base::parse_json(file.text("model"), where, max_depth);
    const JsonReader reader(description, where);
    Model model;
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
    if (description.contains("table")) {
        model.table = read_table(file, reader.at("table"));
    }
    return model;
}

std::optional<std::string> file_kind(const std::string& path) {
    try {
        const auto metadata = base::read_safetensors(path).metadata;
        const auto found = metadata.find("kind");
        return found == metadata.end() ? "" : found->second;
    } catch (const IoError&) {
        throw;
    } catch (const Error&) {
        return std::nullopt;
    }
}

}  // namespace stackae

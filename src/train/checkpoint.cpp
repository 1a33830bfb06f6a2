#include "train/checkpoint.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <string_view>

#include "stackae/error.hpp"

#include "base/json.hpp"
#include "base/safetensors.hpp"
#include "layers/tensors.hpp"
#include "model/json_reader.hpp"
#include "model/model_file.hpp"
#include "model/model_json.hpp"

namespace stackae::training {
namespace {

using Json = nlohmann::json;

constexpr const char* kind = "checkpoint";
constexpr int version = 1;
constexpr std::size_t max_depth = 3;  ///< of objects within one another
/// Layers, fine-tuning and a head.
constexpr auto max_stages = static_cast<std::int64_t>(Stack::max_size) + 2;
constexpr const char* trainer_prefix = "trainer.";

/// The names are in the order of InputEvent::Kind.
constexpr std::array<const char*, 4> event_names{"below", "hold", "leave", "raise"};

Json json_of(const InputEvent& event) {
    return {{"event", event_names.at(static_cast<std::size_t>(event.kind))},
            {"depth", event.depth},
            {"rows", event.rows}};
}

InputEvent event_of(const std::string& text, const std::string& where) {
    const Json json = base::parse_json(text, where, max_depth);
    const JsonReader reader(json, where);
    std::string name;
    reader.required("event", name);
    const auto* const found = std::find(event_names.begin(), event_names.end(), name);
    if (found == event_names.end()) {
        reader.fail("event", fmt::format("{} found", base::print_json(name)));
    }
    InputEvent event;
    event.kind = static_cast<InputEvent::Kind>(found - event_names.begin());
    reader.required("depth", event.depth);
    reader.required("rows", event.rows);
    return event;
}

/// The finished layers, which need not be a whole model, fit one another.
void check_layers(const Model& model, const std::string& path) {
    try {
        if (!model.layers.empty()) {
            model.layers.check(model.input_shape());
        }
    } catch (const InvalidArgument& error) {
        throw CorruptFile(fmt::format("{}: {}", path, error.what()));
    }
}

/// Whether a layer is what may have become of one that was asked for: the same, or a smaller one.
bool is_learnt(const Layer& layer, const Layer& asked) {
    return layer.type() == asked.type() && layer.output_shape().size() <= asked.output_shape().size() &&
           layer.parameters() <= asked.parameters() &&
           (layer.is_trained() || layers::fields_of(layer).json() == layers::fields_of(asked).json());
}

/// stage: that it was learnt in; null: it has none.
bool has_head(const Model& model, const Stage* stage) {
    const Stack& head = model.reconstruction.head;
    if (stage == nullptr) {
        return head.empty();
    }
    if (head.size() != 1 || stage->below > model.layers.size()) {
        return false;
    }
    const Shape code = model.layers.output_shape(model.input_shape(), stage->below);
    try {
        head.check(code);
    } catch (const InvalidArgument&) {
        return false;
    }
    return is_learnt(head[0], *make_head(code, model.input_shape()));
}

}  // namespace

void write_checkpoint(const Checkpoint& checkpoint, const std::string& path) {
    base::Safetensors description;
    description.set_kind(kind, version);
    const ModelContent content(checkpoint.model);
    Json numbers = Json::object();
    for (const auto& [name, number] : checkpoint.trainer.numbers) {
        numbers[name] = number;
    }
    description.metadata["model"] = content.description();
    description.metadata["checkpoint"] = base::print_json({{"row", checkpoint.row},
                                                           {"stage", checkpoint.stage},
                                                           {"stages", checkpoint.stages},
                                                           {"stage_name", checkpoint.stage_name},
                                                           {"epoch", checkpoint.progress.epoch},
                                                           {"epochs", checkpoint.progress.epochs},
                                                           {"done", checkpoint.progress.done},
                                                           {"of", checkpoint.progress.of},
                                                           {"values", checkpoint.values},
                                                           {"finished_epochs", checkpoint.finished_epochs},
                                                           {"patch_bytes", checkpoint.patch_bytes},
                                                           {"inputs", checkpoint.inputs.size()},
                                                           {"numbers", std::move(numbers)}});
    base::TensorReferences tensors = content.tensors();
    for (const auto& [name, tensor] : checkpoint.trainer.tensors) {
        tensors.emplace_back(trainer_prefix + name, &tensor);
    }
    std::vector<std::string> events;
    std::transform(checkpoint.inputs.begin(), checkpoint.inputs.end(), std::back_inserter(events),
                   [](const InputEvent& event) { return base::print_json(json_of(event)); });
    const std::string inputs = base::pack_texts(events);
    tensors.emplace_back("inputs", &inputs);
    base::write_safetensors(description.metadata, tensors, path);
}

Checkpoint read_checkpoint(const std::string& path) {
    base::Safetensors file = base::read_safetensors(path);
    file.check_kind(kind, version);
    const std::string where = path + ": checkpoint";
    Checkpoint checkpoint;
    checkpoint.model = read_content(file);
    check_layers(checkpoint.model, path);
    const Json description = base::parse_json(file.text("checkpoint"), where, max_depth);
    const JsonReader reader(description, where);
    std::size_t inputs = 0;
    reader.optional("row", checkpoint.row);
    reader.required("stage", checkpoint.stage);
    reader.required("stages", checkpoint.stages);
    reader.required("stage_name", checkpoint.stage_name);
    reader.required("epoch", checkpoint.progress.epoch);
    reader.required("epochs", checkpoint.progress.epochs);
    reader.required("done", checkpoint.progress.done);
    reader.required("of", checkpoint.progress.of);
    reader.required("values", checkpoint.values);
    reader.required("finished_epochs", checkpoint.finished_epochs);
    reader.required("patch_bytes", checkpoint.patch_bytes);
    reader.required("inputs", inputs);
    if (checkpoint.row != "picture" && checkpoint.row != name(TableRow::user) &&
        checkpoint.row != name(TableRow::item)) {
        reader.fail("row", fmt::format("{} found, \"picture\", \"user\" or \"item\" expected",
                                       base::print_json(checkpoint.row)));
    }
    if (checkpoint.stages > max_stages) {
        reader.fail("stages", fmt::format("{} found, {} at most expected", checkpoint.stages, max_stages));
    }
    if (checkpoint.stage < 1 || checkpoint.stage > checkpoint.stages) {
        reader.fail("stage", fmt::format("{} of {} found", checkpoint.stage, checkpoint.stages));
    }
    if (checkpoint.finished_epochs < 0 ||
        checkpoint.finished_epochs > std::ssize(checkpoint.model.record.history)) {
        reader.fail("finished_epochs", fmt::format("{} of {} found", checkpoint.finished_epochs,
                                                   checkpoint.model.record.history.size()));
    }
    if (checkpoint.patch_bytes < 1 || checkpoint.patch_bytes > most_patch_bytes) {
        reader.fail("patch_bytes",
                    fmt::format("{} found, 1 to {} expected", checkpoint.patch_bytes, most_patch_bytes));
    }
    if (inputs > max_events(checkpoint.stages)) {
        reader.fail("inputs",
                    fmt::format("{} found, {} at most expected", inputs, max_events(checkpoint.stages)));
    }
    for (const std::string& text : file.texts("inputs", inputs)) {
        checkpoint.inputs.push_back(event_of(text, where));
    }
    const Json& numbers = reader.at("numbers");
    const JsonReader each(numbers, where);
    for (const auto& [name, value] : numbers.items()) {
        each.required(name.c_str(), checkpoint.trainer.numbers[name]);
    }
    for (auto& [name, tensor] : file.tensors) {
        if (name.starts_with(trainer_prefix)) {
            checkpoint.trainer.tensors[name.substr(std::string_view(trainer_prefix).size())] =
                std::move(tensor);
        }
    }
    return checkpoint;
}

base::FileLock lock_checkpoint(const std::string& path) {
    return base::FileLock(path, [&](double /*seconds*/) {
        throw IoError(fmt::format("{}: another training that is under way has it", path));
    });
}

void check_same(const Checkpoint& checkpoint, const std::string& path, const Preprocessing& preprocessing,
                const TrainConfig& config, const std::string& data) {
    const std::string found =
        training_difference(checkpoint.model, "checkpoint", preprocessing, config, data);
    if (!found.empty()) {
        throw InvalidArgument(fmt::format("{}: the checkpoint is of another training: {}", path, found));
    }
}

void check_stage(const Checkpoint& checkpoint, const std::string& path, const Stack& bound,
                 const Stages& stages) {
    const Stack& layers = checkpoint.model.layers;
    bool fits = checkpoint.stages == std::ssize(stages.stages) && layers.size() <= bound.size();
    if (fits) {
        const Stage& stage = stages.stages[static_cast<std::size_t>(checkpoint.stage - 1)];
        const std::size_t needed = stage.kind == StageKind::fine_tuning
                                       ? stage.last
                                       : stage.below;  // the latter's plain ones are added
        fits = layers.size() <= needed;
        for (std::size_t i = 0; i < bound.size(); ++i) {
            fits = fits && (i < layers.size() ? is_learnt(layers[i], bound[i])
                                              : i >= needed || !bound[i].is_trained());
        }
        const auto done = stages.stages.begin() + (checkpoint.stage - 1);
        const auto head = std::find_if(stages.stages.begin(), done,
                                       [](const Stage& each) { return each.kind == StageKind::head; });
        fits = fits && has_head(checkpoint.model, head == done ? nullptr : &*head);
    }
    if (!fits) {
        throw CorruptFile(fmt::format("{}: {} layers and stage {} of {} found, others expected", path,
                                      layers.size(), checkpoint.stage, checkpoint.stages));
    }
}

}  // namespace stackae::training

namespace stackae {

CheckpointInfo load_checkpoint_info(const std::string& path) {
    return training::read_checkpoint(path);
}

void remove_training_checkpoint(const std::string& path) {
    const base::FileLock lock = training::lock_checkpoint(path);
    std::error_code error;
    if (!std::filesystem::remove(path, error) && error) {
        throw IoError(fmt::format("{}: cannot be removed: {}", path, error.message()));
    }
}

}  // namespace stackae

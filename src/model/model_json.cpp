#include "model/model_json.hpp"

#include <limits>

#include "base/json.hpp"
#include "layers/tensors.hpp"
#include "model/table_file.hpp"

namespace stackae {
namespace {

using Json = nlohmann::json;

constexpr double unbounded = std::numeric_limits<double>::max();
constexpr Range any_number{-unbounded, unbounded};
constexpr Range any_share_or_all{0.0, 1.0};
constexpr Range at_least_one{1.0, 1e12};

Json json_of(const TrainConfig& config) {
    Json object = base::fields_of(config).json();
    object["preset"] = config.preset;
    object["stack"] = to_text(config.stack);
    return object;
}

Json json_of(const Stack& stack) {
    Json array = Json::array();
    for (const auto& layer : stack.layers()) {
        array.push_back({{"type", layer->type()},
                         {"text", layer->text()},
                         {"fields", layers::fields_of(*layer).json()},
                         {"input", json_of(layer->input_shape())},
                         {"output", json_of(layer->output_shape())},
                         {"parameters", layer->parameters()}});
    }
    return array;
}

template <class Each>
Json array_of(const std::vector<Each>& all) {
    Json array = Json::array();
    for (const Each& each : all) {
        array.push_back(json_of(each));
    }
    return array;
}

Json json_of(const TrainingRecord& record) {
    return {{"config", json_of(record.config)},
            {"data", record.data},
            {"pictures", record.pictures},
            {"interrupted", record.interrupted},
            {"class_names", record.class_names},
            {"history", array_of(record.history)},
            {"accuracies", json_of(record.accuracies)},
            {"reconstruction", record.reconstruction ? json_of(*record.reconstruction) : Json()}};
}

}  // namespace

base::FieldTable table_of(Preprocessing& preprocessing) {
    base::FieldTable table;
    table.add("channels", preprocessing.channels, {1, Preprocessing::max_channels},
              "1: gray, 3: RGB, others are measured");
    table.add("height", preprocessing.height, {1, Preprocessing::max_side}, "pixels");
    table.add("width", preprocessing.width, {1, Preprocessing::max_row}, "pixels");
    table.add("resize", preprocessing.resize,
              "how pictures of another shape are brought to height and width");
    table.add("background", preprocessing.background, {0.0, 1.0},
              "gray level behind transparency and in borders");
    table.add("contrast", preprocessing.contrast, "whether each picture's contrast is normalised");
    table.add("contrast_epsilon", preprocessing.contrast_epsilon, {0.0, 1e6, true}, "added to its variance");
    return table;
}

base::FieldTable fields_of(const Preprocessing& preprocessing) {
    return table_of(const_cast<Preprocessing&>(preprocessing));
}

base::FieldTable table_of(StageEpoch& epoch) {
    base::FieldTable table;
    table.add("stage", epoch.stage, "");
    table.add("epoch", epoch.epoch, {1.0, 1e9}, "");
    table.add("train_loss", epoch.train_loss, any_number, "");
    table.add("validation_loss", epoch.validation_loss, any_number, "");
    table.add("mean_loss", epoch.mean_loss, any_number, "");
    table.add("dead_units", epoch.dead_units, any_share_or_all, "");
    table.add("learning_rate", epoch.learning_rate, any_number, "");
    table.add("remark", epoch.remark, "");
    table.added_later("");
    return table;
}

base::FieldTable table_of(DepthAccuracy& accuracy) {
    base::FieldTable table;
    table.add("depth", accuracy.depth, at_least_one, "");
    table.add("l2", accuracy.l2, any_share_or_all, "");
    table.add("cosine", accuracy.cosine, any_share_or_all, "");
    table.add("pictures", accuracy.pictures, at_least_one, "");
    table.add("neighbours", accuracy.neighbours, at_least_one, "");
    table.add("k", accuracy.k, at_least_one, "");
    return table;
}

base::FieldTable table_of(ReconstructionErrors& errors) {
    base::FieldTable table;
    table.add("stack", errors.stack, {0.0, unbounded}, "");
    table.add("pca", errors.pca, {0.0, unbounded}, "");
    table.add("mean", errors.mean, {0.0, unbounded}, "");
    table.add("components", errors.components, at_least_one, "");
    table.add("pictures", errors.pictures, at_least_one, "");
    table.add("others", errors.others, at_least_one, "");
    return table;
}

Json json_of(const Preprocessing& preprocessing) {
    Json object = fields_of(preprocessing).json();
    object["standardized"] = !preprocessing.mean.empty();
    if (has_own_channels(preprocessing)) {
        object["own_channels"] = channels_json(preprocessing);
    }
    return object;
}

bool has_own_channels(const Preprocessing& preprocessing) {
    return preprocessing.measured || !preprocessing.ranges.empty();
}

Json channels_json(const Preprocessing& preprocessing) {
    Json lows = Json::array();
    Json highs = Json::array();
    for (const ChannelRange& range : preprocessing.ranges) {
        lows.push_back(range.low);
        highs.push_back(range.high);
    }
    return {{"measured", preprocessing.measured},
            {"in_pages", preprocessing.channel_files.pages},
            {"suffixes", preprocessing.channel_files.suffixes},
            {"lows", std::move(lows)},
            {"highs", std::move(highs)}};
}

Json json_of(const Shape& shape) {
    return {shape.height, shape.width, shape.channels};
}

Json json_of(StageEpoch epoch) {
    return table_of(epoch).json();
}

Json json_of(DepthAccuracy accuracy) {
    return table_of(accuracy).json();
}

Json json_of(ReconstructionErrors errors) {
    return table_of(errors).json();
}

Json json_of(const std::vector<DepthAccuracy>& accuracies) {
    return array_of(accuracies);
}

JsonObject to_json(const TrainConfig& config) {
    return base::json_object(json_of(config));
}

JsonObject to_json(const Preset& each) {
    return JsonObject()
        .set("name", each.name)
        .set("summary", each.summary)
        .set("config", to_json(preset(each.name)));
}

JsonObject to_json(const Preprocessing& preprocessing) {
    return base::json_object(json_of(preprocessing));
}

JsonObject to_json(const StageEpoch& epoch) {
    return base::json_object(json_of(epoch));
}

JsonObject to_json(const DepthAccuracy& accuracy) {
    return base::json_object(json_of(accuracy));
}

JsonObject to_json(const ReconstructionErrors& errors) {
    return base::json_object(json_of(errors));
}

JsonObject to_json(const Model& model) {
    Json outputs = Json::array();
    for (const NamedOutput& output : model.outputs) {
        const Shape code = model.layers.output_shape(model.input_shape(), output.depth);
        outputs.push_back({{"name", output.name}, {"depth", output.depth}, {"code_size", code.size()}});
    }
    const Json object{{"preprocessing", json_of(model.preprocessing)},
                      {"layers", json_of(model.layers)},
                      {"outputs", std::move(outputs)},
                      {"reconstruction",
                       {{"depth", model.reconstruction.depth}, {"head", json_of(model.reconstruction.head)}}},
                      {"record", json_of(model.record)},
                      {"identity", model.identity()},
                      {"parameters", model.parameters()},
                      {"code_size", model.code_size()},
                      {"depth", model.layers.size()},
                      {"table", model.table.items.empty() ? Json() : json_of(model.table)}};
    return base::json_object(object);
}

}  // namespace stackae

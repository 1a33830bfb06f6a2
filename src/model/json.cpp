#include "model/json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <initializer_list>
#include <type_traits>
#include <vector>

#include "stackae/error.hpp"

#include "model/json_reader.hpp"

namespace stackae {
namespace {

using Json = nlohmann::json;

template <class Field>
Json json_of(const Field& field) {
    if constexpr (std::is_same_v<Field, ConvolutionOptions>) {
        return to_text(field);
    } else if constexpr (std::is_enum_v<Field>) {
        return name(field);
    } else if constexpr (std::is_same_v<Field, double>) {
        return std::isfinite(field) ? Json(field) : Json();
    } else if constexpr (std::is_same_v<Field, float>) {
        // The shortest decimal that gives the float again: 0.1, not 0.10000000149011612.
        const std::string text = fmt::format("{}", field);
        double shortest = 0.0;
        std::from_chars(text.data(), text.data() + text.size(), shortest);
        return json_of(shortest);
    } else {
        return field;
    }
}

template <class Field>
Json json_of(const std::optional<Field>& field) {
    return field ? json_of(*field) : Json();
}

template <class Field>
Json json_of(const std::vector<Field>& fields) {
    Json array = Json::array();
    for (const Field& field : fields) {
        array.push_back(json_of(field));
    }
    return array;
}

/// Every field with its key: the one list that writing and reading share.
template <class Options, class Visitor>
void each_option(Options& o, const Visitor& visit) {
    visit("preset", o.preset);
    visit("convolutions", o.convolutions);
    visit("layers", o.layers);
    visit("code_size", o.code_size);
    visit("code_roots", o.code_roots);
    visit("radial_units", o.radial_units);
    visit("patches", o.patches);
    visit("patch_epochs", o.patch_epochs);
    visit("activations", o.activations);
    visit("output", o.output);
    visit("tied", o.tied);
    visit("untie_in_fine_tuning", o.untie_in_fine_tuning);
    visit("loss", o.loss);
    visit("augmentation_shift", o.augmentation.shift);
    visit("augmentation_rotate", o.augmentation.rotate);
    visit("augmentation_scale", o.augmentation.scale);
    visit("augmentation_shear", o.augmentation.shear);
    visit("corruption", o.corruption);
    visit("corruption_level", o.corruption_level);
    visit("epochs", o.epochs);
    visit("weight_decay", o.weight_decay);
    visit("sparsity_target", o.sparsity_target);
    visit("sparsity_weight", o.sparsity_weight);
    visit("winner_share", o.winner_share);
    visit("fine_tune_epochs", o.fine_tune_epochs);
    visit("fine_tune_learning_rate", o.fine_tune_learning_rate);
    visit("fine_tune_loss", o.fine_tune_loss);
    visit("optimizer", o.optimizer);
    visit("learning_rate", o.learning_rate);
    visit("momentum", o.momentum);
    visit("nesterov", o.nesterov);
    visit("beta1", o.beta1);
    visit("beta2", o.beta2);
    visit("epsilon", o.epsilon);
    visit("schedule", o.schedule);
    visit("step_epochs", o.step_epochs);
    visit("step_factor", o.step_factor);
    visit("warmup", o.warmup);
    visit("clip_norm", o.clip_norm);
    visit("batch_size", o.batch_size);
    visit("validation", o.validation);
    visit("patience", o.patience);
    visit("seed", o.seed);
    visit("threads", o.threads);
    visit("memory", o.memory);
    visit("temporary_folder", o.temporary_folder);
}

template <class Value, class Visitor>
void each_recipe_field(Value& r, const Visitor& visit) {
    visit("channels", r.channels);
    visit("height", r.height);
    visit("width", r.width);
    visit("resize", r.resize);
    visit("background", r.background);
    visit("contrast", r.contrast);
    visit("contrast_epsilon", r.contrast_epsilon);
}

template <class Shape, class Visitor>
void each_shape_field(Shape& s, const Visitor& visit) {
    visit("channels", s.channels);
    visit("height", s.height);
    visit("width", s.width);
    visit("kernel", s.kernel);
    visit("whitened", s.whitened);
    visit("units", s.units);
    visit("contrast", s.contrast);
    visit("contrast_epsilon", s.contrast_epsilon);
    visit("two_sided", s.two_sided);
    visit("unit_length", s.unit_length);
    visit("pooling", s.pooling);
    visit("root", s.root);
    visit("pool_size", s.pool_size);
    visit("pool_stride", s.pool_stride);
    visit("grid", s.grid);
}

template <class Record, class Visitor>
void each_epoch_field(Record& r, const Visitor& visit) {
    visit("layer", r.layer);
    visit("epoch", r.epoch);
    visit("train_loss", r.train_loss);
    visit("validation_loss", r.validation_loss);
    visit("mean_loss", r.mean_loss);
    visit("dead_units", r.dead_units);
    visit("learning_rate", r.learning_rate);
    visit("seconds", r.seconds);
}

template <class Accuracy, class Visitor>
void each_accuracy_field(Accuracy& a, const Visitor& visit) {
    visit("layer", a.layer);
    visit("l2", a.l2);
    visit("cosine", a.cosine);
    visit("pictures", a.pictures);
    visit("neighbours", a.neighbours);
    visit("k", a.k);
}

/// A visitor that adds every field to an object.
auto into(Json& object) {
    return [&object](const char* key, const auto& field) { object[key] = json_of(field); };
}

/// validate() of a value that came from a file.
template <class Value>
void check(const Value& value, const std::string& where) {
    try {
        validate(value);
    } catch (const InvalidArgument& error) {
        throw CorruptFile(fmt::format("{}: {}", where, error.what()));
    }
}

}  // namespace

nlohmann::json json_value(const TrainOptions& options) {
    Json object = Json::object();
    each_option(options, into(object));
    return object;
}

nlohmann::json json_value(const Recipe& recipe) {
    Json object = Json::object();
    each_recipe_field(recipe, into(object));
    object["standardized"] = !recipe.mean.empty();
    return object;
}

nlohmann::json json_value(const EpochRecord& record) {
    Json object = Json::object();
    each_epoch_field(record, into(object));
    return object;
}

nlohmann::json json_value(const LayerAccuracy& accuracy) {
    Json object = Json::object();
    each_accuracy_field(accuracy, into(object));
    return object;
}

nlohmann::json json_value(const Model& model) {
    Json convolutions = Json::array();
    for (const ConvolutionLayer& layer : model.convolutions) {
        Json& object = convolutions.emplace_back(Json::object());
        each_shape_field(layer.shape, into(object));
        object["gain"] = json_of(layer.gain);
    }
    Json layers = Json::array();
    for (const DenseLayer& layer : model.layers) {
        layers.push_back({{"activation", name(layer.activation)},
                          {"decoder", name(layer.decoder)},
                          {"tied", layer.tied()},
                          {"of_roots", layer.of_roots},
                          {"inputs", layer.inputs()},
                          {"units", layer.units()}});
    }
    Json accuracies = Json::array();
    for (const LayerAccuracy& accuracy : model.layer_accuracies) {
        accuracies.push_back(json_value(accuracy));
    }
    Json history = Json::array();
    for (const EpochRecord& record : model.history) {
        history.push_back(json_value(record));
    }
    Json radial;
    if (model.radial) {
        radial = {{"inputs", model.radial->inputs()},
                  {"units", model.radial->units()},
                  {"block", model.radial->block()},
                  {"gamma", json_of(model.radial->gamma)},
                  {"length", json_of(model.radial->length)}};
    }
    return {{"recipe", json_value(model.recipe)},
            {"convolutions", std::move(convolutions)},
            {"layers", std::move(layers)},
            {"radial", std::move(radial)},
            {"picture_decoder", !model.picture_weights.empty()},
            {"l2_normalize", model.l2_normalize},
            {"options", json_value(model.options)},
            {"history", std::move(history)},
            {"class_names", model.class_names},
            {"trained_on", model.trained_on},
            {"pictures", model.pictures},
            {"interrupted", model.interrupted},
            {"layer_accuracies", std::move(accuracies)}};
}

TrainOptions read_train_options(const nlohmann::json& value, const std::string& where) {
    const JsonReader reader(value, where);
    TrainOptions options;
    each_option(options, [&](const char* key, auto& field) { reader.optional(key, field); });
    TrainOptions checked = options;
    if (checked.convolutions.empty() && checked.layers.empty() && checked.activations.empty()) {
        checked.layers = {1};
        checked.activations = {Activation::linear};
    }
    check(checked, where);
    return options;
}

ConvolutionShape read_convolution_shape(const nlohmann::json& value, const std::string& where) {
    const JsonReader reader(value, where);
    ConvolutionShape shape;
    each_shape_field(shape, [&](const char* key, auto& field) {
        if (key == std::string_view("root")) {  // models written before there was one
            reader.optional(key, field);
        } else {
            reader.required(key, field);
        }
    });
    check(shape, where);
    return shape;
}

Recipe read_recipe(const nlohmann::json& value, const std::string& where) {
    const JsonReader reader(value, where);
    Recipe recipe;
    each_recipe_field(recipe, [&](const char* key, auto& field) { reader.required(key, field); });
    check(recipe, where);
    return recipe;
}

LayerAccuracy read_layer_accuracy(const nlohmann::json& value, const std::string& where) {
    const JsonReader reader(value, where);
    LayerAccuracy accuracy;
    each_accuracy_field(accuracy, [&](const char* key, auto& field) { reader.required(key, field); });
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

EpochRecord read_epoch_record(const nlohmann::json& value, const std::string& where) {
    const JsonReader reader(value, where);
    EpochRecord record;
    each_epoch_field(record, [&](const char* key, auto& field) { reader.required(key, field); });
    if (record.layer < 0 || record.layer > 64) {
        reader.fail("layer", fmt::format("{} found, 0 to 64 expected", record.layer));
    }
    if (record.epoch < 1) {
        reader.fail("epoch", fmt::format("{} found, 1 or more expected", record.epoch));
    }
    if (record.dead_units < 0.0 || record.dead_units > 1.0) {
        reader.fail("dead_units", fmt::format("{} found, 0 to 1 expected", record.dead_units));
    }
    return record;
}

}  // namespace stackae

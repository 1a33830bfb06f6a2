#include <numeric>

#include "stackae/model.hpp"

#include "base/json.hpp"
#include "model/json.hpp"

namespace stackae {

JsonObject to_json(const TrainOptions& options) {
    return base::json_object(json_value(options));
}

JsonObject to_json(const EpochRecord& record) {
    return base::json_object(json_value(record));
}

JsonObject to_json(const LayerAccuracy& accuracy) {
    return base::json_object(json_value(accuracy));
}

JsonObject to_json(const Preset& preset) {
    return JsonObject()
        .set("name", preset.name)
        .set("summary", preset.summary)
        .set("options", to_json(preset.options));
}

double mean_threshold(const ConvolutionLayer& layer) {
    const auto bias = layer.bias.values();
    return -std::accumulate(bias.begin(), bias.end(), 0.0) / static_cast<double>(bias.size());
}

std::optional<double> activation_rate(const Model& model, std::size_t convolution) {
    const auto& asked = model.options.convolutions;
    const bool has_threshold = !model.convolutions[convolution].shape.unit_length;
    return has_threshold && convolution < asked.size() ? std::optional(asked[convolution].share)
                                                       : std::nullopt;
}

bool is_closed_form(const Model& model, std::size_t layer) {
    return model.options.code_size > 0 && layer == model.options.layers.size();
}

JsonObject to_json(const Model& model) {
    nlohmann::json object = json_value(model);
    object["identity"] = model.identity();
    object["parameters"] = model.parameters();
    object["code_size"] = model.code_size();
    object["depth"] = model.depth();
    for (std::size_t i = 0; i < model.convolutions.size(); ++i) {
        const ConvolutionLayer& layer = model.convolutions[i];
        const ConvolutionShape& s = layer.shape;
        nlohmann::json& described = object["convolutions"][i];
        const auto share = activation_rate(model, i);
        described["layer"] = i + 1;
        described["input_map"] = {s.height, s.width, s.channels};
        described["output_map"] = {s.cells_down(), s.cells_across(), s.code_channels()};
        described["share"] = share ? nlohmann::json(*share) : nlohmann::json();
        described["threshold"] = s.unit_length ? nlohmann::json() : nlohmann::json(mean_threshold(layer));
    }
    if (model.radial) {
        object["radial"]["layer"] = model.depth();
    }
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        object["layers"][i]["layer"] = model.convolutions.size() + i + 1;
        object["layers"][i]["closed_form"] = is_closed_form(model, i);
    }
    return base::json_object(object);
}

}  // namespace stackae

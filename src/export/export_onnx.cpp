#include "stackae/export_onnx.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "stackae/error.hpp"
#include "stackae/resources.hpp"

#include "base/enum_names.hpp"
#include "base/json.hpp"
#include "export/loaded_function.hpp"
#include "export/onnx_file.hpp"
#include "model/model_json.hpp"
#include "search/anomaly_onnx.hpp"
#include "search/gallery_onnx.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<OnnxInput> =
    base::names_of<OnnxInput>("input type", {{OnnxInput::uint8, "uint8"}, {OnnxInput::float32, "float32"}});
template <>
constexpr auto base::enum_names<OnnxPart> = base::names_of<OnnxPart>(
    "part",
    {{OnnxPart::encoder, "encoder"}, {OnnxPart::decoder, "decoder"}, {OnnxPart::autoencoder, "autoencoder"}});
extern template const char* name(Metric);  // of another room
template const char* name(OnnxPart);
template OnnxPart parse(std::string_view);
template const char* name(OnnxInput);
template OnnxInput parse(std::string_view);

namespace {

using exporting::OnnxFile;
using exporting::OnnxTensorType;
using exporting::WriteOnnx;
using layers::OnnxGraph;
using layers::OnnxValue;

constexpr int least_opset = 13;
constexpr int largest_opset = 17;
constexpr std::int64_t onnx_float = 1;  ///< TensorProto.FLOAT
constexpr double white = 255.0;

bool is_picture(const Preprocessing& preprocessing) {
    return preprocessing.height > 1;
}

/// What a picture's channels are multiplied by and what is added, from the numbers that a file holds.
OnnxValue scaled(OnnxGraph& graph, const Preprocessing& preprocessing, const OnnxValue& pixels) {
    if (preprocessing.ranges.empty()) {
        return is_picture(preprocessing) ? graph.each("Mul", pixels, 1.0 / white) : pixels;
    }
    std::vector<float> factors;
    std::vector<float> terms;
    for (const ChannelRange& range : preprocessing.ranges) {
        factors.push_back(static_cast<float>(1.0 / (double{range.high} - double{range.low})));
        terms.push_back(-range.low);
    }
    const OnnxValue ranged = graph.times_channels(graph.plus_channels(graph.as_map(pixels), terms), factors);
    if (!preprocessing.mean.empty()) {
        return ranged;
    }
    return {graph.add("Clip", {ranged.name, graph.number(0.0F), graph.number(1.0F)}), ranged.shape, true};
}

void check_holds(OnnxInput input, const Preprocessing& preprocessing) {
    const bool beyond = std::any_of(
        preprocessing.ranges.begin(), preprocessing.ranges.end(),
        [](const ChannelRange& range) { return double{range.low} < 0.0 || double{range.high} > white; });
    if (input == OnnxInput::uint8 && beyond) {
        throw InvalidArgument(
            "input type: uint8 found, float32 expected of channels whose values are not from 0 to 255");
    }
}

OnnxValue preprocess(OnnxGraph& graph, const Preprocessing& preprocessing, OnnxInput input) {
    check_holds(input, preprocessing);
    OnnxValue value{is_picture(preprocessing) ? "image" : "row", preprocessing.shape(),
                    is_picture(preprocessing)};
    if (value.is_map && input == OnnxInput::uint8) {
        value.name = graph.add("Cast", {value.name}, {{"to", onnx_float}});
    }
    value = scaled(graph, preprocessing, value);
    if (preprocessing.contrast) {
        value = graph.contrast_normalize(value, double{preprocessing.contrast_epsilon});
    }
    if (!preprocessing.mean.empty()) {
        Tensor shift({preprocessing.size()});
        Tensor scale({preprocessing.size()});
        for (std::int64_t i = 0; i < shift.size(); ++i) {
            const auto at = static_cast<std::size_t>(i);
            const float deviation = preprocessing.deviation[at];
            shift.data()[i] = -preprocessing.mean[at];
            scale.data()[i] = deviation > 0.0F ? 1.0F / deviation : 0.0F;
        }
        value = graph.times_columns(graph.plus_columns(value, shift), scale);
    }
    return value;
}

std::vector<std::int64_t> sides_of(const Preprocessing& preprocessing) {
    if (!is_picture(preprocessing)) {
        return {preprocessing.size()};
    }
    return {preprocessing.channels, preprocessing.height, preprocessing.width};
}

/// What a picture is, or a row of numbers.
OnnxTensorType picture_type(const Preprocessing& preprocessing, bool bytes) {
    return {is_picture(preprocessing) ? "image" : "row", bytes && is_picture(preprocessing),
            sides_of(preprocessing), is_picture(preprocessing)};
}

using Metadata = std::map<std::string, std::string>;

void add_preprocessing(const Preprocessing& preprocessing, bool pixels, Metadata& metadata) {
    metadata["stackae.preprocessing"] = base::print_json(json_of(preprocessing));
    if (!preprocessing.mean.empty()) {
        metadata["stackae.mean"] = base::print_json(nlohmann::json(preprocessing.mean));
        metadata["stackae.deviation"] = base::print_json(nlohmann::json(preprocessing.deviation));
    }
    if (pixels && is_picture(preprocessing) && !preprocessing.measured && preprocessing.ranges.empty()) {
        metadata["Image.BitmapPixelFormat"] = preprocessing.channels == 1 ? "Gray8" : "Rgb8";
        metadata["Image.ColorSpaceGamma"] = "SRGB";
        metadata["Image.NominalPixelRange"] = "NominalRange_0_255";
    }
}

Metadata metadata_of(const Model& model, std::size_t depth, bool pixels) {
    Metadata metadata{{"stackae.identity", model.identity()},
                      {"stackae.stack", to_text(Stack(model.layers.layers(0, depth)))}};
    add_preprocessing(model.preprocessing, pixels, metadata);
    if (!model.record.class_names.empty()) {
        metadata["stackae.class_names"] = base::print_json(nlohmann::json(model.record.class_names));
    }
    if (model.table.item_count() > 0) {
        const bool by_item = model.record.config.rows == TableRow::item;
        metadata["stackae.columns"] =
            base::print_json(nlohmann::json(by_item ? model.table.users : model.table.items));
    }
    return metadata;
}

void check_opset(int opset) {
    if (opset < least_opset || opset > largest_opset) {
        throw InvalidArgument(
            fmt::format("opset: {} found, {} to {} expected", opset, least_opset, largest_opset));
    }
}

void write(const OnnxFile& onnx, const OutputFile& file) {
    OutputFile(file).write(exporting::onnx_bytes(onnx));
}

/// As Encoder::decode(): down to where the head leads on from, where there is one.
OnnxValue decoded(OnnxGraph& graph, const Model& model, std::size_t depth, const OnnxValue& code) {
    if (const std::size_t layer = model.uninvertible_layer(depth); layer > 0) {
        throw InvalidArgument(
            fmt::format("decoder: layer {} ({}) found, which cannot be inverted, layers "
                        "that can expected",
                        layer, model.layers[layer - 1].type()));
    }
    const Reconstruction& reconstruction = model.reconstruction;
    const bool by_head = !reconstruction.head.empty() && depth >= reconstruction.depth;
    const OnnxValue below =
        layers::decode_to_onnx(graph, model.layers.layers(by_head ? reconstruction.depth : 0, depth), code);
    return by_head ? layers::encode_to_onnx(graph, reconstruction.head.layers(), below) : below;
}

/// A graph of a model's part, with the names of what goes in and comes out.
struct ModelGraph {
    OnnxGraph graph;
    OnnxTensorType input;
    OnnxTensorType output;
    const char* text = nullptr;
    std::size_t depth = 0;
};

ModelGraph graph_of(const Model& model, const OnnxOptions& options) {
    const Preprocessing& preprocessing = model.preprocessing;
    const bool rebuilds = options.part == OnnxPart::autoencoder;
    if (rebuilds && !options.output.empty()) {
        throw InvalidArgument(
            fmt::format("output: {} found, none expected where what goes in is rebuilt", options.output));
    }
    ModelGraph made;
    made.depth = rebuilds ? model.reconstruction.depth : model.depth_of(options.output);
    const OnnxTensorType features{
        "features", false, {model.layers.output_shape(model.input_shape(), made.depth).size()}};
    made.input = picture_type(preprocessing, options.input == OnnxInput::uint8);
    made.output = features;
    made.text = "Features of pictures that are decoded and brought to this size.";
    OnnxGraph& graph = made.graph;
    OnnxValue value{"features", model.layers.output_shape(model.input_shape(), made.depth), false};
    if (options.part == OnnxPart::decoder) {
        made.input = features;
    } else {
        value = layers::encode_to_onnx(graph, model.layers.layers(0, made.depth),
                                       preprocess(graph, preprocessing, options.input));
    }
    if (options.part != OnnxPart::encoder) {
        made.text = "What is rebuilt, in the values that the first layer sees.";
        made.output = picture_type(preprocessing, false);
        if (rebuilds) {
            const bool of_users = model.table.item_count() > 0 && model.record.config.rows == TableRow::user;
            made.output.name = of_users ? "scores" : "rebuilt";
        }
        value = decoded(graph, model, made.depth, value);
        value.shape = preprocessing.shape();
    }
    graph.name_output(made.output.image ? graph.as_map(value) : graph.as_rows(value), made.output.name);
    return made;
}

}  // namespace

std::string exporting::onnx_bytes(const OnnxFile& file) {
    static WriteOnnx* const writer =
        exporting::loaded_function<WriteOnnx>("ONNX", "libonnx1", onnx_library, write_onnx_name);
    std::string result;
    if (!writer(file, result)) {
        throw InvalidArgument(fmt::format("ONNX: {}", result));
    }
    return result;
}

void export_onnx(const Model& model, const OnnxOptions& options, const OutputFile& file) {
    check_opset(options.opset);
    const ModelGraph made = graph_of(model, options);
    write({.graph = made.graph,
           .input = made.input,
           .output = made.output,
           .opset = options.opset,
           .producer_version = version(),
           .text = made.text,
           .metadata = metadata_of(model, made.depth, options.part != OnnxPart::decoder)},
          file);
}

void export_onnx(const Model& model, const Gallery& gallery, const OnnxOptions& options,
                 const OutputFile& file) {
    check_opset(options.opset);
    check_model(gallery, model);
    if (!options.output.empty() || options.part != OnnxPart::encoder) {
        throw InvalidArgument(fmt::format("{}: a gallery found, which gives distances alone",
                                          options.output.empty() ? name(options.part) : options.output));
    }
    if (gallery.size() == 0) {
        throw InvalidArgument("ONNX: an empty gallery found, one with entries expected");
    }
    OnnxGraph graph;
    const OnnxValue code = layers::encode_to_onnx(graph, model.layers.layers(0, gallery.depth),
                                                  preprocess(graph, model.preprocessing, options.input));
    const OnnxValue distances = search::name_distances_to_onnx(graph, gallery, code);
    const OnnxTensorType output{"distances", false, {distances.shape.size()}};
    graph.name_output(distances, output.name);
    Metadata metadata = metadata_of(model, gallery.depth, true);
    std::vector<std::string> names;
    for (const auto& [each, entries] : count_names(gallery)) {
        names.push_back(each);
    }
    metadata["stackae.names"] = base::print_json(nlohmann::json(names));
    metadata["stackae.metric"] = name(gallery.metric);
    if (gallery.threshold) {
        metadata["stackae.threshold"] = fmt::format("{:.9g}", *gallery.threshold);
    }
    write(
        {.graph = graph,
         .input = picture_type(model.preprocessing, options.input == OnnxInput::uint8),
         .output = output,
         .opset = options.opset,
         .producer_version = version(),
         .text = "Distances to the nearest picture of each name, of pictures that are decoded and brought to "
                 "this size.",
         .metadata = metadata},
        file);
}

void export_onnx(const PatchMemory& memory, const OnnxOptions& options, const OutputFile& file) {
    check_opset(options.opset);
    const bool map = options.output.empty() || options.output == "map";
    if (!map && options.output != "score") {
        throw InvalidArgument(
            fmt::format("output: \"{}\" found, map or score expected of a patch memory", options.output));
    }
    if (options.part != OnnxPart::encoder) {
        throw InvalidArgument(fmt::format(
            "{}: a patch memory found, which rebuilds nothing, a model expected", name(options.part)));
    }
    OnnxGraph graph;
    OnnxValue value =
        search::anomaly_map_to_onnx(graph, memory, preprocess(graph, memory.preprocessing, options.input));
    const Preprocessing& preprocessing = memory.preprocessing;
    OnnxTensorType output{"map", false, {1, preprocessing.height, preprocessing.width}};
    if (map) {
        value = search::enlarge_map_in_onnx(graph, value, preprocessing.height, preprocessing.width);
    } else {
        value = search::anomaly_score_to_onnx(graph, memory, value);
        output = {"score", false, {1}};
    }
    graph.name_output(value, output.name);
    Metadata metadata{{"stackae.identity", memory.identity()},
                      {"stackae.rule", to_text(memory.rule)},
                      {"stackae.threshold",
                       fmt::format("{:.9g}", anomaly_threshold(memory, default_false_alarm).threshold)}};
    add_preprocessing(memory.preprocessing, true, metadata);
    write(
        {.graph = graph,
         .input = picture_type(memory.preprocessing, options.input == OnnxInput::uint8),
         .output = output,
         .opset = options.opset,
         .producer_version = version(),
         .text = "How odd pictures are, position by position or as a whole, that are decoded and brought to "
                 "this size.",
         .metadata = metadata},
        file);
}

namespace {

template <class... Exported>
void export_to_path(const std::string& path, const OnnxOptions& options, const Exported&... exported) {
    OutputFiles files;
    OutputFile file = files.add(path);
    export_onnx(exported..., options, file);
    file.commit();
}

}  // namespace

void export_onnx(const Model& model, const OnnxOptions& options, const std::string& path) {
    export_to_path(path, options, model);
}

void export_onnx(const PatchMemory& memory, const OnnxOptions& options, const std::string& path) {
    export_to_path(path, options, memory);
}

void export_onnx(const Model& model, const Gallery& gallery, const OnnxOptions& options,
                 const std::string& path) {
    export_to_path(path, options, model, gallery);
}

}  // namespace stackae

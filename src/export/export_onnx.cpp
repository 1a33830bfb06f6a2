#include "stackae/export_onnx.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "stackae/error.hpp"
#include "stackae/resources.hpp"

#include "base/enum_names.hpp"
#include "base/json.hpp"
#include "export/onnx_file.hpp"
#include "model/model_json.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<OnnxInput> =
    base::names_of<OnnxInput>("input type", {{OnnxInput::uint8, "uint8"}, {OnnxInput::float32, "float32"}});
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

/// The library stays loaded.
WriteOnnx* load_writer() {
    void* const library = ::dlopen(exporting::onnx_library, RTLD_NOW | RTLD_LOCAL);
    void* const found = library != nullptr ? ::dlsym(library, exporting::write_onnx_name) : nullptr;
    if (found == nullptr) {
        const char* const error = ::dlerror();
        throw Error(fmt::format("ONNX: {} with Debian's libonnx1 expected beside stackae: {}",
                                exporting::onnx_library, error != nullptr ? error : "no reason given"));
    }
    return reinterpret_cast<WriteOnnx*>(found);
}

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
    for (int c = 0; c < preprocessing.channels; ++c) {
        const auto& ranges = preprocessing.ranges;
        const ChannelRange& range = ranges[ranges.size() > 1 ? static_cast<std::size_t>(c) : 0];
        const double factor = 1.0 / (double{range.high} - double{range.low});
        factors.push_back(static_cast<float>(factor));
        terms.push_back(static_cast<float>(-double{range.low} * factor));
    }
    const OnnxValue ranged = graph.plus_channels(graph.times_channels(graph.as_map(pixels), factors), terms);
    if (!preprocessing.mean.empty()) {
        return ranged;
    }
    return {graph.add("Clip", {ranged.name, graph.number(0.0F), graph.number(1.0F)}), ranged.shape, true};
}

OnnxValue preprocess(OnnxGraph& graph, const Preprocessing& preprocessing, OnnxInput input) {
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

std::map<std::string, std::string> metadata_of(const Model& model, std::size_t depth, bool pixels) {
    const Preprocessing& preprocessing = model.preprocessing;
    std::map<std::string, std::string> metadata{
        {"stackae.identity", model.identity()},
        {"stackae.stack", to_text(Stack(model.layers.layers(0, depth)))},
        {"stackae.preprocessing", base::print_json(json_of(preprocessing))}};
    if (!model.record.class_names.empty()) {
        metadata["stackae.class_names"] = base::print_json(nlohmann::json(model.record.class_names));
    }
    if (model.table.item_count() > 0) {
        const bool by_item = model.record.config.rows == TableRow::item;
        metadata["stackae.columns"] =
            base::print_json(nlohmann::json(by_item ? model.table.users : model.table.items));
    }
    if (pixels && !preprocessing.measured) {
        metadata["Image.BitmapPixelFormat"] = preprocessing.channels == 1 ? "Gray8" : "Rgb8";
        metadata["Image.ColorSpaceGamma"] = "SRGB";
        metadata["Image.NominalPixelRange"] = "NominalRange_0_255";
    }
    return metadata;
}

void write(const OnnxFile& onnx, const OutputFile& file) {
    OutputFile(file).write(exporting::onnx_bytes(onnx));
}

void export_encoder(const Model& model, const OnnxOptions& options, const OutputFile& file) {
    const Preprocessing& preprocessing = model.preprocessing;
    const std::size_t depth = model.depth_of(options.output);
    const bool bytes = is_picture(preprocessing) && options.input == OnnxInput::uint8;
    OnnxGraph graph;
    const OnnxValue picture = preprocess(graph, preprocessing, options.input);
    const OnnxValue code = layers::encode_to_onnx(graph, model.layers.layers(0, depth), picture);
    graph.name_output(graph.as_rows(code), "features");
    write({.graph = graph,
           .input = {is_picture(preprocessing) ? "image" : "row", bytes, sides_of(preprocessing),
                     is_picture(preprocessing)},
           .output = {"features", false, {code.shape.size()}},
           .opset = options.opset,
           .producer_version = version(),
           .text = "Features of pictures that are decoded and brought to this size.",
           .metadata = metadata_of(model, depth, is_picture(preprocessing))},
          file);
}

void export_decoder(const Model& model, const OnnxOptions& options, const OutputFile& file) {
    const bool own = options.output.empty();
    const std::size_t depth = own ? model.reconstruction.depth : model.depth_of(options.output);
    const Layers layers = model.layers.layers(0, depth);
    const bool head = own && !model.reconstruction.head.empty();
    if (const std::size_t layer = model.uninvertible_layer(depth); !head && layer > 0) {
        throw InvalidArgument(
            fmt::format("decoder: layer {} ({}) found, which cannot be inverted, layers "
                        "that can expected",
                        layer, model.layers[layer - 1].type()));
    }
    OnnxGraph graph;
    const OnnxValue code{"features", model.layers.output_shape(model.input_shape(), depth), false};
    OnnxValue picture = head ? layers::encode_to_onnx(graph, model.reconstruction.head.layers(), code)
                             : layers::decode_to_onnx(graph, layers, code);
    const Preprocessing& preprocessing = model.preprocessing;
    picture.shape = preprocessing.shape();
    graph.name_output(is_picture(preprocessing) ? graph.as_map(picture) : graph.as_rows(picture),
                      is_picture(preprocessing) ? "image" : "row");
    write({.graph = graph,
           .input = {"features", false, {code.shape.size()}},
           .output = {is_picture(preprocessing) ? "image" : "row", false, sides_of(preprocessing),
                      is_picture(preprocessing)},
           .opset = options.opset,
           .producer_version = version(),
           .text = "Pictures, in the values that the first layer sees, of features.",
           .metadata = metadata_of(model, depth, false)},
          file);
}

}  // namespace

std::string exporting::onnx_bytes(const OnnxFile& file) {
    static WriteOnnx* const writer = load_writer();
    std::string result;
    if (!writer(file, result)) {
        throw InvalidArgument(fmt::format("ONNX's checker refuses the graph: {}", result));
    }
    return result;
}

void export_onnx(const Model& model, const OnnxOptions& options, const OutputFile& file) {
    if (options.opset < least_opset || options.opset > largest_opset) {
        throw InvalidArgument(
            fmt::format("opset: {} found, {} to {} expected", options.opset, least_opset, largest_opset));
    }
    if (options.decoder) {
        export_decoder(model, options, file);
    } else {
        export_encoder(model, options, file);
    }
}

void export_onnx(const Model& model, const OnnxOptions& options, const std::string& path) {
    OutputFiles files;
    OutputFile file = files.add(path);
    export_onnx(model, options, file);
    file.commit();
}

}  // namespace stackae

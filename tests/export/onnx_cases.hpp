#pragma once

#include <cmath>
#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "stackae/export_onnx.hpp"
#include "stackae/image_dataset.hpp"
#include "stackae/resources.hpp"

#include "export/onnx_file.hpp"
#include "layers/chain.hpp"
#include "layers/sample.hpp"

namespace stackae::test {

/// A graph, an input and what the library itself makes of it.
struct OnnxCase {
    std::string name;
    std::string model;                ///< the file's bytes
    std::vector<std::int64_t> shape;  ///< of the input, N first
    bool bytes = false;               ///< the input is uint8
    std::vector<float> input;
    Tensor expected;

    /// How far from what was expected values may be: the ten-thousandth of their deviation.
    [[nodiscard]] double tolerance() const {
        double sum = 0.0;
        double squares = 0.0;
        for (const float x : expected.values()) {
            sum += double{x};
            squares += double{x} * double{x};
        }
        const auto n = static_cast<double>(expected.size());
        return 1e-4 * std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)));
    }
};

inline OnnxCase layers_case(const std::string& text, const Shape& input, layers::Direction direction) {
    constexpr std::int64_t rows = 16;
    const Stack stack = filled_stack(text, input);
    const bool encodes = direction == layers::Direction::encode;
    const Shape in = encodes ? input : stack.layers().back()->output_shape();
    const Tensor values = random_rows(rows, in.size(), 77);
    layers::OnnxGraph graph;
    const layers::OnnxValue x{"x", in, false};
    const layers::OnnxValue made = encodes ? layers::encode_to_onnx(graph, stack.layers(), x)
                                           : layers::decode_to_onnx(graph, stack.layers(), x);
    graph.name_output(graph.as_rows(made), "y");
    OnnxCase out;
    out.name = (encodes ? "" : "back through ") + text;
    out.model = exporting::onnx_bytes({.graph = graph,
                                       .input = {"x", false, {in.size()}},
                                       .output = {"y", false, {made.shape.size()}},
                                       .producer_version = version(),
                                       .text = {},
                                       .metadata = {}});
    out.shape = {rows, in.size()};
    out.input.assign(values.values().begin(), values.values().end());
    out.expected = layers::Chain(stack.layers(), direction, 1).run(Tensor(values));
    return out;
}

/// Every kind of layer, one way and, where it can be inverted, the other, and some stacks of them.
inline std::vector<OnnxCase> layer_cases() {
    std::vector<OnnxCase> cases;
    std::vector<Sample> all = samples();
    all.insert(all.end(),
               {{"conv2d:6:kernel=3,pool2d:2,group_pool:dihedral,power_norm,pca:5,l2_norm", {8, 8, 3}},
                {"conv2d:8:kernel=3:whitening_dim=20,pool2d:grid=2:window=triangular", {7, 9, 40}},
                {"pool2d:grid=3:mode=maximum", {7, 11, 2}},
                {"dense:9:activation=elu,dense:8:activation=silu,dense:7:activation=sigmoid", {1, 1, 6}},
                {"dense:9:activation=relu,nystroem:40,l2_norm", {4, 3, 2}}});
    for (const Sample& sample : all) {
        const Stack stack = filled_stack(sample.text, sample.input);
        cases.push_back(layers_case(sample.text, sample.input, layers::Direction::encode));
        bool back = true;
        for (const auto& layer : stack.layers()) {
            back = back && layer->is_invertible();
        }
        if (back) {
            cases.push_back(layers_case(sample.text, sample.input, layers::Direction::decode));
        }
    }
    return cases;
}

/// An output of a model, of pictures of a folder that have the model's size.
inline OnnxCase model_case(const std::string& model_path, const std::string& folder,
                           const OnnxOptions& options, const std::string& scratch) {
    constexpr std::int64_t most = 1000;
    const Model model = load_model(model_path);
    const ImageDataset pictures = ImageDataset::open(folder, {});
    Preprocessing plain = model.preprocessing;
    plain.contrast = false;
    plain.mean.clear();
    plain.deviation.clear();
    const auto read = [&](const Preprocessing& preprocessing) {
        PictureReader reader(pictures, preprocessing, {.batch_size = most});
        PictureBatch batch;
        reader.next(batch);
        return batch.pictures;
    };
    const Tensor raw = read(plain);
    export_onnx(model, options, scratch);
    OnnxCase out;
    out.name = model_path + " " + options.output;
    std::ifstream file(scratch, std::ios::binary);
    out.model.assign(std::istreambuf_iterator<char>(file), {});
    out.shape = {raw.rows(), plain.channels, plain.height, plain.width};
    out.bytes = options.input == OnnxInput::uint8;
    for (std::int64_t i = 0; i < raw.rows(); ++i) {
        for (std::int64_t c = 0; c < plain.channels; ++c) {
            for (std::int64_t p = 0; p < plain.height * plain.width; ++p) {
                out.input.push_back(
                    std::round(raw.row(i)[static_cast<std::size_t>(p * plain.channels + c)] * 255.0F));
            }
        }
    }
    out.expected = Encoder(model, {.output = options.output}).encode(read(model.preprocessing));
    return out;
}

}  // namespace stackae::test

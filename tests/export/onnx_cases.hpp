#pragma once

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "stackae/export_onnx.hpp"
#include "stackae/gallery.hpp"
#include "stackae/image_dataset.hpp"
#include "stackae/memorize.hpp"
#include "stackae/recommend.hpp"
#include "stackae/resources.hpp"

#include "export/onnx_file.hpp"
#include "layers/chain.hpp"
#include "layers/sample.hpp"
#include "model/sample_model.hpp"
#include "support/interactions.hpp"

namespace stackae::test {

/// A graph, an input and what the library itself makes of it.
struct OnnxCase {
    std::string name;
    std::string model;                ///< the file's bytes
    std::vector<std::int64_t> shape;  ///< of the input, N first
    bool bytes = false;               ///< the input is uint8
    std::vector<float> input;
    Tensor expected;
    bool sorts = false;  ///< by the operator TopK, which OpenCV 4.6 lacks

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

inline std::string file_bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Pictures N × (H · W · C) as N × (C · H · W).
inline Tensor channels_first(const Tensor& pictures, const Shape& shape) {
    Tensor out(pictures.shape());
    const std::int64_t positions = shape.height * shape.width;
    for (std::int64_t i = 0; i < pictures.rows(); ++i) {
        for (std::int64_t p = 0; p < positions; ++p) {
            for (std::int64_t c = 0; c < shape.channels; ++c) {
                out.row(i)[static_cast<std::size_t>(c * positions + p)] =
                    pictures.row(i)[static_cast<std::size_t>(p * shape.channels + c)];
            }
        }
    }
    return out;
}

/// Pictures of values from 0 to 1 as bytes, N × C × H × W.
inline void set_pictures(const Tensor& pictures, const Shape& shape, OnnxInput input, OnnxCase& out) {
    out.shape = {pictures.rows(), shape.channels, shape.height, shape.width};
    out.bytes = input == OnnxInput::uint8;
    const Tensor turned = channels_first(pictures, shape);
    std::transform(turned.values().begin(), turned.values().end(), std::back_inserter(out.input),
                   [](float value) { return std::round(value * 255.0F); });
}

/// An output of a model, of the first pictures of a folder.
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
    export_onnx(model, options, scratch);
    OnnxCase out;
    out.name = model_path + " " + options.output;
    out.model = file_bytes(scratch);
    set_pictures(read(plain), plain.shape(), options.input, out);
    out.expected = Encoder(model, {.output = options.output}).encode(read(model.preprocessing));
    return out;
}

/// The way back of the model of photographs, which has a head of its own, from each of its depths above it.
inline std::vector<OnnxCase> decoder_cases(const std::string& model_path, const std::string& scratch) {
    std::vector<OnnxCase> cases;
    const Model model = load_model(model_path);
    for (const std::string& output : {std::string("embedding"), std::to_string(model.reconstruction.depth)}) {
        export_onnx(model, {.output = output, .part = OnnxPart::decoder}, scratch);
        OnnxCase out;
        out.name = "back from " + output + " of " + model_path;
        out.model = file_bytes(scratch);
        const Tensor codes = random_rows(12, model.code_size(output), 3);
        out.shape = codes.shape();
        out.input.assign(codes.values().begin(), codes.values().end());
        out.expected = channels_first(Encoder(model, {.output = output}).decode(codes), model.input_shape());
        cases.push_back(std::move(out));
    }
    return cases;
}

/// What a table's models rebuild of its rows.
inline std::vector<OnnxCase> recommendation_cases(const std::string& scratch) {
    std::vector<OnnxCase> cases;
    for (const std::string stack : {"elsa:4", "edlae", "dense:6:activation=tanh, dense:3"}) {
        Model model = sample_model(stack, {1, 20, 1});
        model.table = two_tastes(64);
        export_onnx(model, {.part = OnnxPart::autoencoder}, scratch);
        OnnxCase out;
        out.name = "scores of " + stack;
        out.model = file_bytes(scratch);
        const Tensor rows = dense_rows(model.table, 0, 64);
        out.shape = rows.shape();
        out.input.assign(rows.values().begin(), rows.values().end());
        out.expected = Recommender(model).scores(model.table, 0, 64);
        cases.push_back(std::move(out));
    }
    return cases;
}

/// Waves and noise, with values that bytes have.
inline Tensor waves(std::int64_t count, const Shape& shape, std::uint32_t seed) {
    Tensor pictures({count, shape.height, shape.width, shape.channels});
    const Tensor noise = random_rows(count, shape.size() + 3, seed);
    for (std::int64_t i = 0; i < count; ++i) {
        const auto random = noise.row(i);
        for (std::int64_t j = 0; j < shape.size(); ++j) {
            const auto x = static_cast<float>(j / shape.channels % shape.width);
            const auto y = static_cast<float>(j / shape.channels / shape.width);
            const float value = 0.5F + 0.2F * std::sin(0.7F * x + 3.0F * random[0]) +
                                0.15F * std::sin(0.5F * y + 3.0F * random[1]) +
                                0.3F * random[static_cast<std::size_t>(3 + j)];
            pictures.data()[i * shape.size() + j] =
                std::round(std::clamp(value, 0.0F, 1.0F) * 255.0F) / 255.0F;
        }
    }
    return pictures;
}

inline Tensor rows_of(const Tensor& rows, std::int64_t first, std::int64_t count) {
    Tensor some({count, rows.columns()});
    std::copy_n(rows.row(first).data(), some.size(), some.data());
    return some;
}

/// Distances to names by either metric, scaled and not, one name and several, of one entry and of many.
inline std::vector<OnnxCase> gallery_cases(const std::string& model_path, const std::string& pictures,
                                           const std::string& scratch) {
    const Model model = load_model(model_path);
    const ImageDataset all = ImageDataset::open(pictures);
    PictureBatch batch;
    (void)PictureReader(all, model.preprocessing, {.batch_size = 64}).next(batch);
    constexpr std::int64_t asked = 16;  // pictures that are not in the gallery
    std::vector<OnnxCase> cases;
    for (const Metric metric : {Metric::l2, Metric::cosine}) {
        for (const bool scaled : {false, true}) {
            Gallery gallery;
            gallery.model_identity = model.identity();
            gallery.depth = model.depth_of();
            gallery.metric = metric;
            gallery.l2_normalize = scaled;
            Encoder encoder(model, {.l2_normalize = scaled});
            gallery.codes = encoder.encode(rows_of(batch.pictures, asked, batch.pictures.rows() - asked));
            for (std::int64_t i = 0; i < gallery.codes.rows(); ++i) {
                gallery.names.push_back(i == 0 ? "alone" : "name " + std::to_string(i % 5));
                gallery.paths.push_back(std::to_string(i));
            }
            export_onnx(model, gallery, {}, scratch);
            OnnxCase out;
            out.name = std::string("a gallery by ") + name(metric) + (scaled ? ", scaled" : "");
            out.model = file_bytes(scratch);
            const Tensor rows = rows_of(batch.pictures, 0, asked);
            set_pictures(rows, model.preprocessing.shape(), OnnxInput::uint8, out);
            const std::vector<Recognition> found =
                Recognizer(gallery, {.top = 6}).recognize(encoder.encode(rows));
            out.expected = Tensor({rows.rows(), 6});
            for (std::int64_t i = 0; i < rows.rows(); ++i) {
                for (const Candidate& candidate : found[static_cast<std::size_t>(i)].top) {
                    const auto at = candidate.name == "alone" ? 0 : candidate.name.back() - '0' + 1;
                    out.expected.row(i)[static_cast<std::size_t>(at)] =
                        static_cast<float>(candidate.distance);
                }
            }
            cases.push_back(std::move(out));
        }
    }
    return cases;
}

/// Maps of a patch memory by every method, and scores by rules.
inline std::vector<OnnxCase> patch_memory_cases(const std::string& scratch) {
    const Shape shape{64, 70, 1};  // two levels
    InputObserver nobody;
    Manifest manifest(nobody);
    PatchMemory learnt = memorize(Inputs(ImageDataset::from_tensor(waves(9, shape, 5))),
                                  {.max_codes = 1500, .dimension = 24}, manifest);
    std::fill_n(learnt.region.data(), learnt.width, 0.0F);
    const Tensor rows = [&] {
        const Tensor pictures = waves(8, shape, 6);
        Tensor flat({8, shape.size()});
        std::copy_n(pictures.data(), pictures.size(), flat.data());
        return flat;
    }();
    using enum AnomalyMethod;
    std::vector<OnnxCase> cases;
    const auto add = [&](const AnomalyRule& rule, const std::string& output, OnnxInput input) {
        learnt.rule = rule;
        export_onnx(learnt, {.output = output, .input = input}, scratch);
        OnnxCase out;
        out.name = output + " of " + to_text(rule);
        out.model = file_bytes(scratch);
        set_pictures(rows, shape, input, out);
        const std::vector<AnomalyScore> scores = AnomalyScorer(learnt).score(rows);
        const bool map = output == "map";
        out.expected = Tensor({rows.rows(), map ? shape.height * shape.width : 1});
        for (std::int64_t i = 0; i < rows.rows(); ++i) {
            const AnomalyScore& score = scores[static_cast<std::size_t>(i)];
            const Tensor enlarged = enlarge_map(score.map, shape.height, shape.width);
            out.expected.row(i)[0] = static_cast<float>(score.score);
            if (map) {
                std::copy_n(enlarged.data(), enlarged.size(), out.expected.row(i).data());
            }
        }
        out.sorts = !map && rule.share > 0.0;
        cases.push_back(std::move(out));
    };
    for (const AnomalyMethod method : {memory, gaussian, position_gaussian, reconstruction}) {
        add({{method}}, "map", OnnxInput::uint8);
    }
    add({{memory, gaussian, position_gaussian, reconstruction}, true}, "map", OnnxInput::float32);
    add({{memory, reconstruction}, true}, "score", OnnxInput::uint8);
    add({{memory}, true, 0.05}, "score", OnnxInput::uint8);
    add({{gaussian}, false, 0.1, 9}, "score", OnnxInput::uint8);
    return cases;
}

}  // namespace stackae::test

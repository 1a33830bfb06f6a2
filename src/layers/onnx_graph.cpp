#include "layers/onnx_graph.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "linalg/vector_ops.hpp"

namespace stackae::layers {
namespace {

using Sides = std::vector<std::int64_t>;

}  // namespace

std::string OnnxGraph::next_name(std::string_view of) {
    return fmt::format("{}_{}", of, named_++);
}

std::string OnnxGraph::keep(OnnxConstant constant) {
    const auto same = std::find_if(constants_.begin(), constants_.end(), [&](const OnnxConstant& other) {
        return other.shape == constant.shape && other.values == constant.values;
    });
    if (same != constants_.end()) {
        return same->name;
    }
    constant.name = next_name("constant");
    constants_.push_back(std::move(constant));
    return constants_.back().name;
}

std::string OnnxGraph::constant(std::vector<std::int64_t> shape, std::vector<float> values) {
    return keep({{}, std::move(shape), std::move(values)});
}

std::string OnnxGraph::constant(const Tensor& tensor) {
    return constant(tensor.shape(), {tensor.values().begin(), tensor.values().end()});
}

std::string OnnxGraph::indices(std::vector<std::int64_t> values) {
    const auto count = static_cast<std::int64_t>(values.size());
    return keep({{}, {count}, std::move(values)});
}

std::string OnnxGraph::add(std::string_view op, std::vector<std::string> inputs,
                           std::vector<OnnxAttribute> attributes, int outputs) {
    OnnxNode node{std::string(op), std::move(inputs), {}, std::move(attributes)};
    for (int i = 0; i < outputs; ++i) {
        node.outputs.push_back(next_name(op));
    }
    nodes_.push_back(std::move(node));
    return nodes_.back().outputs.front();
}

void OnnxGraph::name_output(const OnnxValue& value, std::string name) {
    nodes_.push_back({"Identity", {value.name}, {std::move(name)}, {}});
}

OnnxValue OnnxGraph::as_map(const OnnxValue& value) {
    if (value.is_map) {
        return value;
    }
    const Shape& s = value.shape;
    OnnxValue map{value.name, s, true};
    if (s.height == 1 && s.width == 1) {
        map.name = add("Reshape", {value.name, indices({-1, s.channels, 1, 1})});
    } else if (s.channels == 1) {
        map.name = add("Reshape", {value.name, indices({-1, 1, s.height, s.width})});
    } else {
        map.name = add("Reshape", {value.name, indices({-1, s.height, s.width, s.channels})});
        map.name = add("Transpose", {map.name}, {{"perm", Sides{0, 3, 1, 2}}});
    }
    return map;
}

OnnxValue OnnxGraph::as_rows(const OnnxValue& value) {
    if (!value.is_map) {
        return value;
    }
    const Shape& s = value.shape;
    OnnxValue rows{value.name, s, false};
    if (s.channels > 1 && s.height * s.width > 1) {
        rows.name = add("Transpose", {rows.name}, {{"perm", Sides{0, 2, 3, 1}}});
    }
    rows.name = add("Reshape", {rows.name, indices({-1, s.size()})});
    return rows;
}

OnnxValue OnnxGraph::each(std::string_view op, const OnnxValue& value) {
    return {add(op, {value.name}), value.shape, value.is_map};
}

OnnxValue OnnxGraph::each(std::string_view op, const OnnxValue& value, double constant) {
    return {add(op, {value.name, scalar(constant)}), value.shape, value.is_map};
}

OnnxValue OnnxGraph::each(std::string_view op, const OnnxValue& a, const OnnxValue& b) {
    return {add(op, {a.name, b.name}), a.shape, a.is_map};
}

OnnxValue OnnxGraph::affine(const OnnxValue& value, const Tensor& weights, const Tensor& bias,
                            const Shape& out, Activation activation, bool turned) {
    // Always outputs × inputs: OpenCV 4.6 takes them in no other order.
    std::vector<std::string> inputs{as_rows(value).name,
                                    constant(turned ? linalg::transposed(weights) : weights)};
    if (!bias.empty()) {
        inputs.push_back(constant({out.size()}, {bias.values().begin(), bias.values().end()}));
    }
    return activate({add("Gemm", std::move(inputs), {{"transB", std::int64_t{1}}}), out, false}, activation);
}

OnnxValue OnnxGraph::activate(const OnnxValue& value, Activation activation) {
    switch (activation) {
        case Activation::linear:
            break;
        case Activation::sigmoid:
            return each("Sigmoid", value);
        case Activation::tanh:
            return each("Tanh", value);
        case Activation::relu:
            return each("Relu", value);
        case Activation::elu:
            return each("Elu", value);
        case Activation::silu:
            return each("Mul", value, each("Sigmoid", value));
    }
    return value;
}

OnnxValue OnnxGraph::signed_power(const OnnxValue& value, double power) {
    if (power == 1.0) {
        return value;
    }
    const auto raised = [&](const OnnxValue& of) {
        return power == 0.5 ? each("Sqrt", of) : each("Pow", of, power);
    };
    const OnnxValue above = raised(each("Relu", value));
    return each("Sub", above, raised(each("Relu", each("Mul", value, -1.0))));
}

OnnxValue OnnxGraph::times_columns(const OnnxValue& rows, const Tensor& factors) {
    const OnnxValue flat = as_rows(rows);
    return {add("Mul", {flat.name,
                        constant({1, factors.size()}, {factors.values().begin(), factors.values().end()})}),
            flat.shape, false};
}

OnnxValue OnnxGraph::plus_columns(const OnnxValue& rows, const Tensor& terms) {
    const OnnxValue flat = as_rows(rows);
    return {plus(flat.name, {terms.values().begin(), terms.values().end()}), flat.shape, false};
}

OnnxValue OnnxGraph::times_channels(const OnnxValue& map, const std::vector<float>& factors) {
    return {add("Mul", {map.name, constant({1, static_cast<std::int64_t>(factors.size()), 1, 1}, factors)}),
            map.shape, true};
}

OnnxValue OnnxGraph::plus_channels(const OnnxValue& map, const std::vector<float>& terms) {
    return {plus(map.name, terms), map.shape, true};
}

std::string OnnxGraph::plus(const std::string& name, const std::vector<float>& terms) {
    // (x − 0) / √1 · 1 + term: OpenCV 4.6 adds a constant of several values in no other way.
    const auto count = static_cast<std::int64_t>(terms.size());
    const std::string ones = constant({count}, std::vector<float>(terms.size(), 1.0F));
    const std::string zeros = constant({count}, std::vector<float>(terms.size(), 0.0F));
    return add("BatchNormalization", {name, ones, constant({count}, terms), zeros, ones},
               {{"epsilon", 0.0F}});
}

OnnxValue OnnxGraph::columns(const OnnxValue& rows, std::int64_t begin, std::int64_t end) {
    const OnnxValue flat = as_rows(rows);
    if (begin == 0 && end == flat.shape.size()) {
        return flat;
    }
    return {add("Slice", {flat.name, indices({begin}), indices({end}), indices({1})}),
            {1, 1, end - begin},
            false};
}

namespace {

std::vector<std::string> names_of(const std::vector<OnnxValue>& values) {
    std::vector<std::string> names;
    for (const OnnxValue& value : values) {
        names.push_back(value.name);
    }
    return names;
}

}  // namespace

OnnxValue OnnxGraph::concat(const std::vector<OnnxValue>& rows) {
    if (rows.size() == 1) {
        return rows.front();
    }
    Shape shape{1, 1, 0};
    for (const OnnxValue& value : rows) {
        shape.channels += value.shape.size();
    }
    return {add("Concat", names_of(rows), {{"axis", std::int64_t{1}}}), shape, false};
}

OnnxValue OnnxGraph::concat_across(const std::vector<OnnxValue>& maps) {
    Shape shape = maps.front().shape;
    shape.width *= static_cast<std::int64_t>(maps.size());
    return {add("Concat", names_of(maps), {{"axis", std::int64_t{3}}}), shape, true};
}

OnnxValue OnnxGraph::concat_down(const std::vector<OnnxValue>& maps) {
    Shape shape = maps.front().shape;
    shape.height *= static_cast<std::int64_t>(maps.size());
    return {add("Concat", names_of(maps), {{"axis", std::int64_t{2}}}), shape, true};
}

OnnxValue OnnxGraph::concat_channels(const std::vector<OnnxValue>& maps) {
    Shape shape = maps.front().shape;
    shape.channels = 0;
    for (const OnnxValue& map : maps) {
        shape.channels += map.shape.channels;
    }
    return {add("Concat", names_of(maps), {{"axis", std::int64_t{1}}}), shape, true};
}

OnnxValue OnnxGraph::mirror(const OnnxValue& map) {
    const Shape& s = map.shape;
    Tensor swapped({s.width, s.width});
    for (std::int64_t x = 0; x < s.width; ++x) {
        swapped.row(x)[static_cast<std::size_t>(s.width - 1 - x)] = 1.0F;
    }
    return along_width(map, swapped);
}

OnnxValue OnnxGraph::along_width(const OnnxValue& map, const Tensor& matrix) {
    Shape shape = map.shape;
    const std::string rows = add("Reshape", {map.name, indices({-1, shape.width})});
    const std::string product = add("Gemm", {rows, constant(matrix)}, {{"transB", std::int64_t{1}}});
    shape.width = matrix.rows();
    return {add("Reshape", {product, indices({-1, shape.channels, shape.height, shape.width})}), shape, true};
}

OnnxValue OnnxGraph::along_height(const OnnxValue& map, const Tensor& matrix) {
    return transpose_sides(along_width(transpose_sides(map), matrix));
}

OnnxValue OnnxGraph::split_tiles(const OnnxValue& map, std::int64_t down, std::int64_t across) {
    Shape tile = map.shape;
    tile.height /= down;
    tile.width /= across;
    const std::string sides =
        add("Reshape", {map.name, indices({-1, tile.channels, down, tile.height, across, tile.width})});
    const std::string turned = add("Transpose", {sides}, {{"perm", Sides{0, 2, 4, 1, 3, 5}}});
    return {add("Reshape", {turned, indices({-1, tile.channels, tile.height, tile.width})}), tile, true};
}

OnnxValue OnnxGraph::join_tiles(const OnnxValue& tiles, std::int64_t down, std::int64_t across) {
    Shape map = tiles.shape;
    const std::string sides =
        add("Reshape", {tiles.name, indices({-1, down, across, map.channels, map.height, map.width})});
    const std::string turned = add("Transpose", {sides}, {{"perm", Sides{0, 3, 1, 4, 2, 5}}});
    map.height *= down;
    map.width *= across;
    return {add("Reshape", {turned, indices({-1, map.channels, map.height, map.width})}), map, true};
}

OnnxValue OnnxGraph::transpose_sides(const OnnxValue& map) {
    Shape shape = map.shape;
    std::swap(shape.height, shape.width);
    return {add("Transpose", {map.name}, {{"perm", Sides{0, 1, 3, 2}}}), shape, true};
}

OnnxValue OnnxGraph::over_positions(const OnnxValue& map, const Tensor& matrix, const Shape& out) {
    const Shape& s = map.shape;
    const std::string positions = add("Reshape", {map.name, indices({-1, s.height * s.width})});
    const std::string product = add("Gemm", {positions, constant(matrix)}, {{"transB", std::int64_t{1}}});
    return {add("Reshape", {product, indices({-1, out.channels, out.height, out.width})}), out, true};
}

OnnxValue OnnxGraph::part(const OnnxValue& map, const Rectangle& part) {
    const Shape shape{part.bottom - part.top, part.right - part.left, map.shape.channels};
    if (shape == map.shape) {
        return map;
    }
    return {add("Slice", {map.name, indices({part.top, part.left}), indices({part.bottom, part.right}),
                          indices({2, 3})}),
            shape, true};
}

OnnxValue OnnxGraph::largest(const OnnxValue& map, const Rectangle& part) {
    const OnnxValue cut = this->part(map, part);
    return {add("MaxPool", {cut.name}, {{"kernel_shape", Sides{cut.shape.height, cut.shape.width}}}),
            {1, 1, map.shape.channels},
            true};
}

OnnxValue OnnxGraph::mix_channels(const OnnxValue& map, std::vector<float> weights,
                                  const std::vector<float>& bias) {
    const std::int64_t outputs = static_cast<std::int64_t>(weights.size()) / map.shape.channels;
    std::vector<std::string> inputs{map.name,
                                    constant({outputs, map.shape.channels, 1, 1}, std::move(weights))};
    if (!bias.empty()) {
        inputs.push_back(constant({outputs}, bias));
    }
    return {add("Conv", std::move(inputs), {{"kernel_shape", Sides{1, 1}}}),
            {map.shape.height, map.shape.width, outputs},
            true};
}

OnnxValue OnnxGraph::squared_norms(const OnnxValue& map) {
    const auto channels = static_cast<std::size_t>(map.shape.channels);
    return mix_channels(each("Mul", map, map), std::vector<float>(channels, 1.0F), {});
}

OnnxValue OnnxGraph::sum_of_channels(const OnnxValue& value) {
    const std::int64_t channels = value.shape.channels;
    std::vector<float> ones(static_cast<std::size_t>(channels), 1.0F);
    if (value.is_map) {
        return mix_channels(mix_channels(value, ones, {}), ones, {});
    }
    const std::string sum = add("MatMul", {value.name, constant({channels, 1}, ones)});
    return {add("MatMul", {sum, constant({1, channels}, std::move(ones))}), value.shape, false};
}

OnnxValue OnnxGraph::l2_normalize(const OnnxValue& value) {
    // Far below any square that matters: 0 / √least is 0.
    constexpr double least = 1e-36;
    const OnnxValue squares = sum_of_channels(each("Mul", value, value));
    return each("Div", value, each("Sqrt", each("Add", squares, least)));
}

OnnxValue OnnxGraph::contrast_normalize(const OnnxValue& value, double epsilon) {
    const Shape& s = value.shape;
    // One channel of all values, and back.
    const std::string all = add("Reshape", {value.name, indices({-1, 1, 1, s.size()})});
    const std::string normal =
        add("InstanceNormalization", {all, constant({1}, {1.0F}), constant({1}, {0.0F})},
            {{"epsilon", static_cast<float>(epsilon)}});
    const Sides back = value.is_map ? Sides{-1, s.channels, s.height, s.width} : Sides{-1, s.size()};
    return {add("Reshape", {normal, indices(back)}), s, value.is_map};
}

OnnxValue encode_to_onnx(OnnxGraph& graph, const Layers& layers, const OnnxValue& picture) {
    const auto last = std::find_if(layers.rbegin(), layers.rend(),
                                   [](const auto& layer) { return !layer->transforms().empty(); });
    OnnxValue value = picture;
    auto above = layers.begin();
    if (last != layers.rend()) {
        above = last.base();
        OnnxValue sum;
        const std::vector<OnnxValue> transforms = (*last)->transforms_to_onnx(graph, picture);
        for (const OnnxValue& transformed : transforms) {
            const OnnxValue code = encode_to_onnx(graph, {layers.begin(), std::prev(above)}, transformed);
            sum = sum.name.empty() ? code : graph.each("Add", sum, code);
        }
        value = (*last)->to_onnx(graph, graph.each("Mul", sum, 1.0 / static_cast<double>(transforms.size())));
    }
    for (; above != layers.end(); ++above) {
        value = (*above)->to_onnx(graph, value);
    }
    return value;
}

OnnxValue decode_to_onnx(OnnxGraph& graph, const Layers& layers, const OnnxValue& code) {
    OnnxValue value = code;
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
        value = (*layer)->decoder_to_onnx(graph, value);
    }
    return value;
}

}  // namespace stackae::layers

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "stackae/activation.hpp"
#include "stackae/layer.hpp"
#include "stackae/shape.hpp"
#include "stackae/tensor.hpp"

/// What layers say of themselves in operators of ONNX's default domain (opset 13 to 17), for other programs.
namespace stackae::layers {

struct OnnxAttribute {
    std::string name;
    std::variant<std::int64_t, float, std::vector<std::int64_t>> value;
};

struct OnnxNode {
    std::string op;
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    std::vector<OnnxAttribute> attributes;
};

struct OnnxConstant {
    std::string name;
    std::vector<std::int64_t> shape;  ///< empty: a scalar
    std::variant<std::vector<float>, std::vector<std::int64_t>> values;
};

/// A tensor of a graph: values of N pictures of one shape, N free.
struct OnnxValue {
    std::string name;
    Shape shape;
    /// N × C × H × W, as convolutions take it; else N × (H · W · C), channels last, as everything here has
    /// it.
    bool is_map = false;
};

/// Nodes in the order in which they run. Operators and what goes into them are such as both onnxruntime and
/// OpenCV's DNN module (from 4.6) take: operands of element-wise operators have one shape, or one is a
/// constant of a single value or of one value a column.
class OnnxGraph {
public:
    [[nodiscard]] const std::vector<OnnxNode>& nodes() const { return nodes_; }
    [[nodiscard]] const std::vector<OnnxConstant>& constants() const { return constants_; }

    /// Each returns a name; what is there already is not written again.
    std::string constant(std::vector<std::int64_t> shape, std::vector<float> values);
    std::string constant(const Tensor& tensor);
    std::string scalar(double value) { return constant({1}, {static_cast<float>(value)}); }
    /// Without a side, as limits are.
    std::string number(float value) { return constant(std::vector<std::int64_t>{}, {value}); }
    std::string indices(std::vector<std::int64_t> values);
    /// The first of its outputs.
    std::string add(std::string_view op, std::vector<std::string> inputs,
                    std::vector<OnnxAttribute> attributes = {}, int outputs = 1);

    /// The value under the name of the graph's output.
    void name_output(const OnnxValue& value, std::string name);
    /// The same values in the other order.
    OnnxValue as_map(const OnnxValue& value);
    OnnxValue as_rows(const OnnxValue& value);
    /// An operator of each value on its own, whatever their order; with a constant, that of a single value.
    OnnxValue each(std::string_view op, const OnnxValue& value);
    OnnxValue each(std::string_view op, const OnnxValue& value, double constant);
    /// Of two of one shape and order.
    OnnxValue each(std::string_view op, const OnnxValue& a, const OnnxValue& b);

    /// f(W x + b) of rows, of the shape `out`. weights: outputs × inputs, or turned; bias: outputs, or
    /// empty for none.
    OnnxValue affine(const OnnxValue& value, const Tensor& weights, const Tensor& bias, const Shape& out,
                     Activation activation = Activation::linear, bool turned = false);
    OnnxValue activate(const OnnxValue& value, Activation activation);
    /// sign(x) |x|^power.
    OnnxValue signed_power(const OnnxValue& value, double power);
    /// Rows, each column times its own factor.
    OnnxValue times_columns(const OnnxValue& rows, const Tensor& factors);
    /// And plus its own term.
    OnnxValue plus_columns(const OnnxValue& rows, const Tensor& terms);
    /// A map, each channel times its own factor.
    OnnxValue times_channels(const OnnxValue& map, const std::vector<float>& factors);
    /// A map, each channel plus its own term.
    OnnxValue plus_channels(const OnnxValue& map, const std::vector<float>& terms);
    /// Columns [begin, end) of rows.
    OnnxValue columns(const OnnxValue& rows, std::int64_t begin, std::int64_t end);
    /// Rows side by side.
    OnnxValue concat(const std::vector<OnnxValue>& rows);
    /// Maps beside one another, and one above the other.
    OnnxValue concat_across(const std::vector<OnnxValue>& maps);
    OnnxValue concat_down(const std::vector<OnnxValue>& maps);
    /// Maps' channels, those of one after those of another.
    OnnxValue concat_channels(const std::vector<OnnxValue>& maps);
    /// A map, left to right.
    OnnxValue mirror(const OnnxValue& map);
    /// A map, rows for columns.
    OnnxValue transpose_sides(const OnnxValue& map);
    /// The same product of each row of each channel: matrix (new width) × (width).
    OnnxValue along_width(const OnnxValue& map, const Tensor& matrix);
    /// And of each column.
    OnnxValue along_height(const OnnxValue& map, const Tensor& matrix);
    /// A map of down × across tiles as that many maps for each picture, row by row, and back.
    OnnxValue split_tiles(const OnnxValue& map, std::int64_t down, std::int64_t across);
    OnnxValue join_tiles(const OnnxValue& tiles, std::int64_t down, std::int64_t across);
    /// The same product of each channel's positions: matrix (positions of `out`) × (positions of the map).
    OnnxValue over_positions(const OnnxValue& map, const Tensor& matrix, const Shape& out);
    struct Rectangle {
        std::int64_t top;
        std::int64_t left;
        std::int64_t bottom;  ///< beyond the last
        std::int64_t right;
    };
    OnnxValue part(const OnnxValue& map, const Rectangle& part);
    /// The largest of each channel in a part of a map: 1 × 1 × channels, a map.
    OnnxValue largest(const OnnxValue& map, const Rectangle& part);
    /// A map's channels at each position, times a matrix, outputs × channels, plus a term each, or none.
    OnnxValue mix_channels(const OnnxValue& map, std::vector<float> weights, const std::vector<float>& bias);
    /// ‖x‖² of each position's channels: a map of one channel.
    OnnxValue squared_norms(const OnnxValue& map);
    /// The sum over each position's channels, once for each of them.
    OnnxValue sum_of_channels(const OnnxValue& value);
    /// The value's channels brought to length 1, position by position; zeros stay zeros.
    OnnxValue l2_normalize(const OnnxValue& value);
    /// (x − mean(x)) / √(var(x) + ε) of each picture's values.
    OnnxValue contrast_normalize(const OnnxValue& value, double epsilon);

private:
    /// Each of axis 1 plus its own term.
    std::string plus(const std::string& name, const std::vector<float>& terms);
    std::string next_name(std::string_view of);
    std::string keep(OnnxConstant constant);

    std::vector<OnnxNode> nodes_;
    std::vector<OnnxConstant> constants_;
    std::int64_t named_ = 0;
};

/// All layers one after the other, of a picture (or of what goes into the first), those below one that pools
/// over transforms of the picture once for each of these.
OnnxValue encode_to_onnx(OnnxGraph& graph, const Layers& layers, const OnnxValue& picture);
/// And back, from the last layer's output to the first's input.
OnnxValue decode_to_onnx(OnnxGraph& graph, const Layers& layers, const OnnxValue& code);

}  // namespace stackae::layers

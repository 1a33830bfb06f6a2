#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stackae/activation.hpp"
#include "stackae/shape.hpp"

namespace stackae {

class Tensor;

namespace base {
class FieldTable;
}
namespace nn {
class Parameters;
}
namespace layers {
struct Autoencoder;
class LayerTrainer;
class OnnxGraph;
struct OnnxValue;
class Op;
class Pooler;
class TensorTable;
struct OpContext;
struct PlanContext;
struct StageCost;
struct TrainContext;

/// A function of the channels of one position of a map, in place, for `count` positions: values has count ×
/// channels.
using PositionOp = std::function<void(float* values, std::int64_t count)>;

/// Makes another picture of one, both of that shape: src and dst each hold a picture's values.
using PictureTransform = std::function<void(const Shape& picture, const float* src, float* dst)>;
}  // namespace layers

/// The rectangle of a layer's input, in input positions, that one position of its output depends on.
struct ReceptiveField {
    struct Side {
        std::int64_t size = 1;
        std::int64_t stride = 1;  ///< between the rectangles of neighbouring positions
        std::int64_t offset = 0;  ///< where the first begins; below 0 in padding
    };
    Side down = {};
    Side across = {};
};

/// One layer of a stack: its configuration (fields) and what it learnt (tensors). It encodes its input x to
/// h = encode(x) and, where it can, decodes it, x̂ = decode(h).
///
/// A layer that was made of a text or of a configuration knows its fields alone; bind() tells it the shape of
/// its input, and training gives it its tensors. From then on it is a value that nobody changes, which
/// several threads and several stacks share.
///
/// Each kind of layer is a class of its own in src/layers/, known to a stack's text and to files by one line
/// in src/layers/registry.cpp: docs/add_a_layer.md.
class Layer {
public:
    virtual ~Layer() = default;

    /// The name of its kind, as in a stack's text: "conv2d".
    [[nodiscard]] virtual std::string_view type() const = 0;
    [[nodiscard]] virtual std::unique_ptr<Layer> clone() const = 0;

    /// Takes inputs of that shape from now on, and brings the fields that depend on it into its bounds (no
    /// more components than values). Throws InvalidArgument that names the input's shape and what was
    /// expected of it.
    void bind(const Shape& input);
    /// Of what it was bound to.
    [[nodiscard]] const Shape& input_shape() const { return input_; }
    [[nodiscard]] virtual Shape output_shape() const { return input_; }

    /// Its configuration: adds a row a field. The first is the one that a text may give without its name.
    virtual void fields(base::FieldTable& table) = 0;
    /// What it learns: adds a row a tensor, with the shape that follows from the fields and the input's.
    virtual void tensors(layers::TensorTable& table);
    /// Whether it learns anything. A layer that does not is complete once it is bound.
    [[nodiscard]] virtual bool is_trained() const { return false; }

    /// Throws InvalidArgument where fields are out of their ranges, tensors are not there or of another
    /// shape, or values are not what the kind needs.
    void check() const;
    /// Number of learnt values; of a layer that has not learnt yet, of those that it will.
    [[nodiscard]] std::int64_t parameters() const;
    /// As in a stack's text: "conv2d:256:kernel=7", fields at their defaults left out.
    [[nodiscard]] std::string text() const;

    /// Encodes context.rows rows of input_shape().size() values into rows of output_shape().size().
    [[nodiscard]] virtual std::unique_ptr<layers::Op> encoder(const layers::OpContext& context) const = 0;
    /// Whether there is a decoder.
    [[nodiscard]] virtual bool is_invertible() const { return true; }
    /// And back; null where the kind cannot be inverted.
    [[nodiscard]] virtual std::unique_ptr<layers::Op> decoder(const layers::OpContext& context) const;

    /// encoder() in operators of ONNX, added to the graph: of the value `input`, of input_shape(). Throws
    /// InvalidArgument where the kind has none.
    [[nodiscard]] virtual layers::OnnxValue to_onnx(layers::OnnxGraph& graph,
                                                    const layers::OnnxValue& input) const;
    /// decoder() likewise, of a code of output_shape().
    [[nodiscard]] virtual layers::OnnxValue decoder_to_onnx(layers::OnnxGraph& graph,
                                                            const layers::OnnxValue& code) const;
    /// transforms() of the picture likewise, in their order.
    [[nodiscard]] virtual std::vector<layers::OnnxValue> transforms_to_onnx(
        layers::OnnxGraph& graph, const layers::OnnxValue& picture) const;

    /// Learns a layer of these fields, bound as this is; null where there is nothing to learn.
    [[nodiscard]] virtual std::unique_ptr<layers::LayerTrainer> trainer(
        const layers::TrainContext& context) const;
    /// What learning it costs. Fields that depend on how much there is to learn from become what training
    /// makes them, about. Throws InvalidArgument where it cannot learn from what it sees.
    virtual layers::StageCost plan(const layers::PlanContext& context);

    /// The layer as one that gradients go through; null where they do not.
    [[nodiscard]] virtual std::unique_ptr<layers::Autoencoder> autoencoder() const;
    /// The same layer with other values, of those maps of a network; of one that has an autoencoder().
    [[nodiscard]] virtual std::unique_ptr<Layer> with_parameters(const nn::Parameters& parameters,
                                                                 std::size_t encoder,
                                                                 std::size_t decoder) const;
    /// The activation of a decoder that rebuilds this layer's output, where `below` is that for its input: of
    /// values in [0, 1] sigmoid, of values of 0 and more relu.
    [[nodiscard]] virtual Activation output_activation(Activation /*below*/) const {
        return Activation::linear;
    }

    /// Whether rows are best taken one by one, each on a thread of its own, as maps are; else many together.
    [[nodiscard]] virtual bool is_row_wise() const { return false; }
    /// The layer as a function of the channels of one position, in place, where it is one: layers below may
    /// then apply it to what they have in the cache.
    [[nodiscard]] virtual layers::PositionOp position_op() const { return {}; }
    /// The layer as one that takes positions as they come, where it is one.
    [[nodiscard]] virtual std::unique_ptr<layers::Pooler> pooler() const;
    /// encoder() of this layer and as many of those above it as it can take in; taken says how many in all.
    [[nodiscard]] virtual std::unique_ptr<layers::Op> fused_encoder(
        const layers::OpContext& context, std::span<const std::shared_ptr<const Layer>> from_here,
        std::size_t& taken) const;

    /// Transforms of the picture over which the layer pools: the layers below it run once for each, and its
    /// output is the mean of what they make. Empty: they run once, on the picture as it is.
    [[nodiscard]] virtual std::vector<layers::PictureTransform> transforms() const { return {}; }
    /// Throws InvalidArgument where a stack with the layer cannot take pictures of that shape, whatever the
    /// layers between make of them.
    virtual void check_picture(const Shape& /*picture*/) const {}

    /// Whether every value of 0 stays 0, so that rows that are 0 in most places stay so.
    [[nodiscard]] virtual bool keeps_zeros() const { return false; }
    /// Whether it widens a code for linear classifiers: the code below it is the one for everything else.
    [[nodiscard]] virtual bool is_expansion() const { return false; }
    /// Whether its decoder cannot bring back details of the input, as after pooling.
    [[nodiscard]] virtual bool loses_detail() const { return false; }
    /// Whether the values of its output have mean 0 and do not vary together.
    [[nodiscard]] virtual bool decorrelates() const { return false; }

    /// Of the positions that the output has; all of the input where it has a single one.
    [[nodiscard]] virtual ReceptiveField receptive_field() const;
    /// What each unit looks for in its receptive field: units × values, height × width × channels; empty
    /// where its tensors do not tell.
    [[nodiscard]] virtual Tensor filters() const;
    /// How alike one of its inputs is to each of them, by what it learnt of rows in which they occur
    /// together: as many values as inputs; empty where it does not tell.
    [[nodiscard]] virtual Tensor input_similarity(std::int64_t input) const;
    /// Itself with all that it has learnt of one of its inputs set to 0; null where that cannot be. One that
    /// learns nothing stays as it is.
    [[nodiscard]] virtual std::unique_ptr<Layer> without_input(std::int64_t input) const;
    /// Floats that its encoder and, if asked for, its decoder hold beside their inputs and outputs.
    [[nodiscard]] virtual double working_floats(std::int64_t rows, bool decoding) const;
    /// To encode a row, in multiply-adds of matrix products: other work counts as many as take its time.
    [[nodiscard]] virtual double encoding_multiply_adds() const;

protected:
    Layer() = default;
    Layer(const Layer&) = default;
    Layer& operator=(const Layer&) = default;

    /// Throws InvalidArgument: "{type}: an input of {shape} found, {expected} expected".
    [[noreturn]] void refuse(const Shape& input, const std::string& expected) const;
    /// Of a field that does not fit the input or another field: "{type}: {field}: {found} found, {expected}
    /// expected".
    [[noreturn]] void refuse_field(std::string_view field, std::int64_t found,
                                   const std::string& expected) const;
    [[noreturn]] void refuse_field(std::string_view field, std::string_view found,
                                   const std::string& expected) const;

private:
    /// Brings fields into what the input allows, or throws by refuse().
    virtual void on_bind() {}
    /// Beyond ranges, shapes and finite values.
    virtual void check_values() const {}

    Shape input_;
};

using Layers = std::vector<std::shared_ptr<const Layer>>;

/// Layers from the bottom up, each of which is bound to the output of the one below.
class Stack {
public:
    /// Of a text or a model, at most.
    static constexpr std::size_t max_size = 64;

    Stack() = default;
    /// Shapes are taken as they are: bind() before, or check() after.
    explicit Stack(Layers layers) : layers_(std::move(layers)) {}

    [[nodiscard]] std::size_t size() const { return layers_.size(); }
    [[nodiscard]] bool empty() const { return layers_.empty(); }
    [[nodiscard]] const Layer& operator[](std::size_t i) const { return *layers_[i]; }
    [[nodiscard]] const Layers& layers() const { return layers_; }
    /// Layers [first, last).
    [[nodiscard]] Layers layers(std::size_t first, std::size_t last) const {
        const auto begin = layers_.begin();
        return {begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(last)};
    }
    void push_back(std::shared_ptr<const Layer> layer) { layers_.push_back(std::move(layer)); }
    /// In place of layer i.
    void replace(std::size_t i, std::shared_ptr<const Layer> layer) { layers_[i] = std::move(layer); }

    /// Of the output of the lowest `depth` layers, of an input of that shape.
    [[nodiscard]] Shape output_shape(const Shape& input, std::size_t depth) const {
        return depth == 0 ? input : layers_[depth - 1]->output_shape();
    }
    [[nodiscard]] std::int64_t parameters() const;
    /// Layers that fit an input of that shape and one another, with their own check(). Throws InvalidArgument
    /// that names the layer.
    void check(const Shape& input) const;

private:
    Layers layers_;
};

/// "conv2d:256:kernel=7, pool2d:2, dense:100": layers apart by commas, fields by colons, the first without
/// its name. parse_stack() gives layers that are not bound. Throws InvalidArgument that names the layer, the
/// field and what was expected.
[[nodiscard]] std::string to_text(const Stack& stack);
[[nodiscard]] Stack parse_stack(std::string_view text);
/// The layers of a configuration for inputs of that shape, bound to one another but not trained. Throws
/// InvalidArgument where a layer does not fit what is below it, with both shapes.
[[nodiscard]] Stack bind(const Stack& stack, const Shape& input);

/// What `stackae info --layer-kinds` tells of a kind.
struct LayerKind {
    struct Field {
        std::string name;
        std::string expected;  ///< "1 to 64", "one of avg, max"
        std::string standard;  ///< the value where none is given; empty: it has to be given
        std::string help;
    };
    std::string name;
    std::string summary;  ///< a sentence, with the formula
    std::string papers;   ///< empty where there is none
    std::vector<Field> fields;
};
[[nodiscard]] std::vector<LayerKind> layer_kinds();

}  // namespace stackae

#include "stackae/layer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <functional>
#include <numeric>

#include "stackae/error.hpp"
#include "stackae/tensor.hpp"

#include "base/fields.hpp"
#include "base/rows.hpp"
#include "base/with_context.hpp"
#include "layers/autoencoder.hpp"
#include "layers/cost.hpp"
#include "layers/onnx_graph.hpp"
#include "layers/op.hpp"
#include "layers/tensors.hpp"
#include "layers/trainer.hpp"

namespace stackae {
namespace layers {

base::FieldTable fields_of(const Layer& layer) {
    base::FieldTable table;
    const_cast<Layer&>(layer).fields(table);  // the one list of fields serves readers and writers
    return table;
}

TensorTable tensors_of(const Layer& layer) {
    TensorTable table;
    const_cast<Layer&>(layer).tensors(table);
    return table;
}

}  // namespace layers

std::string to_text(const Shape& shape) {
    return shape.height == 1 && shape.width == 1
               ? fmt::format("{} value{}", shape.channels, shape.channels == 1 ? "" : "s")
               : fmt::format("{} x {} x {}", shape.height, shape.width, shape.channels);
}

void Layer::bind(const Shape& input) {
    input_ = input;
    layers::fields_of(*this).check();
    on_bind();
}

void Layer::tensors(layers::TensorTable& /*table*/) {}

void Layer::check() const {
    layers::fields_of(*this).check();
    for (const auto& row : layers::tensors_of(*this)) {
        if (row.tensor->shape() != row.shape) {
            throw InvalidArgument(fmt::format("{}: shape [{}] found, [{}] expected", row.name,
                                              fmt::join(row.tensor->shape(), ", "),
                                              fmt::join(row.shape, ", ")));
        }
        if (!base::all_finite(row.tensor->values())) {
            throw InvalidArgument(fmt::format("{}: a value that is not a finite number found", row.name));
        }
    }
    check_values();
}

std::int64_t Layer::parameters() const {
    std::int64_t count = 0;
    for (const auto& row : layers::tensors_of(*this)) {
        count += std::accumulate(row.shape.begin(), row.shape.end(), std::int64_t{1}, std::multiplies<>{});
    }
    return count;
}

std::unique_ptr<layers::Op> Layer::decoder(const layers::OpContext& /*context*/) const {
    return nullptr;
}

layers::OnnxValue Layer::to_onnx(layers::OnnxGraph& /*graph*/, const layers::OnnxValue& /*input*/) const {
    throw InvalidArgument(fmt::format("{}: cannot be written in operators of ONNX", type()));
}

layers::OnnxValue Layer::decoder_to_onnx(layers::OnnxGraph& /*graph*/,
                                         const layers::OnnxValue& /*code*/) const {
    throw InvalidArgument(fmt::format("{}: its decoder cannot be written in operators of ONNX", type()));
}

std::vector<layers::OnnxValue> Layer::transforms_to_onnx(layers::OnnxGraph& /*graph*/,
                                                         const layers::OnnxValue& /*picture*/) const {
    return {};
}

std::unique_ptr<layers::LayerTrainer> Layer::trainer(const layers::TrainContext& /*context*/) const {
    return nullptr;
}

layers::StageCost Layer::plan(const layers::PlanContext& /*context*/) {
    return {};
}

std::unique_ptr<layers::Autoencoder> Layer::autoencoder() const {
    return nullptr;
}

std::unique_ptr<Layer> Layer::with_parameters(const nn::Parameters& /*parameters*/, std::size_t /*encoder*/,
                                              std::size_t /*decoder*/) const {
    return clone();
}

std::unique_ptr<layers::Pooler> Layer::pooler() const {
    return nullptr;
}

std::unique_ptr<layers::Op> Layer::fused_encoder(const layers::OpContext& context,
                                                 std::span<const std::shared_ptr<const Layer>> /*from_here*/,
                                                 std::size_t& taken) const {
    taken = 1;
    return encoder(context);
}

ReceptiveField Layer::receptive_field() const {
    const Shape out = output_shape();
    if (out.height * out.width > 1) {
        return {};
    }
    return {{.size = input_.height, .stride = input_.height}, {.size = input_.width, .stride = input_.width}};
}

Tensor Layer::input_similarity(std::int64_t /*input*/) const {
    return {};
}

std::unique_ptr<Layer> Layer::without_input(std::int64_t input) const {
    const auto maps = autoencoder();
    if (!maps) {
        return is_trained() ? nullptr : clone();
    }
    nn::Parameters parameters({maps->encoder, maps->decoder});
    maps->copy_to(parameters, 0, 1);
    const std::int64_t inputs = maps->encoder.ic;
    const std::int64_t units = maps->encoder.oc;
    for (std::int64_t unit = 0; unit < units; ++unit) {
        parameters.weights(0)[unit * inputs + input] = 0.0F;
    }
    if (maps->decoder.tied_to < 0) {
        std::fill_n(parameters.weights(1) + input * units, units, 0.0F);
    }
    parameters.bias(1)[input] = 0.0F;
    return with_parameters(parameters, 0, 1);
}

Tensor Layer::filters() const {
    return {};
}

double Layer::working_floats(std::int64_t /*rows*/, bool /*decoding*/) const {
    return 0.0;
}

double Layer::encoding_multiply_adds() const {
    constexpr double a_value = 16.0;  // of a function of one value, which is read and written
    return a_value * static_cast<double>(input_shape().size());
}

void Layer::refuse(const Shape& input, const std::string& expected) const {
    throw InvalidArgument(fmt::format("{}: an input of {} x {} x {} found, {} expected", type(), input.height,
                                      input.width, input.channels, expected));
}

void Layer::refuse_field(std::string_view field, std::int64_t found, const std::string& expected) const {
    refuse_field(field, std::to_string(found), expected);
}

void Layer::refuse_field(std::string_view field, std::string_view found, const std::string& expected) const {
    throw InvalidArgument(fmt::format("{}: {}: {} found, {} expected", type(), field, found, expected));
}

std::int64_t Stack::parameters() const {
    std::int64_t count = 0;
    for (const auto& layer : layers_) {
        count += layer->parameters();
    }
    return count;
}

void Stack::check(const Shape& input) const {
    Shape below = input;
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        const Layer& layer = *layers_[i];
        if (layer.input_shape() != below) {
            throw InvalidArgument(
                fmt::format("layer {}, {}: an input of {} found, {} expected: what is below it gives that",
                            i + 1, layer.type(), to_text(layer.input_shape()), to_text(below)));
        }
        base::with_context(fmt::format("layer {}, {}", i + 1, layer.type()), [&] {
            layer.check();
            layer.check_picture(input);
        });
        below = layer.output_shape();
    }
}

Stack bind(const Stack& stack, const Shape& input) {
    Stack bound;
    Shape below = input;
    for (std::size_t i = 0; i < stack.size(); ++i) {
        std::unique_ptr<Layer> layer = stack[i].clone();
        base::with_context(fmt::format("layer {}", i + 1), [&] {
            layer->bind(below);
            layer->check_picture(input);
        });
        below = layer->output_shape();
        bound.push_back(std::move(layer));
    }
    return bound;
}

}  // namespace stackae

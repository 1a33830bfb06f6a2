#include "layers/dense.hpp"

#include <algorithm>

#include "base/fields.hpp"
#include "layers/affine.hpp"
#include "layers/autoencoder.hpp"
#include "layers/onnx_graph.hpp"
#include "layers/tensors.hpp"

namespace stackae::layers {

constexpr double an_activation = 16.0;  ///< in multiply-adds of a product

void Dense::fields(base::FieldTable& table) {
    table.add("units", units, {1, max_units}, "values of the code");
    table.add("activation", activation, "f");
    table.add("output", output, "g; auto: suited to what the layer sees");
    table.add("tied", tied, "the decoder's weights are the encoder's, transposed");
    table.add("epochs", epochs, {0, 1e6}, "of greedy training; auto: --epochs");
    table.add("corruption_level", corruption_level, {0.0, 1000.0}, "of its input; auto: --corruption-level");
}

void Dense::tensors(TensorTable& table) {
    const std::int64_t inputs = input_shape().size();
    table.add("weights", weights, {units, inputs});
    table.add("bias", bias, {units});
    if (!tied) {
        table.add("decoder_weights", decoder_weights, {inputs, units});
    }
    table.add("decoder_bias", decoder_bias, {inputs});
}

std::unique_ptr<Op> Dense::encoder(const OpContext& context) const {
    return make_affine(context, activation, weights, bias);
}

std::unique_ptr<Op> Dense::decoder(const OpContext& context) const {
    return make_affine(context, output.value_or(Activation::linear), tied ? weights : decoder_weights,
                       decoder_bias, tied);
}

std::unique_ptr<Autoencoder> Dense::autoencoder() const {
    const std::int64_t inputs = input_shape().size();
    return std::make_unique<Autoencoder>(
        Autoencoder{{inputs, units, activation, -1},
                    {units, inputs, output.value_or(Activation::linear), tied ? 0 : -1},
                    weights,
                    bias,
                    decoder_weights,
                    decoder_bias});
}

std::unique_ptr<Layer> Dense::with_parameters(const nn::Parameters& parameters, std::size_t encoder,
                                              std::size_t decoder) const {
    auto layer = std::make_unique<Dense>(*this);
    const std::int64_t inputs = input_shape().size();
    layer->tied = parameters.layers()[decoder].tied_to >= 0;
    const auto copied = [](const float* from, std::vector<std::int64_t> shape) {
        Tensor tensor(std::move(shape));
        std::copy_n(from, tensor.size(), tensor.data());
        return tensor;
    };
    layer->weights = copied(parameters.weights(encoder), {units, inputs});
    layer->bias = copied(parameters.bias(encoder), {units});
    layer->decoder_weights = layer->tied ? Tensor() : copied(parameters.weights(decoder), {inputs, units});
    layer->decoder_bias = copied(parameters.bias(decoder), {inputs});
    return layer;
}

double Dense::encoding_multiply_adds() const {
    return static_cast<double>(units) * (static_cast<double>(input_shape().size()) + an_activation);
}

OnnxValue Dense::to_onnx(OnnxGraph& graph, const OnnxValue& input) const {
    return graph.affine(input, weights, bias, output_shape(), activation);
}

OnnxValue Dense::decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const {
    return graph.affine(code, tied ? weights : decoder_weights, decoder_bias, input_shape(),
                        output.value_or(Activation::linear), tied);
}

}  // namespace stackae::layers

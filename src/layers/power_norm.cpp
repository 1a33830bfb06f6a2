#include "layers/power_norm.hpp"

#include "base/fields.hpp"
#include "layers/onnx_graph.hpp"
#include "layers/op.hpp"
#include "linalg/vector_ops.hpp"

namespace stackae::layers {
namespace {

std::unique_ptr<Op> make_raising(const OpContext& context, const Shape& shape, double power) {
    return std::make_unique<RowOp>(context.rows, shape.size(),
                                   [power = static_cast<float>(power)](auto src, auto dst) {
                                       linalg::signed_power(src.data(), std::ssize(src), power, dst.data());
                                   });
}

}  // namespace

void PowerNorm::fields(base::FieldTable& table) {
    table.add("alpha", alpha, {0.05, 1.0}, "the power");
}

std::unique_ptr<Op> PowerNorm::encoder(const OpContext& context) const {
    return make_raising(context, input_shape(), alpha);
}

std::unique_ptr<Op> PowerNorm::decoder(const OpContext& context) const {
    return make_raising(context, input_shape(), 1.0 / alpha);
}

PositionOp PowerNorm::position_op() const {
    return [channels = input_shape().channels, power = static_cast<float>(alpha)](float* values,
                                                                                  std::int64_t count) {
        linalg::signed_power(values, count * channels, power, values);
    };
}

OnnxValue PowerNorm::to_onnx(OnnxGraph& graph, const OnnxValue& input) const {
    return graph.signed_power(input, alpha);
}

OnnxValue PowerNorm::decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const {
    return graph.signed_power(code, 1.0 / alpha);
}

}  // namespace stackae::layers

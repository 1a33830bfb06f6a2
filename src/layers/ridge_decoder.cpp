#include "layers/ridge_decoder.hpp"

#include "base/fields.hpp"
#include "layers/affine.hpp"
#include "layers/tensors.hpp"

namespace stackae::layers {

void RidgeDecoder::fields(base::FieldTable& table) {
    table.add("height", height, {1, 1 << 24}, "of the picture");
    table.add("width", width, {1, 1 << 24}, "of the picture");
    table.add("channels", channels, {1, 1 << 20}, "of the picture");
}

void RidgeDecoder::tensors(TensorTable& table) {
    table.add("weights", weights, {output_shape().size(), input_shape().size()});
    table.add("bias", bias, {output_shape().size()});
}

std::unique_ptr<Op> RidgeDecoder::encoder(const OpContext& context) const {
    return make_affine(context, {Activation::linear, weights.data(), bias.data(), input_shape().size(),
                                 output_shape().size(), false});
}

double RidgeDecoder::working_floats(std::int64_t /*rows*/, bool /*decoding*/) const {
    return static_cast<double>(weights.size());
}

}  // namespace stackae::layers

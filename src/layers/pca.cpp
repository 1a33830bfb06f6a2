#include "layers/pca.hpp"

#include <algorithm>

#include "base/fields.hpp"
#include "layers/affine.hpp"
#include "layers/tensors.hpp"

namespace stackae::layers {

void Pca::fields(base::FieldTable& table) {
    table.add("n_components", n_components, {1, max_units}, "axes kept, those of largest variance");
    table.add("eigen_power", eigen_power, {-1.0, 1.0},
              "p: each value is multiplied by its axis' variance to this power; -0.5 whitens");
    table.add(
        "std_shrinkage", std_shrinkage, {0.0, 1000.0},
        "q: inputs are first divided by s + q m, s their deviation and m the mean of all; 0: they are not");
}

void Pca::on_bind() {
    n_components = std::min(n_components, input_shape().size());
}

void Pca::tensors(TensorTable& table) {
    const std::int64_t inputs = input_shape().size();
    table.add("weights", weights, {n_components, inputs});
    table.add("bias", bias, {n_components});
    table.add("decoder_weights", decoder_weights, {inputs, n_components});
    table.add("decoder_bias", decoder_bias, {inputs});
}

std::unique_ptr<Op> Pca::encoder(const OpContext& context) const {
    return make_affine(context, {Activation::linear, weights.data(), bias.data(), input_shape().size(),
                                 n_components, false});
}

std::unique_ptr<Op> Pca::decoder(const OpContext& context) const {
    return make_affine(context, {Activation::linear, decoder_weights.data(), decoder_bias.data(),
                                 n_components, input_shape().size(), false});
}

double Pca::working_floats(std::int64_t /*rows*/, bool decoding) const {
    return static_cast<double>(n_components) * static_cast<double>(input_shape().size()) *
           (decoding ? 2.0 : 1.0);
}

}  // namespace stackae::layers

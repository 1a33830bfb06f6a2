#pragma once

#include <cstdint>
#include <optional>

#include "stackae/activation.hpp"
#include "stackae/tensor.hpp"

#include "linalg/onednn.hpp"
#include "linalg/tiled_product.hpp"

namespace stackae::nn {

struct DenseShape {
    std::int64_t n = 0;   ///< rows a call
    std::int64_t ic = 0;  ///< inputs
    std::int64_t oc = 0;  ///< units
    Activation activation = Activation::linear;
    bool transposed = false;  ///< weights are stored ic × oc, as a tied decoder sees its encoder's
    bool training = false;    ///< whether backward() will be called
};

/// dst = f(src · Wᵀ + b). src n × ic, W oc × ic (or transposed), b oc, dst n × oc, all row-major.
///
/// Gradients, with δ = f′ ⊙ diff_dst: diff_src = δ · W, diff_weights = δᵀ · src, diff_bias = Σₙ δ.
/// Primitives are made by the constructor; forward and backward allocate nothing.
class Dense {
public:
    Dense(linalg::Context& context, const DenseShape& shape);

    void forward(const float* src, const float* weights, const float* bias, float* dst);

    /// dst: as forward() wrote it. diff_dst is overwritten with δ. diff_src may be null.
    void backward(const float* src, const float* weights, const float* dst, float* diff_dst, float* diff_src,
                  float* diff_weights, float* diff_bias);

private:
    void make_activation(const dnnl::engine& engine);
    [[nodiscard]] bool is_linear() const { return shape_.activation == Activation::linear; }
    /// Where f′ is known from it alone.
    [[nodiscard]] bool keeps_preactivation() const { return !preactivation_.empty(); }

    DenseShape shape_;
    dnnl::stream& stream_;
    linalg::TiledProduct forward_, backward_data_, backward_weights_;
    // f and f′, empty for linear units. Handles are set at each call.
    dnnl::eltwise_forward activation_;
    dnnl::eltwise_backward activation_backward_;
    dnnl::memory src_, dst_, diff_dst_;  ///< of the activation, n × oc
    Tensor preactivation_;               ///< n × oc
};

}  // namespace stackae::nn

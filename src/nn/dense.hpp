#pragma once

#include <cstdint>
#include <optional>

#include "stackae/activation.hpp"
#include "stackae/tensor.hpp"

#include "linalg/onednn.hpp"

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
    struct Backward {
        dnnl::inner_product_backward_data data;
        dnnl::inner_product_backward_weights weights;
        dnnl::eltwise_backward activation;  ///< empty for linear units
    };

    void make_backward(const dnnl::inner_product_forward::primitive_desc& forward);
    [[nodiscard]] bool keeps_preactivation() const { return !preactivation_.empty(); }

    DenseShape shape_;
    dnnl::stream& stream_;
    // Handles are set at each call.
    dnnl::memory src_, weights_, dst_;
    dnnl::memory forward_weights_,
        forward_bias_;  ///< the same, as a matrix product takes them: ic × oc, 1 × oc
    dnnl::memory diff_src_, diff_dst_, diff_weights_, diff_bias_;
    dnnl::memory activation_src_;
    dnnl::matmul forward_;              ///< faster on plain weights than oneDNN's inner product
    dnnl::eltwise_forward activation_;  ///< empty where fused
    std::optional<Backward> backward_;
    Tensor preactivation_;  ///< n × oc, kept where f′ needs it
};

}  // namespace stackae::nn

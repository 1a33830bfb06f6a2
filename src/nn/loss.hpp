#pragma once

#include <cstdint>
#include <vector>

#include "stackae/loss_kind.hpp"
#include "stackae/tensor.hpp"

#include "linalg/onednn.hpp"

namespace stackae::nn {

/// A reconstruction loss over n rows of d values, made once for its shape.
///
/// squared_error: L = (1/n) Σ (x̂ − x)², ∂L/∂x̂ = 2 (x̂ − x) / n.
/// cross_entropy, from logits z: L = (1/n) Σ [log(1 + exp z) − x z], ∂L/∂z = (sigmoid(z) − x) / n.
/// The sum is taken row by row in double precision, so it does not depend on the number of threads.
class LossFunction {
public:
    LossFunction(linalg::Context& context, LossKind loss, std::int64_t n, std::int64_t d);

    /// predicted: x̂, or z for cross-entropy; n × d. diff: n × d, or null when no gradient is asked for.
    double operator()(const float* predicted, const float* target, float* diff);

private:
    LossKind loss_;
    std::int64_t n_;
    std::int64_t d_;
    dnnl::stream& stream_;
    dnnl::memory src_, dst_;
    dnnl::eltwise_forward softplus_, sigmoid_;
    Tensor softplus_values_;
    std::vector<double> row_loss_;
};

}  // namespace stackae::nn

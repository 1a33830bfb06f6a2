#pragma once

#include <memory>

#include "stackae/activation.hpp"
#include "stackae/tensor.hpp"

#include "layers/op.hpp"

namespace stackae::layers {

/// dst = f(src · Wᵀ + b), W oc × ic, or ic × oc where it is transposed. The tensors must outlive the op.
[[nodiscard]] std::unique_ptr<Op> make_affine(const OpContext& context, Activation activation,
                                              const Tensor& weights, const Tensor& bias,
                                              bool transposed = false);

}  // namespace stackae::layers

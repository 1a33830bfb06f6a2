#pragma once

#include <memory>

#include "stackae/activation.hpp"

#include "layers/op.hpp"

namespace stackae::layers {

/// dst = f(src · Wᵀ + b), W oc × ic, or ic × oc where it is transposed. The values must outlive the op.
struct Affine {
    Activation activation = Activation::linear;
    const float* weights = nullptr;
    const float* bias = nullptr;
    std::int64_t ic = 0;
    std::int64_t oc = 0;
    bool transposed = false;
};

[[nodiscard]] std::unique_ptr<Op> make_affine(const OpContext& context, const Affine& affine);

}  // namespace stackae::layers

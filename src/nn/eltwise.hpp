#pragma once

#include "stackae/activation.hpp"

#include "linalg/onednn.hpp"

namespace stackae::nn {

/// An activation as oneDNN has it.
[[nodiscard]] linalg::Eltwise eltwise_of(Activation activation);

/// Whether f′ is taken from f's value: then f may be fused and its argument need not be kept.
[[nodiscard]] inline bool derivative_from_dst(Activation activation) {
    return activation != Activation::silu;
}

}  // namespace stackae::nn

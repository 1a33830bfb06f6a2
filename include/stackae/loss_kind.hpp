#pragma once

#include "stackae/enum_names.hpp"

namespace stackae {

/// What training lowers, summed over the values of a row and averaged over the rows of a batch. Has names.
enum class LossKind {
    squared_error,  ///< Σ (x̂ − x)²
    cross_entropy,  ///< −Σ [x log x̂ + (1 − x) log(1 − x̂)], x in [0, 1], x̂ = sigmoid(logit)
};

}  // namespace stackae

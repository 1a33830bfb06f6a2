#pragma once

#include "stackae/enum_names.hpp"

namespace stackae {

/// What training lowers, summed over the values of a row and averaged over the rows of a batch. Has names.
enum class LossKind {
    squared_error,  ///< Σ (x̂ − x)²
    cross_entropy,  ///< −Σ [x log x̂ + (1 − x) log(1 − x̂)], x in [0, 1], x̂ = sigmoid(logit)
    multinomial,    ///< −Σ x log softmax(z), x ≥ 0, z as decoded (Liang et al. 2018)
    /// Σ (x̂ − x)² over the values that are not 0: those that were observed (Sedhain et al. 2015).
    masked_squared_error,
};

/// Whether it is of sparse rows, in which 0 says that nothing was observed, and takes decoded values as they
/// are.
[[nodiscard]] constexpr bool of_observations(LossKind kind) {
    return kind == LossKind::multinomial || kind == LossKind::masked_squared_error;
}

}  // namespace stackae

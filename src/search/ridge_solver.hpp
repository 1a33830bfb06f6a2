#pragma once

#include <cstdint>

#include "stackae/tensor.hpp"

#include "nn/principal_axes.hpp"
#include "search/symmetric_matrix.hpp"

namespace stackae::search {

/// At most `count` leading eigenvectors, roughly: as good as preconditioning needs them.
[[nodiscard]] nn::PrincipalAxes leading_axes(const SymmetricMatrix& matrix, std::int64_t count);

/// U of (A + λ) U = B for a positive semidefinite A, λ > 0, several columns at once, by conjugate gradients.
/// Features of pictures vary far more in some directions than in others, which conjugate gradients are slow
/// to even out. Where the leading eigenvectors v of A with values a are given, they are preconditioned with
///
///     M = λ + a₀ + Σ (a − a₀) v vᵀ,   a₀: the mean of the other values
///
/// Ends for each column where the length of what is left, in M⁻¹, has fallen to the share `tolerance` of B's,
/// after 200 steps at most. Deterministic; independent of the number of threads.
[[nodiscard]] Tensor solve_ridge(const SymmetricMatrix& a, double lambda, const Tensor& b,
                                 const nn::PrincipalAxes* axes, double tolerance);

}  // namespace stackae::search

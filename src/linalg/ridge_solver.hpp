#pragma once

#include <cstdint>
#include <vector>

#include "stackae/tensor.hpp"

#include "linalg/pca.hpp"
#include "linalg/symmetric_matrix.hpp"

namespace stackae::linalg {

/// At most `count` leading eigenvectors, roughly: as good as preconditioning needs them.
[[nodiscard]] PcaResult top_eigenvectors(const SymmetricMatrix& matrix, std::int64_t count);

/// Matrices up to this size are factorised.
inline constexpr std::int64_t max_direct = 512;

/// U of (A + λ) U = B for a positive semidefinite A, λ > 0, several columns at once: up to max_direct by
/// Cholesky decomposition in double precision, above by conjugate gradients. Features of pictures vary far
/// more in some directions than in others, which conjugate gradients are slow to even out; by the leading
/// eigenvectors v of A with values a they are preconditioned with
///
///     M = λ + a₀ + Σ (a − a₀) v vᵀ,   a₀: the mean of the other values
///
/// They end for each column where the length of what is left, in M⁻¹, has fallen to the share of its
/// tolerance of B's, after 200 steps at most. Deterministic; independent of the number of threads. eigen: of
/// A, not null above max_direct.
[[nodiscard]] Tensor solve_ridge(const SymmetricMatrix& a, double lambda, const Tensor& b,
                                 const PcaResult* eigen, const std::vector<double>& tolerances);

}  // namespace stackae::linalg

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "stackae/tensor.hpp"

#include "linalg/pca.hpp"
#include "linalg/symmetric_matrix.hpp"

namespace stackae::linalg {

/// At most `count` leading eigenvectors, as exact as preconditioning needs them.
[[nodiscard]] EigenResult top_eigenvectors(const SymmetricMatrix& matrix, std::int64_t count);

/// Matrices up to this size are factorised.
inline constexpr std::int64_t max_direct = 512;

/// Solves (A + λ) U = B for U, where A is positive semidefinite and λ > 0, for several columns at once: up to
/// max_direct by Cholesky decomposition in double precision, above by preconditioned conjugate gradients.
/// Features of pictures vary far more in some directions than in others, where conjugate gradients converge
/// slowly. The leading eigenvectors v of A, with eigenvalues a, make the preconditioner
///
///     M = λ + a₀ + Σ (a − a₀) v vᵀ,   a₀: the mean of the other eigenvalues
///
/// A column of the solution is done when the norm √(rᵀ M⁻¹ r) of its residual r has fallen to its tolerance
/// times the norm of B's column, or after 200 steps. Deterministic; independent of the number of threads.
/// eigen: of A, not null above max_direct.
[[nodiscard]] Tensor solve_ridge(const SymmetricMatrix& a, double lambda, const Tensor& b,
                                 const EigenResult* eigen, const std::vector<double>& tolerances);

/// to = A · columns.
using MatrixProduct = std::function<void(const Tensor& columns, Tensor& to)>;

/// The same, always by conjugate gradients, for a matrix that is known by its products; from a solution on
/// that is near, such as that of a larger λ. eigen: about those of A, trace and all.
void solve_ridge(const MatrixProduct& multiply, double lambda, const Tensor& b, const EigenResult& eigen,
                 const std::vector<double>& tolerances, Tensor& solution);

}  // namespace stackae::linalg

#pragma once

#include "stackae/tensor.hpp"

namespace stackae::linalg {

/// The inverse square root A^−½ of a symmetric positive definite matrix with values of 0 or more, by the
/// Newton-Schulz iteration, which takes matrix products alone: start with Y = A / s and Z = 1, where s is the
/// largest sum of a row; then T = α (3 − α² Z Y) / 2, Y ← Y T and Z ← T Z bring Z to (A / s)^−½ (Higham 2008,
/// "Functions of Matrices", eq. 6.35). `least`, above 0, is a bound below A's eigenvalues, by which α =
/// √(3 / (1 + l + l²)), l² the bound of Z Y's, lifts small ones faster (Chen & Chow 2014, "A stable scaling
/// of Newton-Schulz for improving the sign function computation of a Hermitian matrix"). In single precision,
/// for condition numbers up to about 10⁶; throws Error when it does not converge.
[[nodiscard]] Tensor inverse_sqrt(const Tensor& matrix, double least);
/// About, of a kernel's n × n with a ridge: three products a step, 10 steps.
[[nodiscard]] double inverse_sqrt_multiply_adds(std::int64_t n);

}  // namespace stackae::linalg

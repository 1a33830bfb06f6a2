#pragma once

#include "stackae/tensor.hpp"

namespace stackae::linalg {

/// The inverse square root A^−½ of a symmetric positive definite matrix with values of 0 or more, by the
/// Newton-Schulz iteration, which takes matrix products alone: start with Y = A / s and Z = 1, where s is the
/// largest sum of a row; then T = (3 − Z Y) / 2, Y ← Y T and Z ← T Z bring Z to (A / s)^−½ (Higham 2008,
/// "Functions of Matrices", eq. 6.35). In single precision, for condition numbers up to about 10⁶; throws
/// Error when it does not converge.
[[nodiscard]] Tensor inverse_sqrt(const Tensor& matrix);
/// About, of a kernel's n × n with a ridge: three products a step, 17 steps.
[[nodiscard]] double inverse_sqrt_multiply_adds(std::int64_t n);

}  // namespace stackae::linalg

#pragma once

#include "stackae/tensor.hpp"

#include "linalg/onednn.hpp"

namespace stackae::linalg {

/// A^−½ of a symmetric positive definite matrix with values of 0 or more, by matrix products alone: with
/// Y = A / s, Z = 1 and s the largest sum of a row, T = (3 − Z Y) / 2, Y ← Y T, Z ← T Z brings Z to (A /
/// s)^−½ (Higham 2008, "Functions of Matrices", eq. 6.35). In single precision, for condition numbers up to
/// about 10⁶; throws Error when it does not settle.
[[nodiscard]] Tensor inverse_sqrt(Context& context, const Tensor& matrix);

}  // namespace stackae::linalg

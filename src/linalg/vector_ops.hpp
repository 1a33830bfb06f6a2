#pragma once

#include <cstdint>

#include "stackae/tensor.hpp"

namespace stackae::linalg {

// Of the values of one position or row, on the calling thread.

/// to += x.
void add_row(const float* x, std::int64_t size, float* to);
/// to += factor x.
void add_scaled_row(float factor, const float* x, std::int64_t size, float* to);
/// to = max(to, x), value by value.
void raise_row(const float* x, std::int64_t size, float* to);
/// x *= factor.
void scale_row(float factor, std::int64_t size, float* x);
/// to = sign(x) |x|^power; in place too. Powers of ½ and 2 take no logarithms.
void signed_power(const float* x, std::int64_t size, float power, float* to);

// Of long vectors, on as many threads as OpenMP is set to.

/// y += x.
void add(const float* x, std::int64_t size, float* y);
/// sum = Σ of n rows, each sum taken in their order.
void sum_rows(const float* rows, std::int64_t n, std::int64_t columns, float* sum);

/// Rows for columns.
[[nodiscard]] Tensor transposed(const Tensor& matrix);

/// Σ x², in double precision over blocks of fixed size: independent of the number of threads.
[[nodiscard]] double squared_norm(const float* x, std::int64_t size);

}  // namespace stackae::linalg

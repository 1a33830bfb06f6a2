#pragma once

#include <cstdint>
#include <span>

#include "stackae/tensor.hpp"

namespace stackae::linalg {

/// The product C = X · B of a sparse X in rows (CSR) and a dense B, k × m: C is rows × m. Row u of X has the
/// entries from offsets[u] up to offsets[u + 1], in columns from 0 to k − 1; a part of the offsets stands for
/// some rows of a table. It takes as many multiplications as X has entries, times m. Stretches of C's rows
/// are one thread's work each, of as many threads as OpenMP is set to; sums are taken in the order of the
/// entries, the same at any number of threads and in any part.
[[nodiscard]] Tensor sparse_times_dense(std::span<const std::int64_t> offsets,
                                        std::span<const std::int32_t> columns, std::span<const float> values,
                                        const Tensor& dense);

/// Adds X · B to what is in a matrix of as many rows as X has and as many columns as B.
void add_sparse_times_dense(std::span<const std::int64_t> offsets, std::span<const std::int32_t> columns,
                            std::span<const float> values, const Tensor& dense, Tensor& sum);

/// Adds to sum, of as many values as B has columns, the product of one row x and B: the entries of x that are
/// 0 take no time but to look at them. On the calling thread.
void add_row_times_dense(std::span<const float> x, const Tensor& dense, float* sum);

}  // namespace stackae::linalg

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

}  // namespace stackae::linalg

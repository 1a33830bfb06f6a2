#include "linalg/sparse_product.hpp"

#include <algorithm>

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "base/vectorized.hpp"

namespace stackae::linalg {
namespace {

using base::at;

// Its sums stay in a core's first cache, and B is read in stretches that are long enough to be foreseen.
constexpr std::int64_t tile = 4096;
constexpr std::int64_t at_once = 4;  // rows of B, so that sums are loaded and stored less often

/// to += Σ x_e B[columns_e], `width` columns of it. from: the first of them in B's first row.
STACKAE_VECTORIZED void add_rows(const std::int32_t* columns, const float* x, std::int64_t entries,
                                 const float* from, std::int64_t stride, std::int64_t width, float* to) {
    std::int64_t e = 0;
    for (; e + at_once <= entries; e += at_once) {
        const float* a = from + columns[e] * stride;
        const float* b = from + columns[e + 1] * stride;
        const float* c = from + columns[e + 2] * stride;
        const float* d = from + columns[e + 3] * stride;
#pragma omp simd
        for (std::int64_t j = 0; j < width; ++j) {
            to[j] = to[j] + x[e] * a[j] + x[e + 1] * b[j] + x[e + 2] * c[j] + x[e + 3] * d[j];
        }
    }
    for (; e < entries; ++e) {
        const float* row = from + columns[e] * stride;
#pragma omp simd
        for (std::int64_t j = 0; j < width; ++j) {
            to[j] += x[e] * row[j];
        }
    }
}

}  // namespace

Tensor sparse_times_dense(std::span<const std::int64_t> offsets, std::span<const std::int32_t> columns,
                          std::span<const float> values, const Tensor& dense) {
    const std::int64_t rows = std::ssize(offsets) - 1;
    const std::int64_t width = dense.columns();
    const std::int64_t tiles = (width + tile - 1) / tile;
    Tensor product({rows, width});
    base::parallel_for(rows * tiles, base::current_threads(), [&] {
        return [&](std::int64_t part) {
            const std::int64_t row = part / tiles;
            const std::int64_t first = part % tiles * tile;
            const std::int64_t begin = offsets[at(row)];
            add_rows(columns.data() + begin, values.data() + begin, offsets[at(row + 1)] - begin,
                     dense.data() + first, width, std::min(tile, width - first),
                     product.row(row).data() + first);
        };
    });
    return product;
}

}  // namespace stackae::linalg

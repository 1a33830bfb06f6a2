#include "linalg/sparse_product.hpp"

#include <algorithm>
#include <array>

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "base/vectorized.hpp"

namespace stackae::linalg {
namespace {

using base::at;

// Its sums stay in registers; 64 columns of some thousand rows fit into a core's own cache.
constexpr std::int64_t tile = 64;

/// sum = Σ x_e B[columns_e] of a whole tile. from: the tile's first column in B's first row.
STACKAE_VECTORIZED void add_tile(const std::int32_t* columns, const float* values, std::int64_t entries,
                                 const float* from, std::int64_t stride, float* to) {
    std::array<float, tile> sum{};
    for (std::int64_t e = 0; e < entries; ++e) {
        const float* row = from + columns[e] * stride;
        const float x = values[e];
#pragma omp simd
        for (std::size_t j = 0; j < tile; ++j) {
            sum[j] += x * row[j];
        }
    }
    std::copy(sum.begin(), sum.end(), to);
}

/// The same of the last tile, which is less wide.
STACKAE_VECTORIZED void add_narrow_tile(const std::int32_t* columns, const float* values,
                                        std::int64_t entries, const float* from, std::int64_t stride,
                                        std::int64_t width, float* to) {
    for (std::int64_t e = 0; e < entries; ++e) {
        const float* row = from + columns[e] * stride;
        const float x = values[e];
#pragma omp simd
        for (std::int64_t j = 0; j < width; ++j) {
            to[j] += x * row[j];
        }
    }
}

}  // namespace

Tensor sparse_times_dense(std::span<const std::int64_t> offsets, std::span<const std::int32_t> columns,
                          std::span<const float> values, const Tensor& dense) {
    const std::int64_t rows = std::ssize(offsets) - 1;
    const std::int64_t width = dense.columns();
    Tensor product({rows, width});
    base::parallel_for((width + tile - 1) / tile, base::current_threads(), [&] {
        return [&](std::int64_t number) {
            const std::int64_t first = number * tile;
            for (std::int64_t u = 0; u < rows; ++u) {
                const std::int64_t begin = offsets[at(u)];
                const std::int64_t entries = offsets[at(u + 1)] - begin;
                const std::int32_t* places = columns.data() + begin;
                const float* x = values.data() + begin;
                float* to = product.row(u).data() + first;
                if (width - first >= tile) {
                    add_tile(places, x, entries, dense.data() + first, width, to);
                } else {
                    add_narrow_tile(places, x, entries, dense.data() + first, width, width - first, to);
                }
            }
        };
    });
    return product;
}

}  // namespace stackae::linalg

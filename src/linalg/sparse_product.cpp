#include "linalg/sparse_product.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "base/vectorized.hpp"

namespace stackae::linalg {
namespace {

using base::at;

// Its sums stay in a core's first cache, and B is read in stretches that are long enough to be foreseen.
constexpr std::int64_t tile = 4096;
constexpr std::int64_t some_values = 4096;  // of C, that a thread takes at a time
constexpr std::size_t some_entries = 64;    // of a row, that are multiplied at a time
constexpr std::int64_t at_once = 4;         // rows of B, so that sums are loaded and stored less often

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
    Tensor product({std::ssize(offsets) - 1, dense.columns()});
    add_sparse_times_dense(offsets, columns, values, dense, product);
    return product;
}

void add_sparse_times_dense(std::span<const std::int64_t> offsets, std::span<const std::int32_t> columns,
                            std::span<const float> values, const Tensor& dense, Tensor& sum) {
    const std::int64_t rows = std::ssize(offsets) - 1;
    const std::int64_t width = dense.columns();
    const std::int64_t tiles = (width + tile - 1) / tile;
    if (sum.rows() != rows || sum.size() != rows * width) {
        throw InvalidArgument(fmt::format("sparse product: {} x {} found, {} x {} expected", sum.rows(),
                                          sum.columns(), rows, width));
    }
    // Narrow rows, of which some have no entry, are taken several at a time.
    const std::int64_t rows_at_once =
        std::max<std::int64_t>(1, some_values / std::max<std::int64_t>(width, 1));
    const std::int64_t bands = (rows + rows_at_once - 1) / rows_at_once;
    base::parallel_for(bands * tiles, base::current_threads(), [&] {
        return [&](std::int64_t part) {
            const std::int64_t first = part % tiles * tile;
            const std::int64_t end = std::min(rows, (part / tiles + 1) * rows_at_once);
            for (std::int64_t row = part / tiles * rows_at_once; row < end; ++row) {
                const std::int64_t begin = offsets[at(row)];
                add_rows(columns.data() + begin, values.data() + begin, offsets[at(row + 1)] - begin,
                         dense.data() + first, width, std::min(tile, width - first),
                         sum.row(row).data() + first);
            }
        };
    });
}

void add_row_times_dense(std::span<const float> x, const Tensor& dense, float* sum) {
    std::array<std::int32_t, some_entries> columns{};
    std::array<float, some_entries> values{};
    std::size_t filled = 0;
    const auto add = [&] {
        add_rows(columns.data(), values.data(), static_cast<std::int64_t>(filled), dense.data(),
                 dense.columns(), dense.columns(), sum);
        filled = 0;
    };
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (x[i] != 0.0F) {
            columns[filled] = static_cast<std::int32_t>(i);
            values[filled++] = x[i];
            if (filled == some_entries) {
                add();
            }
        }
    }
    add();
}

}  // namespace stackae::linalg

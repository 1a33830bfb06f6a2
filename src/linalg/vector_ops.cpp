#include "linalg/vector_ops.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/parallel.hpp"
#include "base/vectorized.hpp"

namespace stackae::linalg {
namespace {

constexpr std::int64_t grain = 4096;  // values; a multiple of a cache line
constexpr std::int64_t column_grain = 128;

STACKAE_VECTORIZED void signed_root(const float* x, std::int64_t size, float* to) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        to[i] = std::copysign(std::sqrt(std::abs(x[i])), x[i]);
    }
}

STACKAE_VECTORIZED void signed_square(const float* x, std::int64_t size, float* to) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        to[i] = x[i] * std::abs(x[i]);
    }
}

STACKAE_VECTORIZED float squared_norm_range(const float* x, std::int64_t size) {
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < size; ++i) {
        sum += x[i] * x[i];
    }
    return sum;
}

}  // namespace

STACKAE_VECTORIZED void add_row(const float* x, std::int64_t size, float* to) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        to[i] += x[i];
    }
}

STACKAE_VECTORIZED void add_scaled_row(float factor, const float* x, std::int64_t size, float* to) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        to[i] += factor * x[i];
    }
}

STACKAE_VECTORIZED void raise_row(const float* x, std::int64_t size, float* to) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        to[i] = std::max(to[i], x[i]);
    }
}

STACKAE_VECTORIZED void scale_row(float factor, std::int64_t size, float* x) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        x[i] *= factor;
    }
}

void signed_power(const float* x, std::int64_t size, float power, float* to) {
    if (power == 0.5F) {
        signed_root(x, size, to);
    } else if (power == 2.0F) {
        signed_square(x, size, to);
    } else {
        std::transform(x, x + size, to, [power](float value) {
            return std::copysign(std::pow(std::abs(value), power), value);
        });
    }
}

void add(const float* x, std::int64_t size, float* y) {
    base::parallel_ranges(size, grain, [&](std::int64_t begin, std::int64_t end) {
        add_row(x + begin, end - begin, y + begin);
    });
}

void sum_rows(const float* rows, std::int64_t n, std::int64_t columns, float* sum) {
    base::parallel_ranges(columns, column_grain, [&](std::int64_t begin, std::int64_t end) {
        std::fill(sum + begin, sum + end, 0.0F);
        for (std::int64_t i = 0; i < n; ++i) {
            add_row(rows + i * columns + begin, end - begin, sum + begin);
        }
    });
}

Tensor transposed(const Tensor& matrix) {
    Tensor out({matrix.columns(), matrix.rows()});
    for (std::int64_t i = 0; i < out.rows(); ++i) {
        for (std::int64_t j = 0; j < out.columns(); ++j) {
            out.row(i)[static_cast<std::size_t>(j)] = matrix.row(j)[static_cast<std::size_t>(i)];
        }
    }
    return out;
}

double squared_norm(const float* x, std::int64_t size) {
    std::vector<double> blocks(static_cast<std::size_t>((size + grain - 1) / grain));
    base::parallel_ranges(size, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t at = begin; at < end; at += grain) {
            blocks[static_cast<std::size_t>(at / grain)] =
                static_cast<double>(squared_norm_range(x + at, std::min(grain, end - at)));
        }
    });
    return std::accumulate(blocks.begin(), blocks.end(), 0.0);
}

}  // namespace stackae::linalg

#include "linalg/vector_ops.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/parallel.hpp"
#include "base/vectorized.hpp"

namespace stackae::linalg {
namespace {

constexpr std::int64_t grain = 4096;  // values; a multiple of a cache line

STACKAE_VECTORIZED void add_range(const float* x, std::int64_t size, float* y) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        y[i] += x[i];
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

void add(const float* x, std::int64_t size, float* y) {
    base::parallel_ranges(size, grain, [&](std::int64_t begin, std::int64_t end) {
        add_range(x + begin, end - begin, y + begin);
    });
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

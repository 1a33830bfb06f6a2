#include "nn/kernels.hpp"

#include <algorithm>
#include <cmath>

#include "base/parallel.hpp"
#include "base/vectorized.hpp"

namespace stackae::nn {
namespace {

constexpr std::int64_t grain = 4096;  // values; a multiple of a cache line

STACKAE_VECTORIZED void take_roots_range(const float* x, std::int64_t size, float* to) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        to[i] = std::sqrt(std::max(0.0F, x[i]));
    }
}

STACKAE_VECTORIZED void take_squares_range(const float* x, std::int64_t size, float* to) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        const float positive = std::max(0.0F, x[i]);
        to[i] = positive * positive;
    }
}

}  // namespace

void take_roots(const float* x, std::int64_t size, float* to) {
    base::parallel_ranges(size, grain, [&](std::int64_t begin, std::int64_t end) {
        take_roots_range(x + begin, end - begin, to + begin);
    });
}

void take_squares(const float* x, std::int64_t size, float* to) {
    base::parallel_ranges(size, grain, [&](std::int64_t begin, std::int64_t end) {
        take_squares_range(x + begin, end - begin, to + begin);
    });
}

}  // namespace stackae::nn

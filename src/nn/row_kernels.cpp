#include "nn/row_kernels.hpp"

#include <algorithm>
#include <cmath>

#include "base/vectorized.hpp"

namespace stackae::nn {
namespace {

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

}  // namespace

STACKAE_VECTORIZED void add_row(const float* x, std::int64_t size, float* to) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        to[i] += x[i];
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

}  // namespace stackae::nn

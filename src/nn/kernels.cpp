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

STACKAE_VECTORIZED void sgd_range(SgdStep step, const float* __restrict diff, std::int64_t size,
                                  float* __restrict velocity, float* __restrict weights) {
    const float look_ahead = step.nesterov ? step.momentum : 1.0F;
    const float now = step.nesterov ? 1.0F : 0.0F;
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        const float g = step.scale * diff[i] + step.decay * weights[i];
        const float v = step.momentum * velocity[i] + g;
        velocity[i] = v;
        weights[i] -= step.rate * (now * g + look_ahead * v);
    }
}

STACKAE_VECTORIZED void adam_range(AdamStep step, const float* __restrict diff, std::int64_t size,
                                   float* __restrict m, float* __restrict v, float* __restrict weights) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        const float w = weights[i];
        const float g = step.scale * diff[i] + step.decay * w;
        const float first = step.beta1 * m[i] + (1.0F - step.beta1) * g;
        const float second = step.beta2 * v[i] + (1.0F - step.beta2) * g * g;
        m[i] = first;
        v[i] = second;
        weights[i] =
            step.shrink * w - step.rate * first / (std::sqrt(second * step.correction) + step.epsilon);
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

void sgd_update(const SgdStep& step, const float* diff, std::int64_t size, float* velocity, float* weights) {
    base::parallel_ranges(size, grain, [&](std::int64_t begin, std::int64_t end) {
        sgd_range(step, diff + begin, end - begin, velocity + begin, weights + begin);
    });
}

void adam_update(const AdamStep& step, const float* diff, std::int64_t size, float* m, float* v,
                 float* weights) {
    base::parallel_ranges(size, grain, [&](std::int64_t begin, std::int64_t end) {
        adam_range(step, diff + begin, end - begin, m + begin, v + begin, weights + begin);
    });
}

}  // namespace stackae::nn

#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "stackae/activation.hpp"
#include "stackae/tensor.hpp"

#include "base/random.hpp"

/// Naive kernels in double precision, written from the formulas, beside the fast ones.
namespace reference {

inline double activate(stackae::Activation f, double z) {
    switch (f) {
        case stackae::Activation::linear:
            return z;
        case stackae::Activation::sigmoid:
            return 1.0 / (1.0 + std::exp(-z));
        case stackae::Activation::tanh:
            return std::tanh(z);
        case stackae::Activation::relu:
            return z > 0.0 ? z : 0.0;
        case stackae::Activation::elu:
            return z > 0.0 ? z : std::exp(z) - 1.0;
        case stackae::Activation::silu:
            return z / (1.0 + std::exp(-z));
    }
    return z;
}

/// weights oc × ic; or, transposed, ic × oc.
inline std::vector<double> dense(stackae::Activation f, const stackae::Tensor& src, const float* weights,
                                 const float* bias, std::int64_t oc, bool transposed = false) {
    const std::int64_t ic = src.columns();
    std::vector<double> dst;
    for (std::int64_t i = 0; i < src.rows(); ++i) {
        for (std::int64_t o = 0; o < oc; ++o) {
            double z = static_cast<double>(bias[o]);
            for (std::int64_t j = 0; j < ic; ++j) {
                z += static_cast<double>(src.row(i)[static_cast<std::size_t>(j)]) *
                     static_cast<double>(transposed ? weights[j * oc + o] : weights[o * ic + j]);
            }
            dst.push_back(activate(f, z));
        }
    }
    return dst;
}

/// Whole numbers in [−range, range]: sums of their products are exact in single precision.
inline stackae::Tensor whole_numbers(std::vector<std::int64_t> shape, int range, std::uint32_t stream) {
    stackae::Tensor tensor(std::move(shape));
    const stackae::base::Random random(11, stackae::base::RandomStream::plan, stream);
    std::uint32_t at = 0;
    for (float& value : tensor.values()) {
        value = static_cast<float>(
            static_cast<int>(random.below(at++, static_cast<std::uint64_t>(2 * range + 1))) - range);
    }
    return tensor;
}

/// Uniform in [low, high).
inline stackae::Tensor uniform(std::vector<std::int64_t> shape, float low, float high, std::uint32_t stream) {
    stackae::Tensor tensor(std::move(shape));
    const stackae::base::Random random(12, stackae::base::RandomStream::plan, stream);
    std::uint32_t at = 0;
    for (float& value : tensor.values()) {
        value = low + (high - low) * stackae::base::Random::uniform(random.block(at++)[0]);
    }
    return tensor;
}

}  // namespace reference

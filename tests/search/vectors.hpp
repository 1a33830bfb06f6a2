#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "stackae/neighbours.hpp"
#include "stackae/tensor.hpp"

namespace stackae::test {

inline Tensor table(std::int64_t n, std::int64_t d, const std::vector<float>& values) {
    Tensor tensor({n, d});
    std::copy(values.begin(), values.end(), tensor.data());
    return tensor;
}

inline Tensor random_vectors(std::int64_t n, std::int64_t d, unsigned seed, float offset = 0.0F) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(offset, 1.0F);
    Tensor vectors({n, d});
    for (float& value : vectors.values()) {
        value = normal(generator);
    }
    return vectors;
}

inline double naive_distance(const Tensor& a, std::int64_t i, const Tensor& b, std::int64_t j,
                             Metric metric) {
    double squared = 0.0;
    double product = 0.0;
    double norm_a = 0.0;
    double norm_b = 0.0;
    for (std::size_t c = 0; c < static_cast<std::size_t>(a.columns()); ++c) {
        const double x = a.row(i)[c];
        const double y = b.row(j)[c];
        squared += (x - y) * (x - y);
        product += x * y;
        norm_a += x * x;
        norm_b += y * y;
    }
    if (metric == Metric::l2) {
        return std::sqrt(squared);
    }
    if (norm_a == 0.0 || norm_b == 0.0) {
        return norm_a == norm_b ? 0.0 : 1.0;
    }
    return 1.0 - product / std::sqrt(norm_a * norm_b);
}

}  // namespace stackae::test

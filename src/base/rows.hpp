#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <vector>

#include "stackae/tensor.hpp"

namespace stackae::base {

/// A row's number, 0 or more, as the index of a vector.
[[nodiscard]] constexpr std::size_t at(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

/// ‖x‖², in double.
[[nodiscard]] inline double squared_norm(std::span<const float> x) {
    return std::transform_reduce(x.begin(), x.end(), 0.0, std::plus<>{},
                                 [](float value) { return double{value} * double{value}; });
}

/// ‖a − b‖², in double.
[[nodiscard]] inline double squared_distance(std::span<const float> a, std::span<const float> b) {
    return std::transform_reduce(a.begin(), a.end(), b.begin(), 0.0, std::plus<>{}, [](float x, float y) {
        const double difference = double{x} - double{y};
        return difference * difference;
    });
}

/// L2 normalisation: to ← x / ‖x‖, zeros stay; to may be x.
inline void l2_normalize(std::span<const float> x, std::span<float> to) {
    const double norm = squared_norm(x);
    const double scale = norm > 0.0 ? 1.0 / std::sqrt(norm) : 0.0;
    std::transform(x.begin(), x.end(), to.begin(),
                   [scale](float value) { return static_cast<float>(double{value} * scale); });
}

/// Contrast normalisation (Coates, Lee & Ng 2011): to ← (x − μ) / √(σ² + ε) by x's own mean and variance, in
/// double; to may be x.
inline void contrast_normalize(std::span<const float> x, double epsilon, std::span<float> to) {
    const auto n = static_cast<double>(x.size());
    const double mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
    double squares = 0.0;
    for (const float value : x) {
        squares += (double{value} - mean) * (double{value} - mean);
    }
    const double scale = 1.0 / std::sqrt(squares / n + epsilon);
    std::transform(x.begin(), x.end(), to.begin(),
                   [=](float value) { return static_cast<float>((double{value} - mean) * scale); });
}

/// No value is infinite or not a number. Looks at all of them, in vector code.
[[nodiscard]] inline bool all_finite(std::span<const float> x) {
    constexpr std::uint32_t exponent = 0x7F80'0000U;
    std::uint32_t odd = 0;
    for (const float value : x) {
        odd |= (std::bit_cast<std::uint32_t>(value) & exponent) == exponent ? 1U : 0U;
    }
    return odd == 0;
}

/// At most so many of n rows, spread evenly over them: folders are sorted by class.
[[nodiscard]] inline std::vector<std::int64_t> spread_rows(std::int64_t n, std::int64_t most) {
    std::vector<std::int64_t> some(at(std::min(n, most)));
    for (std::size_t i = 0; i < some.size(); ++i) {
        some[i] = static_cast<std::int64_t>(i) * n / std::ssize(some);
    }
    return some;
}

/// The same of some rows.
[[nodiscard]] inline std::vector<std::int64_t> spread_rows(std::span<const std::int64_t> rows,
                                                           std::int64_t most) {
    std::vector<std::int64_t> some = spread_rows(std::ssize(rows), most);
    std::transform(some.begin(), some.end(), some.begin(), [&](std::int64_t i) { return rows[at(i)]; });
    return some;
}

/// Copies some rows of a tensor, in the order given.
[[nodiscard]] inline Tensor gather_rows(const Tensor& tensor, std::span<const std::int64_t> rows) {
    Tensor gathered({static_cast<std::int64_t>(rows.size()), tensor.columns()});
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto row = tensor.row(rows[i]);
        std::copy(row.begin(), row.end(), gathered.row(static_cast<std::int64_t>(i)).begin());
    }
    return gathered;
}

}  // namespace stackae::base

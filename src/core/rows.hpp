#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>

namespace stackae::core {

/// ‖x‖², in double.
[[nodiscard]] inline double squared_norm(std::span<const float> x) {
    return std::transform_reduce(x.begin(), x.end(), 0.0, std::plus<>{},
                                 [](float value) { return double{value} * double{value}; });
}

/// to ← x / ‖x‖, zeros stay; to may be x.
inline void scale_to_length_one(std::span<const float> x, std::span<float> to) {
    const double norm = squared_norm(x);
    const double scale = norm > 0.0 ? 1.0 / std::sqrt(norm) : 0.0;
    std::transform(x.begin(), x.end(), to.begin(),
                   [scale](float value) { return static_cast<float>(double{value} * scale); });
}

}  // namespace stackae::core

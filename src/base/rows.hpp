#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>

namespace stackae::base {

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

/// No value is infinite or not a number. Looks at all of them, in vector code.
[[nodiscard]] inline bool all_finite(std::span<const float> x) {
    constexpr std::uint32_t exponent = 0x7F80'0000U;
    std::uint32_t odd = 0;
    for (const float value : x) {
        odd |= (std::bit_cast<std::uint32_t>(value) & exponent) == exponent ? 1U : 0U;
    }
    return odd == 0;
}

}  // namespace stackae::base

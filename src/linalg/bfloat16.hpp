#pragma once

#include <bit>
#include <cstdint>
#include <vector>

/// bfloat16: the upper half of a float, with 8 binary digits and as many powers of two.
namespace stackae::linalg {

/// Whether the processor multiplies bfloat16 by itself: products are then twice as fast.
[[nodiscard]] bool has_bfloat16();

/// The nearest bfloat16 of a finite value, ties to the even one, as it is stored.
[[nodiscard]] inline std::uint16_t to_bfloat16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
}
[[nodiscard]] inline float from_bfloat16(std::uint16_t stored) {
    return std::bit_cast<float>(std::uint32_t{stored} << 16U);
}

/// A matrix of a product, rounded to bfloat16 in the type that this processor multiplies fastest: bfloat16
/// where has_bfloat16(), else float. So the product is the same everywhere but for the order in which it
/// sums.
class RoundedFactor {
public:
    explicit RoundedFactor(std::int64_t size);

    /// values: size; what is returned holds until the next call.
    [[nodiscard]] const void* round(const float* values);

private:
    std::int64_t size_;
    std::vector<std::uint16_t> halves_;
    std::vector<float> floats_;
};

}  // namespace stackae::linalg

#pragma once

#include <bit>
#include <cstdint>
#include <dnnl.hpp>
#include <span>
#include <unordered_map>

#include "linalg/onednn.hpp"

namespace stackae::linalg {

/// What the factors of a product are rounded to; it is summed in float.
enum class Precision {
    float32,
    bfloat16,  ///< 8 binary digits, as many powers of two as float
};

/// Whether the processor multiplies bfloat16 by itself: then twice as fast.
[[nodiscard]] bool has_bfloat16();

/// The nearest bfloat16 of a finite value, ties to the even one; as it is stored, and as a float.
[[nodiscard]] inline std::uint16_t to_bfloat16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
}
[[nodiscard]] inline float of_bfloat16(std::uint16_t stored) {
    return std::bit_cast<float>(std::uint32_t{stored} << 16U);
}

/// How a factor lies in memory once it is packed.
using PackedLayout = dnnl::memory::desc;

/// S = A · Bᵀ + b of fixed extents: A m × k, B n × k, b (n) is added to each row of S, m × n. All row-major;
/// B in bfloat16 is packed first. The context must outlive it; one per thread.
class RowProduct {
public:
    /// layout: of B, packed by another product of the same n and k; empty: the one that suits best.
    RowProduct(Context& context, Precision precision, std::int64_t m, std::int64_t n, std::int64_t k,
               const PackedLayout& layout = {});
    RowProduct(const RowProduct&) = delete;
    RowProduct& operator=(const RowProduct&) = delete;
    RowProduct(RowProduct&&) noexcept = default;
    RowProduct& operator=(RowProduct&&) noexcept = default;
    ~RowProduct() = default;

    /// Of B once it is packed.
    [[nodiscard]] PackedLayout layout() const { return b_.get_desc(); }
    /// rows: n × k. For bfloat16.
    void pack(std::span<const std::uint16_t> rows, void* packed);
    /// Overwrites s. a and b as the precision asks: floats, or bfloat16 and what pack made. Allocates
    /// nothing.
    void run(const void* a, const void* b, const float* bias, float* s);

private:
    Context* context_;
    dnnl::memory a_;
    dnnl::memory b_;
    dnnl::memory bias_;
    dnnl::memory s_;
    dnnl::memory plain_;  ///< B before it is packed
    dnnl::matmul primitive_;
    dnnl::reorder packing_;
    std::unordered_map<int, dnnl::memory> arguments_;
};

}  // namespace stackae::linalg

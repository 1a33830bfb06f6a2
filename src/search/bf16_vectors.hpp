#pragma once

#include <cstdint>
#include <span>

#include "stackae/tensor.hpp"

#include "linalg/gemm.hpp"
#include "search/flat_vectors.hpp"

namespace stackae::search {

/// The rows of FlatVectors in bfloat16, for a first scan that takes half the time. How far its scores may be
/// off is known for every query, so that what it finds is exact or is known not to be certain. Half the
/// table's memory.
class Bf16Vectors {
public:
    /// Of a scan: scores with the table's rows, and their offsets added.
    static constexpr linalg::GemmOptions gemm_options{
        .trans_b = true, .packed_b = true, .bf16 = true, .bias = true};

    /// Whether the processor is faster with bfloat16, and there are queries and rows enough to make this for.
    [[nodiscard]] static bool is_profitable(const FlatVectors& table, std::int64_t queries);

    Bf16Vectors(const FlatVectors& table, int threads);

    [[nodiscard]] const linalg::PackedLayout& layout() const { return layout_; }
    /// Rows from `first` on in that layout.
    [[nodiscard]] const void* block(std::int64_t first) const {
        return blocks_.row(first / block_rows_).data();
    }
    /// Upper bound of what a score is off by for the roundings of the factors, ‖q‖² and ‖q − q̂‖ given:
    /// 2 |q·x − q̂·x̂| ≤ 2 (‖q − q̂‖ ‖x‖ + ‖q̂‖ ‖x − x̂‖).
    [[nodiscard]] double rounding(double squared_norm, double query_error) const;

private:
    std::int64_t block_rows_;
    std::int64_t dimension_;
    linalg::PackedLayout layout_;
    Tensor blocks_;               ///< blocks × bytes, held as floats
    double largest_error_ = 0.0;  ///< max ‖x − x̂‖
    double largest_norm_ = 0.0;   ///< max ‖x‖
};

/// Rounds, and returns ‖v − v̂‖.
double round_to_bfloat16(std::span<const float> v, std::span<std::uint16_t> rounded);

}  // namespace stackae::search

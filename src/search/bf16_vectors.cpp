#include "search/bf16_vectors.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "base/parallel.hpp"
#include "linalg/bfloat16.hpp"
#include "linalg/gemm.hpp"

namespace stackae::search {
namespace {

constexpr std::int64_t min_rows = 4096;
constexpr std::int64_t min_queries = 256;
constexpr std::int64_t queries_at_once = 128;  // that the layout is to suit
constexpr double unit_roundoff = 0x1p-24;

/// bfloat16 sums leave out what is too small for a normal float, at each of their steps.
constexpr double smallest_normal = 0x1p-126;

/// One thread's way to round and pack blocks of rows.
class Packer {
public:
    explicit Packer(const FlatVectors& table)
        : table_(table),
          product_(context_, queries_at_once, table.block_rows(), table.dimension(),
                   Bf16Vectors::gemm_options),
          rounded_(static_cast<std::size_t>(table.block_rows() * table.dimension())) {}

    [[nodiscard]] linalg::PackedLayout layout() const { return product_.layout(); }
    /// Returns max ‖x − x̂‖.
    double pack(std::int64_t block, void* packed) {
        const auto d = static_cast<std::size_t>(table_.dimension());
        double largest = 0.0;
        for (std::int64_t i = 0; i < table_.block_rows(); ++i) {
            const auto row = std::span(rounded_).subspan(static_cast<std::size_t>(i) * d, d);
            largest = std::max(largest, round_to_bfloat16(table_.row(block * table_.block_rows() + i), row));
        }
        product_.pack(rounded_.data(), packed);
        return largest;
    }

private:
    const FlatVectors& table_;
    linalg::Context context_{1};
    linalg::Gemm product_;
    std::vector<std::uint16_t> rounded_;
};

}  // namespace

double round_to_bfloat16(std::span<const float> v, std::span<std::uint16_t> rounded) {
    double squares = 0.0;
    for (std::size_t i = 0; i < v.size(); ++i) {
        rounded[i] = linalg::to_bfloat16(v[i]);
        const double error = double{v[i]} - double{linalg::from_bfloat16(rounded[i])};
        squares += error * error;
    }
    return std::sqrt(squares);
}

bool Bf16Vectors::is_profitable(const FlatVectors& table, std::int64_t queries) {
    return queries >= min_queries && table.size() >= min_rows && linalg::has_bfloat16();
}

Bf16Vectors::Bf16Vectors(const FlatVectors& table, int threads)
    : block_rows_(table.block_rows()), dimension_(table.dimension()), largest_norm_(table.largest_norm()) {
    const base::ThreadScope scope(1);
    layout_ = Packer(table).layout();
    const std::size_t floats = (layout_.get_size() + sizeof(float) - 1) / sizeof(float);
    const std::int64_t blocks = table.padded_size() / block_rows_;
    blocks_ = Tensor({blocks, static_cast<std::int64_t>(floats)});
    std::vector<double> errors(static_cast<std::size_t>(blocks));
    base::parallel_for(blocks, threads, [&] {
        return [&, packer = std::make_unique<Packer>(table)](std::int64_t block) {
            errors[static_cast<std::size_t>(block)] = packer->pack(block, blocks_.row(block).data());
        };
    });
    largest_error_ = *std::max_element(errors.begin(), errors.end());
}

double Bf16Vectors::rounding(double squared_norm, double query_error) const {
    const double norm = std::sqrt(squared_norm);
    const auto d = static_cast<double>(dimension_);
    // The sum's own rounding, which FlatVectors reckons with, is of q̂ and x̂, that may be longer than q and x.
    const double longer = 1.0 + (d + 8.0) * unit_roundoff;
    return 2.0 * longer * (query_error * largest_norm_ + (norm + query_error) * largest_error_) +
           (2.0 * d + 4.0) * smallest_normal * (1.0 + norm + largest_norm_);
}

}  // namespace stackae::search

#include "search/flat_vectors.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "stackae/error.hpp"

#include "base/rows.hpp"

namespace stackae::search {
namespace {

constexpr std::int64_t max_block_rows = 1024;
constexpr double unit_roundoff = 0x1p-24;
constexpr double largest_squared_norm = 1e37;  ///< beyond it float scores would overflow

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

double checked_squared_norm(std::span<const float> x, const char* what, std::int64_t row) {
    const double norm = base::squared_norm(x);
    if (!(norm < largest_squared_norm)) {
        throw InvalidArgument(
            fmt::format("neighbours: {} {} has a value that is not finite, or too large", what, row));
    }
    return norm;
}

FlatVectors::FlatVectors(const Tensor& vectors, Metric metric)
    : metric_(metric),
      size_(vectors.rows()),
      width_(vectors.columns()),
      block_rows_(std::min(max_block_rows, round_up(size_, std::int64_t{chunk}))) {
    if (vectors.empty()) {
        throw InvalidArgument("neighbours: an index of at least one vector expected, none found");
    }
    bool some_zeros = false;
    for (std::int64_t i = 0; i < size_; ++i) {
        some_zeros = checked_squared_norm(vectors.row(i), "vector", i) == 0.0 || some_zeros;
    }
    rows_ = Tensor({round_up(size_, block_rows_), width_ + (cosine() && some_zeros ? 1 : 0)});
    offsets_.assign(static_cast<std::size_t>(padded_size()), std::numeric_limits<float>::infinity());
    for (std::int64_t i = 0; i < size_; ++i) {
        const double norm = prepare(vectors.row(i), rows_.row(i));
        offsets_[static_cast<std::size_t>(i)] = static_cast<float>(query_term(norm));
        largest_norm_ = std::max(largest_norm_, std::sqrt(norm));
    }
}

void FlatVectors::prefetch(std::int64_t i) const {
    constexpr std::size_t line = 64 / sizeof(float);  ///< of the cache
    constexpr std::size_t most = 16;                  ///< after so many the processor has seen where it goes
    const auto x = row(i);
    for (std::size_t at = 0; at < std::min(x.size(), most * line); at += line) {
        __builtin_prefetch(&x[at]);
    }
}

std::span<const float> FlatVectors::offsets(std::int64_t first) const {
    return std::span(offsets_).subspan(static_cast<std::size_t>(first),
                                       static_cast<std::size_t>(block_rows_));
}

double FlatVectors::prepare(std::span<const float> query, std::span<float> prepared) const {
    const double norm = base::squared_norm(query);
    if (!cosine()) {
        std::copy(query.begin(), query.end(), prepared.begin());
        return norm;
    }
    base::l2_normalize(query, prepared.first(query.size()));
    if (marks_zeros()) {
        prepared.back() = norm > 0.0 ? 0.0F : 1.0F;
    }
    return norm > 0.0 || marks_zeros() ? 1.0 : 0.0;
}

bool FlatVectors::zeros(std::span<const float> laid_out) const {
    return marks_zeros() ? laid_out.back() == 1.0F
                         : std::all_of(laid_out.begin(), laid_out.end(), [](float x) { return x == 0.0F; });
}

double FlatVectors::squared_distance(std::span<const float> query, std::int64_t i) const {
    const auto x = row(i);
    if (cosine() && zeros(query) != zeros(x)) {
        return 2.0;  // what they are laid out as has roundings
    }
    return base::squared_distance(query, x);
}

double FlatVectors::distance(double squared) const {
    return cosine() ? 0.5 * squared : std::sqrt(squared);
}

double FlatVectors::rounding(double squared_norm) const {
    // A float sum of d products is off by at most d · u · Σ|q||x| ≤ d · u · ‖q‖ ‖x‖ (Higham 2002, 3.1);
    // unit vectors in float are of length 1 ± u.
    const auto d = static_cast<double>(dimension());
    return unit_roundoff *
           (8.0 * largest_norm_ * largest_norm_ + 2.0 * (d + 8.0) * std::sqrt(squared_norm) * largest_norm_);
}

}  // namespace stackae::search

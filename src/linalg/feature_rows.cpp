#include "linalg/feature_rows.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/rows.hpp"
#include "base/vectorized.hpp"
#include "linalg/bfloat16.hpp"

namespace stackae::linalg {
namespace {

using base::at;

STACKAE_VECTORIZED
void widen(const std::uint16_t* from, const float* origin, std::int64_t count, float* to) {
    for (std::int64_t j = 0; j < count; ++j) {
        to[j] = from_bfloat16(from[j]) + origin[j];
    }
}

STACKAE_VECTORIZED
void narrow(const float* from, const float* origin, std::int64_t count, std::uint16_t* to) {
    for (std::int64_t j = 0; j < count; ++j) {
        to[j] = to_bfloat16(from[j] - origin[j]);
    }
}

}  // namespace

Bfloat16Rows::Bfloat16Rows(std::int64_t rows, std::int64_t columns)
    : rows_(rows), columns_(columns), values_(at(rows * columns)) {}

void Bfloat16Rows::center(const Tensor& rows) {
    std::vector<double> mean(at(columns_));
    origin_.resize(mean.size());
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        const auto row = rows.row(i);
        for (std::size_t j = 0; j < mean.size(); ++j) {
            mean[j] += double{row[j]} / static_cast<double>(rows.rows());
        }
    }
    std::transform(mean.begin(), mean.end(), origin_.begin(), [](double value) {
        const auto rounded = static_cast<float>(value);
        return std::isfinite(rounded) ? rounded : 0.0F;
    });
}

void Bfloat16Rows::center(std::span<const float> origin) {
    origin_.assign(origin.begin(), origin.end());
}

void Bfloat16Rows::set(std::int64_t row, std::span<const float> values) {
    std::uint16_t* const to = values_.data() + row * columns_;
    narrow(values.data(), origin_.data(), columns_, to);
    if (!base::all_finite(values)) {  // rounding may have made another number of it
        constexpr std::uint16_t infinity = 0x7F80U;
        for (std::size_t j = 0; j < values.size(); ++j) {
            if (!std::isfinite(values[j])) {
                to[j] = infinity;
            }
        }
    }
}

void Bfloat16Rows::copy(std::int64_t row, std::int64_t first, std::int64_t count, float* to) const {
    const std::uint16_t* const from = values_.data() + row * columns_ + first;
#ifdef __GNUC__
    // Rows are taken in turn, a part of each: no hardware looks ahead in so many.
    constexpr std::int64_t line = 32;  // values
    for (std::int64_t j = count; j < std::min(2 * count, columns_ - first); j += line) {
        __builtin_prefetch(from + j);
    }
#endif
    widen(from, origin_.data() + first, count, to);
}

Bfloat16Rows Bfloat16Rows::gather(std::span<const std::int64_t> rows) const {
    Bfloat16Rows gathered(std::ssize(rows), columns_);
    gathered.origin_ = origin_;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::copy_n(values_.begin() + rows[i] * columns_, columns_,
                    gathered.values_.begin() + static_cast<std::int64_t>(i) * columns_);
    }
    return gathered;
}

void Bfloat16Rows::append(const Bfloat16Rows& more) {
    values_.insert(values_.end(), more.values_.begin(), more.values_.end());
    rows_ += more.rows_;
}

void Bfloat16Rows::shrink(std::int64_t rows) {
    rows_ = rows;
    values_.resize(at(rows * columns_));
}

FeatureRows::FeatureRows(const FeatureRows& rows, std::span<const std::int64_t> places) : FeatureRows(rows) {
    places_ = places;
    is_part_ = true;
}

std::int64_t FeatureRows::rows() const {
    return is_part_             ? std::ssize(places_)
           : floats_ != nullptr ? (floats_->empty() ? 0 : floats_->rows())
                                : halves_->rows();
}

std::int64_t FeatureRows::columns() const {
    return floats_ != nullptr ? (floats_->empty() ? 0 : floats_->columns()) : halves_->columns();
}

void FeatureRows::copy(std::int64_t row, std::int64_t first, std::int64_t count, float* to) const {
    const std::int64_t place = is_part_ ? places_[at(row)] : row;
    if (floats_ != nullptr) {
        std::copy_n(floats_->row(place).data() + first, count, to);
    } else {
        halves_->copy(place, first, count, to);
    }
}

}  // namespace stackae::linalg

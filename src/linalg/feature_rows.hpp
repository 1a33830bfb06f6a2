#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stackae/tensor.hpp"

namespace stackae::linalg {

/// n × d values in half the memory of floats: each as the bfloat16 of its difference from an origin of its
/// column, so that what varies a little around a large value keeps its 8 binary digits.
class Bfloat16Rows {
public:
    Bfloat16Rows() = default;
    Bfloat16Rows(std::int64_t rows, std::int64_t columns);

    [[nodiscard]] std::int64_t rows() const { return rows_; }
    [[nodiscard]] std::int64_t columns() const { return columns_; }
    [[nodiscard]] bool empty() const { return rows_ == 0; }

    /// The origin: the mean of some rows. Before any row is set.
    void center(const Tensor& rows);
    void center(std::span<const float> origin);
    /// Empty before it is set.
    [[nodiscard]] std::span<const float> origin() const { return origin_; }
    /// size d; after center(). A value that is not finite stays so.
    void set(std::int64_t row, std::span<const float> values);
    /// `count` values of a row from column `first` on, as floats.
    void copy(std::int64_t row, std::int64_t first, std::int64_t count, float* to) const;
    /// Some rows, in the order given.
    [[nodiscard]] Bfloat16Rows gather(std::span<const std::int64_t> rows) const;
    /// Adds the rows of another one with as many columns, of the same origin.
    void append(const Bfloat16Rows& more);
    /// Forgets the rows from there on.
    void shrink(std::int64_t rows);

private:
    std::int64_t rows_ = 0;
    std::int64_t columns_ = 0;
    std::vector<float> origin_;
    std::vector<std::uint16_t> values_;
};

/// A view of n × d features that are held as floats or as bfloat16; those must outlive it.
class FeatureRows {
public:
    FeatureRows(const Tensor& rows) : floats_(&rows) {}        // NOLINT(google-explicit-constructor)
    FeatureRows(const Bfloat16Rows& rows) : halves_(&rows) {}  // NOLINT(google-explicit-constructor)
    /// Some of them, by number.
    FeatureRows(const FeatureRows& rows, std::span<const std::int64_t> places);

    [[nodiscard]] std::int64_t rows() const;
    [[nodiscard]] std::int64_t columns() const;
    [[nodiscard]] bool empty() const { return rows() == 0; }
    /// `count` values of a row from column `first` on.
    void copy(std::int64_t row, std::int64_t first, std::int64_t count, float* to) const;

private:
    const Tensor* floats_ = nullptr;
    const Bfloat16Rows* halves_ = nullptr;
    std::span<const std::int64_t> places_;
    bool is_part_ = false;
};

}  // namespace stackae::linalg

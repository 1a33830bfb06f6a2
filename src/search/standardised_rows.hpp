#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stackae/tensor.hpp"

namespace stackae::search {

/// Mean and deviation of columns, by which rows are standardised: z = ((x − mean) / deviation, 1).
struct Scale {
    std::vector<double> mean;       // d
    std::vector<double> deviation;  // d; 1 where it would be 0

    /// Of n × d rows. Throws InvalidArgument where a column has a value that is not finite.
    static Scale of(const Tensor& rows);
    /// Values of z: d + 1.
    [[nodiscard]] std::int64_t width() const { return std::ssize(mean) + 1; }
    /// z of a row of d values.
    void standardise(std::span<const float> row, float* z) const;
};

/// Rows and how they are standardised; both must outlive this.
struct StandardisedRows {
    const Tensor& rows;
    const Scale& scale;

    [[nodiscard]] std::int64_t width() const { return scale.width(); }
    void copy(std::int64_t row, float* z) const { scale.standardise(rows.row(row), z); }
};

}  // namespace stackae::search

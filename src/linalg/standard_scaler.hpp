#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stackae/tensor.hpp"

namespace stackae::linalg {

/// Mean and standard deviation of each column, by which rows are standardised: z = ((x − mean) / deviation,
/// 1).
struct StandardScaler {
    std::vector<double> mean;       // d
    std::vector<double> deviation;  // d; 1 where it would be 0

    /// Fits the scaler to n × d rows. Throws InvalidArgument where a column has a value that is not finite.
    static StandardScaler fit(const Tensor& rows);
    /// The size of z: d + 1.
    [[nodiscard]] std::int64_t width() const { return std::ssize(mean) + 1; }
    /// Makes z of a row of d values.
    void transform(std::span<const float> row, float* z) const;
};

/// Rows that are standardised when they are copied; rows and scaler must outlive this.
struct StandardisedRows {
    const Tensor& rows;
    const StandardScaler& scale;

    [[nodiscard]] std::int64_t width() const { return scale.width(); }
    void copy(std::int64_t row, float* z) const { scale.transform(rows.row(row), z); }
};

}  // namespace stackae::linalg

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "linalg/feature_rows.hpp"

namespace stackae::linalg {

/// Mean and standard deviation of each column, by which rows are standardised: z = ((x − mean) / deviation,
/// 1).
struct StandardScaler {
    std::vector<double> mean;       // d
    std::vector<double> deviation;  // d; 1 where it would be 0

    /// Fits the scaler to n × d rows. Throws InvalidArgument where a column has a value that is not finite.
    /// The same at any number of threads.
    static StandardScaler fit(const FeatureRows& rows, int threads = 1);
    /// The size of z: d + 1.
    [[nodiscard]] std::int64_t width() const { return std::ssize(mean) + 1; }
    /// Makes z of a row of d values, in place too.
    void transform(std::span<const float> row, float* z) const;
};

/// Rows that are standardised when they are copied; what they are a view of and the scaler must outlive this.
struct StandardisedRows {
    FeatureRows rows;
    const StandardScaler& scale;

    [[nodiscard]] std::int64_t width() const { return scale.width(); }
    void copy(std::int64_t row, float* z) const {
        rows.copy(row, 0, rows.columns(), z);
        scale.transform({z, scale.mean.size()}, z);
    }
};

}  // namespace stackae::linalg

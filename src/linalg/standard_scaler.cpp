#include "linalg/standard_scaler.hpp"

#include <cmath>
#include <fmt/format.h>
#include <utility>

#include "stackae/error.hpp"

#include "base/vectorized.hpp"

namespace stackae::linalg {
namespace {

STACKAE_VECTORIZED
void standardise_values(const float* row, const double* mean, const double* deviation, std::size_t d,
                        float* z) {
    for (std::size_t j = 0; j < d; ++j) {
        z[j] = static_cast<float>((double{row[j]} - mean[j]) / deviation[j]);
    }
}

}  // namespace

/// Differences from the first row are summed, so that a constant column has a deviation of exactly 0.
StandardScaler StandardScaler::fit(const Tensor& rows) {
    const auto first = rows.row(0);
    const auto n = static_cast<double>(rows.rows());
    std::vector<double> mean(first.size());
    std::vector<double> deviation(first.size());
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        const auto row = rows.row(i);
        for (std::size_t j = 0; j < first.size(); ++j) {
            mean[j] += double{row[j]} - double{first[j]};
        }
    }
    for (std::size_t j = 0; j < first.size(); ++j) {
        mean[j] = mean[j] / n + double{first[j]};
        if (!std::isfinite(mean[j])) {
            throw InvalidArgument(
                fmt::format("linear classifier: column {} has a value that is not finite", j));
        }
    }
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        const auto row = rows.row(i);
        for (std::size_t j = 0; j < first.size(); ++j) {
            deviation[j] += (double{row[j]} - mean[j]) * (double{row[j]} - mean[j]);
        }
    }
    for (double& value : deviation) {
        value = value > 0.0 ? std::sqrt(value / n) : 1.0;
    }
    return {std::move(mean), std::move(deviation)};
}

void StandardScaler::transform(std::span<const float> row, float* z) const {
    standardise_values(row.data(), mean.data(), deviation.data(), row.size(), z);
    z[row.size()] = 1.0F;
}

}  // namespace stackae::linalg

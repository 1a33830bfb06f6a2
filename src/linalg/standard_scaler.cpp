#include "linalg/standard_scaler.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "base/vectorized.hpp"

namespace stackae::linalg {
namespace {

constexpr std::int64_t panel = 512;  // columns that a thread looks at in one go

STACKAE_VECTORIZED
void standardise_values(const float* row, const double* mean, const double* deviation, std::size_t d,
                        float* z) {
    for (std::size_t j = 0; j < d; ++j) {
        z[j] = static_cast<float>((double{row[j]} - mean[j]) / deviation[j]);
    }
}

STACKAE_VECTORIZED
void add_differences(const float* row, const float* from, std::int64_t count, double* sum) {
    for (std::int64_t j = 0; j < count; ++j) {
        sum[j] += double{row[j]} - double{from[j]};
    }
}

STACKAE_VECTORIZED
void add_squares(const float* row, const double* mean, std::int64_t count, double* sum) {
    for (std::int64_t j = 0; j < count; ++j) {
        const double difference = double{row[j]} - mean[j];
        sum[j] += difference * difference;
    }
}

}  // namespace

/// Differences from the first row are summed, so that a constant column has a deviation of exactly 0.
StandardScaler StandardScaler::fit(const FeatureRows& rows, int threads) {
    const std::int64_t d = rows.columns();
    const auto n = static_cast<double>(rows.rows());
    StandardScaler scaler{std::vector<double>(base::at(d)), std::vector<double>(base::at(d))};
    base::parallel_for((d + panel - 1) / panel, threads, [&] {
        return [&, values = std::vector<float>(panel)](std::int64_t part) mutable {
            const std::int64_t column = part * panel;
            const std::int64_t count = std::min(panel, d - column);
            double* const mean = scaler.mean.data() + column;
            double* const deviation = scaler.deviation.data() + column;
            std::vector<float> first(base::at(count));
            rows.copy(0, column, count, first.data());
            for (std::int64_t i = 0; i < rows.rows(); ++i) {
                rows.copy(i, column, count, values.data());
                add_differences(values.data(), first.data(), count, mean);
            }
            for (std::int64_t j = 0; j < count; ++j) {
                mean[j] = mean[j] / n + double{first[base::at(j)]};
            }
            for (std::int64_t i = 0; i < rows.rows(); ++i) {
                rows.copy(i, column, count, values.data());
                add_squares(values.data(), mean, count, deviation);
            }
        };
    });
    for (std::int64_t j = 0; j < d; ++j) {
        if (!std::isfinite(scaler.mean[base::at(j)])) {
            throw InvalidArgument(
                fmt::format("linear classifier: column {} has a value that is not finite", j));
        }
    }
    for (double& value : scaler.deviation) {
        value = value > 0.0 ? std::sqrt(value / n) : 1.0;
    }
    return scaler;
}

void StandardScaler::transform(std::span<const float> row, float* z) const {
    standardise_values(row.data(), mean.data(), deviation.data(), row.size(), z);
    z[row.size()] = 1.0F;
}

}  // namespace stackae::linalg

#include "train/column_scale.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/parallel.hpp"

namespace stackae::training {
namespace {

/// This share of the mean deviation is added to each deviation before roots are divided by it. Among held-out
/// CIFAR-10 pictures neighbours and a linear classifier of radial units do better by 0.8 points than with
/// roots as they are; without it, noise in corners that are all but empty is raised, which costs MNIST's
/// neighbours 0.1 points.
constexpr double least_deviation = 0.3;

template <class Operation>
void change_columns(SampleStore& rows, const std::vector<double>& scale, const Operation& operation) {
    base::parallel_ranges(rows.rows(), 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            float* const row = rows.row(i);
            std::transform(scale.begin(), scale.end(), row, row, [&](double factor, float value) {
                return static_cast<float>(operation(double{value}, factor));
            });
        }
    });
}

}  // namespace

std::vector<double> even_scale(const SampleStore& rows) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(rows.rows()));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    const std::vector<double> mean = rows.mean(all);
    std::vector<double> scale(mean.size());
    for (const std::int64_t i : all) {
        for (std::size_t j = 0; j < scale.size(); ++j) {
            scale[j] += std::pow(double{rows.row(i)[j]} - mean[j], 2.0) / static_cast<double>(rows.rows());
        }
    }
    double sum = 0.0;
    for (double& value : scale) {
        value = std::sqrt(value);
        sum += value;
    }
    const double least = std::max(least_deviation * sum / static_cast<double>(scale.size()), 1e-12);
    std::transform(scale.begin(), scale.end(), scale.begin(),
                   [least](double s) { return 1.0 / (s + least); });
    return scale;
}

void scale_columns(SampleStore& rows, const std::vector<double>& scale) {
    change_columns(rows, scale, std::multiplies<>{});
}

void unscale_columns(SampleStore& rows, const std::vector<double>& scale) {
    change_columns(rows, scale, std::divides<>{});
}

}  // namespace stackae::training

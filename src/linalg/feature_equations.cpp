#include "linalg/feature_equations.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "linalg/ridge_solver.hpp"

namespace stackae::linalg {
namespace {

using base::at;

/// Of solve_ridge(), for a class of half the rows; less for a rare one, see normal_equations.cpp.
constexpr double tolerance = 0.005;
constexpr std::int64_t max_eigenvectors = 512;
constexpr int eigenvector_iterations = 2;
constexpr std::int64_t sample_rows = 16'384;  // that they are found by

/// What it takes on the way to an answer: products with all rows, and a product's share of the rate of large
/// matrix products.
constexpr double usual_products = 300.0;
constexpr double slowness = 2.0;
constexpr std::int64_t lanes = 16;

}  // namespace

FeatureEquations::FeatureEquations(const StandardisedRows& rows, std::span<const std::int64_t> labels,
                                   std::int64_t classes, int threads)
    : products_(rows.rows, rows.scale, threads),
      labels_(labels),
      counts_(at(classes)),
      sides_({rows.width(), classes}),
      solution_({rows.width(), classes}) {}

std::int64_t FeatureEquations::count(std::int64_t of_class) const {
    return counts_[at(of_class)];
}

void FeatureEquations::add(std::span<const std::int64_t> rows) {
    if (rows.empty()) {
        return;
    }
    for (const std::int64_t row : rows) {
        added_.push_back(row);
        ++counts_[at(labels_[at(row)])];
    }
    Tensor more(sides_.shape());
    products_.back(
        rows, std::ssize(counts_),
        [&](std::int64_t row, std::int64_t k) { return labels_[at(row)] == k ? 1.0F : -1.0F; }, more);
    std::transform(more.data(), more.data() + more.size(), sides_.data(), sides_.data(), std::plus<>{});
}

/// Once: later rows are taken to be like those that were there.
void FeatureEquations::find_eigenvectors() {
    std::vector<std::int64_t> sample;
    const std::int64_t n = std::ssize(added_);
    const std::int64_t count = std::min(n, sample_rows);
    for (std::int64_t i = 0; i < count; ++i) {
        sample.push_back(added_[at(i * n / count)]);
    }
    const std::int64_t width = products_.width();
    const base::ThreadScope scope(1);  // so that sums do not depend on how many there are
    eigen_ = top_eigenvectors(width, std::min(max_eigenvectors, width), static_cast<double>(width),
                              eigenvector_iterations, [&](const Tensor& columns, Tensor& to) {
                                  products_.multiply(sample, columns, to);
                                  const auto share = 1.0F / static_cast<float>(count);
                                  std::for_each(to.data(), to.data() + to.size(),
                                                [share](float& value) { value *= share; });
                              });
}

Tensor FeatureEquations::solve(double c) {
    if (eigen_.vectors.empty()) {
        find_eigenvectors();
    }
    const auto n = static_cast<double>(added_.size());
    EigenResult eigen = eigen_;
    std::for_each(eigen.values.begin(), eigen.values.end(), [n](double& value) { value *= n; });
    eigen.trace *= n;
    std::vector<double> tolerances;
    for (const std::int64_t rows : counts_) {
        const double share = std::clamp(static_cast<double>(rows), 1.0, std::max(1.0, n - 1.0)) / n;
        tolerances.push_back(rows == 0 ? 1.0 : tolerance * 2.0 * std::sqrt(share * (1.0 - share)));
    }
    solve_ridge([&](const Tensor& columns, Tensor& to) { products_.multiply(added_, columns, to); },
                n / (2.0 * c), sides_, eigen, tolerances, solution_);
    Tensor weights({std::ssize(counts_), products_.width()});
    for (std::int64_t j = 0; j < weights.columns(); ++j) {
        for (std::int64_t k = 0; k < weights.rows(); ++k) {
            weights.row(k)[at(j)] = count(k) > 0 ? solution_.row(j)[at(k)] : 0.0F;
        }
    }
    return weights;
}

std::int64_t FeatureEquations::memory_bytes(std::int64_t width, std::int64_t classes, int threads) {
    return FeatureProducts::memory_bytes(width, std::max(classes, max_eigenvectors), threads) +
           static_cast<std::int64_t>(sizeof(float)) * width * (5 * max_eigenvectors + 10 * classes);
}

bool FeatureEquations::suits(std::int64_t n, std::int64_t width, std::int64_t classes) {
    const auto vectors = static_cast<double>((classes + lanes - 1) / lanes * lanes);
    return static_cast<double>(std::min(n, width)) > 2.0 * slowness * usual_products * vectors;
}

}  // namespace stackae::linalg

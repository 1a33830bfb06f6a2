#include "layers/elsa_loss.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <vector>

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "linalg/sparse_product.hpp"
#include "linalg/tiled_product.hpp"

namespace stackae::layers {
namespace {

using base::at;

/// Of all terms of ‖x̂‖²: what is left of them by rounding alone is not below that.
constexpr double rounding = 1e-6;
constexpr std::int64_t items_at_once = 4096;  ///< of A, whose products are summed at a time

double dot(std::span<const float> a, std::span<const float> b) {
    return std::transform_reduce(a.begin(), a.end(), b.begin(), 0.0, std::plus<>{},
                                 [](float x, float y) { return double{x} * double{y}; });
}

/// The loss of a row and how it changes with ‖h‖² and with h M hᵀ.
struct RowLoss {
    double loss = 0.0;
    double by_code = 0.0;  ///< a
    double by_gram = 0.0;  ///< b
};

/// squares: s; code: ‖h‖²; gram: h M hᵀ.
RowLoss row_loss(double squares, double code, double gram) {
    const double product = code - squares;
    const double length = std::max(gram - 2.0 * code + squares, rounding * (gram + 2.0 * code + squares));
    const double root = std::sqrt(squares * length);
    const double by_length = product / (root * length);
    return {2.0 - 2.0 * product / root, -2.0 / root - 2.0 * by_length, by_length};
}

/// Rows by their columns: entries of a column in the order of the rows.
base::SparseRows transposed(const base::SparseRows& rows, std::int64_t columns) {
    base::SparseRows turned;
    turned.offsets.assign(at(columns) + 1, 0);
    for (const std::int32_t column : rows.columns) {
        ++turned.offsets[at(column) + 1];
    }
    std::partial_sum(turned.offsets.begin(), turned.offsets.end(), turned.offsets.begin());
    turned.columns.resize(rows.columns.size());
    turned.values.resize(rows.values.size());
    std::vector<std::int64_t> next(turned.offsets.begin(), turned.offsets.end() - 1);
    for (std::int64_t row = 0; row < rows.rows(); ++row) {
        for (std::int64_t e = rows.offsets[at(row)]; e < rows.offsets[at(row + 1)]; ++e) {
            const std::int64_t to = next[at(rows.columns[at(e)])]++;
            turned.columns[at(to)] = static_cast<std::int32_t>(row);
            turned.values[at(to)] = rows.values[at(e)];
        }
    }
    return turned;
}

/// Takes from each row of the gradient what would change the length of A's.
void project_rows(const Tensor& weights, Tensor& gradient) {
    base::parallel_ranges(weights.rows(), 16, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) {
            const auto row = weights.row(i);
            const auto diff = gradient.row(i);
            const auto along = static_cast<float>(dot(row, diff));
            std::transform(diff.begin(), diff.end(), row.begin(), diff.begin(),
                           [along](float g, float a) { return g - along * a; });
        }
    });
}

}  // namespace

ElsaLoss::ElsaLoss(const Tensor& weights) : weights_(weights), gram_({weights.columns(), weights.columns()}) {
    for (std::int64_t first = 0; first < weights.rows(); first += items_at_once) {
        linalg::add_gram(weights.row(first).data(), std::min(items_at_once, weights.rows() - first),
                         weights.columns(), gram_.data());
    }
    linalg::mirror_upper(gram_, base::current_threads());
}

double ElsaLoss::sum(const base::SparseRows& rows) const {
    Tensor none;
    return sum(rows, none);
}

double ElsaLoss::sum(const base::SparseRows& rows, Tensor& gradient) const {
    const std::int64_t n = rows.rows();
    const std::int64_t k = weights_.columns();
    if (n == 0) {
        std::fill_n(gradient.data(), gradient.size(), 0.0F);
        return 0.0;
    }
    const Tensor codes = linalg::sparse_times_dense(rows.offsets, rows.columns, rows.values, weights_);
    Tensor by_codes({n, k});  // H M, then ∂L/∂H with M as it is
    linalg::TiledProduct{.m = n, .n = k, .k = k}.run(codes.data(), gram_.data(), by_codes.data());
    Tensor weighted({n, k});  // 2 diag(b) H
    std::vector<double> losses(at(n));
    const double mean = 1.0 / static_cast<double>(std::max<std::int64_t>(1, counted_rows(rows)));
    base::parallel_ranges(n, 8, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) {
            const auto begin = at(rows.offsets[at(i)]);
            const auto end = at(rows.offsets[at(i + 1)]);
            const auto code = codes.row(i);
            const auto by_code = by_codes.row(i);
            const double squares = base::squared_norm(std::span(rows.values).subspan(begin, end - begin));
            const RowLoss found =
                squares > 0.0 ? row_loss(squares, base::squared_norm(code), dot(code, by_code)) : RowLoss{};
            losses[at(i)] = found.loss;
            const auto a = static_cast<float>(2.0 * mean * found.by_code);
            const auto b = static_cast<float>(2.0 * mean * found.by_gram);
            std::transform(code.begin(), code.end(), weighted.row(i).begin(), [b](float h) { return b * h; });
            std::transform(code.begin(), code.end(), by_code.begin(), by_code.begin(),
                           [a, b](float h, float m) { return a * h + b * m; });
        }
    });
    if (!gradient.empty()) {
        Tensor mixed({k, k});
        linalg::TiledProduct{.m = k, .n = k, .k = n, .trans_a = true}.run(codes.data(), weighted.data(),
                                                                          mixed.data());
        linalg::TiledProduct{.m = weights_.rows(), .n = k, .k = k}.run(weights_.data(), mixed.data(),
                                                                       gradient.data());
        const base::SparseRows turned = transposed(rows, weights_.rows());
        linalg::add_sparse_times_dense(turned.offsets, turned.columns, turned.values, by_codes, gradient);
        project_rows(weights_, gradient);
    }
    return std::accumulate(losses.begin(), losses.end(), 0.0);
}

std::int64_t counted_rows(const base::SparseRows& rows) {
    std::int64_t counted = 0;
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        counted += rows.offsets[at(i + 1)] > rows.offsets[at(i)] ? 1 : 0;
    }
    return counted;
}

}  // namespace stackae::layers

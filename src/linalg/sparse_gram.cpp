#include "linalg/sparse_gram.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "linalg/tiled_product.hpp"

namespace stackae::linalg {
namespace {

using base::at;

constexpr std::int64_t rows_at_once = 8;  // of the result, that a thread takes

}  // namespace

SparseGram::SparseGram(std::span<const std::int64_t> offsets, std::span<const std::int32_t> columns,
                       std::span<const float> values, std::span<const float> weights, std::int64_t n)
    : offsets_(offsets), columns_(columns), values_(values), weights_(weights), starts_(at(n) + 1) {
    const std::int64_t rows = std::ssize(offsets) - 1;
    if (!weights.empty() && std::ssize(weights) != rows) {
        throw InvalidArgument(
            fmt::format("gram matrix: {} weights found, {} expected, one a row", weights.size(), rows));
    }
    const auto used =
        columns.subspan(at(offsets.front()), static_cast<std::size_t>(offsets.back() - offsets.front()));
    for (const std::int32_t column : used) {
        ++starts_[at(column) + 1];
    }
    std::partial_sum(starts_.begin(), starts_.end(), starts_.begin());
    entries_.resize(used.size());
    std::vector<std::int64_t> next(starts_.begin(), starts_.end() - 1);
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t begin = offsets[at(row)];
        for (std::int64_t i = begin; i < offsets[at(row + 1)]; ++i) {
            entries_[at(next[at(columns[at(i)])]++)] = {static_cast<std::int32_t>(row),
                                                        static_cast<std::int32_t>(i - begin)};
        }
    }
}

std::int64_t SparseGram::count(std::int64_t i) const {
    return starts_[at(i + 1)] - starts_[at(i)];
}

void SparseGram::add(std::int64_t i, std::span<double> sum, bool upper) const {
    for (std::int64_t e = starts_[at(i)]; e < starts_[at(i + 1)]; ++e) {
        const auto [row, place] = entries_[at(e)];
        const std::int64_t begin = offsets_[at(row)];
        const double scale =
            double{values_[at(begin + place)]} * (weights_.empty() ? 1.0 : double{weights_[at(row)]});
        for (std::int64_t k = upper ? begin + place : begin; k < offsets_[at(row + 1)]; ++k) {
            sum[at(columns_[at(k)])] += scale * double{values_[at(k)]};
        }
    }
}

void add_sparse_gram(std::span<const std::int64_t> offsets, std::span<const std::int32_t> columns,
                     std::span<const float> values, std::span<const float> weights, std::int64_t n,
                     Tensor& gram, int threads) {
    if (gram.size() != n * n || gram.rows() != n) {
        throw InvalidArgument(
            fmt::format("gram matrix: {} x {} found, {} x {} expected", gram.rows(), gram.columns(), n, n));
    }
    const SparseGram rows(offsets, columns, values, weights, n);
    base::parallel_for((n + rows_at_once - 1) / rows_at_once, threads, [&] {
        return [&, sum = std::vector<double>(at(n))](std::int64_t block) mutable {
            const std::int64_t end = std::min(n, (block + 1) * rows_at_once);
            for (std::int64_t i = block * rows_at_once; i < end; ++i) {
                std::fill(sum.begin() + i, sum.end(), 0.0);
                rows.add_upper_row(i, sum);
                const auto to = gram.row(i);
                for (std::size_t j = at(i); j < to.size(); ++j) {
                    to[j] += static_cast<float>(sum[j]);
                }
            }
        };
    });
    if (n > 0) {
        mirror_upper(gram, threads);
    }
}

}  // namespace stackae::linalg

#include "base/row_source.hpp"

#include <algorithm>

#include "stackae/tensor.hpp"

namespace stackae::base {
namespace {

constexpr std::size_t block = 256;  // rows that are dense at a time

/// The mean of f of each value, column by column.
template <class Function>
std::vector<double> mean_of(const RowSource& source, std::span<const std::int64_t> indices, Function f) {
    std::vector<double> mean(static_cast<std::size_t>(source.columns()));
    Tensor rows({std::min<std::int64_t>(block, std::ssize(indices)), source.columns()});
    for (std::size_t first = 0; first < indices.size(); first += block) {
        const auto some = indices.subspan(first, std::min(block, indices.size() - first));
        source.gather(some, rows.data());
        for (std::int64_t i = 0; i < std::ssize(some); ++i) {
            std::transform(mean.begin(), mean.end(), rows.row(i).begin(), mean.begin(),
                           [f](double sum, float value) { return sum + f(value); });
        }
    }
    for (double& value : mean) {
        value /= static_cast<double>(std::max<std::size_t>(1, indices.size()));
    }
    return mean;
}

}  // namespace

void SparseRows::append(const Tensor& dense) {
    for (std::int64_t i = 0; i < dense.rows(); ++i) {
        const auto row = dense.row(i);
        for (std::size_t j = 0; j < row.size(); ++j) {
            if (row[j] != 0.0F) {
                columns.push_back(static_cast<std::int32_t>(j));
                values.push_back(row[j]);
            }
        }
        offsets.push_back(entries());
    }
}

void RowSource::gather_sparse(std::span<const std::int64_t> indices, SparseRows& rows) const {
    for (std::size_t first = 0; first < indices.size(); first += block) {
        const auto some = indices.subspan(first, std::min(block, indices.size() - first));
        Tensor dense({std::ssize(some), columns()});
        gather(some, dense.data());
        rows.append(dense);
    }
}

std::vector<double> RowSource::mean(std::span<const std::int64_t> indices) const {
    return mean_of(*this, indices, [](float value) { return double{value}; });
}

std::vector<double> RowSource::share_of_nonzero(std::span<const std::int64_t> indices) const {
    return mean_of(*this, indices, [](float value) { return value == 0.0F ? 0.0 : 1.0; });
}

}  // namespace stackae::base

#include "base/row_source.hpp"

#include <algorithm>

#include "stackae/tensor.hpp"

namespace stackae::base {
namespace {

/// The mean of f of each value, column by column.
template <class Function>
std::vector<double> mean_of(const RowSource& source, std::span<const std::int64_t> indices, Function f) {
    constexpr std::size_t block = 256;
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

std::vector<double> RowSource::mean(std::span<const std::int64_t> indices) const {
    return mean_of(*this, indices, [](float value) { return double{value}; });
}

std::vector<double> RowSource::share_of_nonzero(std::span<const std::int64_t> indices) const {
    return mean_of(*this, indices, [](float value) { return value == 0.0F ? 0.0 : 1.0; });
}

}  // namespace stackae::base

#include "base/row_source.hpp"

#include <algorithm>
#include <functional>

#include "stackae/tensor.hpp"

namespace stackae::base {

std::vector<double> RowSource::mean(std::span<const std::int64_t> indices) const {
    constexpr std::size_t block = 256;
    std::vector<double> mean(static_cast<std::size_t>(columns()));
    Tensor rows({std::min<std::int64_t>(block, std::ssize(indices)), columns()});
    for (std::size_t first = 0; first < indices.size(); first += block) {
        const auto some = indices.subspan(first, std::min(block, indices.size() - first));
        gather(some, rows.data());
        for (std::int64_t i = 0; i < std::ssize(some); ++i) {
            std::transform(mean.begin(), mean.end(), rows.row(i).begin(), mean.begin(), std::plus<>{});
        }
    }
    for (double& value : mean) {
        value /= static_cast<double>(std::max<std::size_t>(1, indices.size()));
    }
    return mean;
}

}  // namespace stackae::base

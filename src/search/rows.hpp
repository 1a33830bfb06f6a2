#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>

#include "stackae/tensor.hpp"

#include "base/rows.hpp"

namespace stackae::search {

using base::scale_to_length_one;
using base::squared_norm;

/// ‖a − b‖², in double.
[[nodiscard]] inline double squared_distance(std::span<const float> a, std::span<const float> b) {
    return std::transform_reduce(a.begin(), a.end(), b.begin(), 0.0, std::plus<>{}, [](float x, float y) {
        const double difference = double{x} - double{y};
        return difference * difference;
    });
}

/// Copies rows, in the order given.
[[nodiscard]] inline Tensor gather_rows(const Tensor& tensor, std::span<const std::int64_t> rows) {
    Tensor gathered({static_cast<std::int64_t>(rows.size()), tensor.columns()});
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto row = tensor.row(rows[i]);
        std::copy(row.begin(), row.end(), gathered.row(static_cast<std::int64_t>(i)).begin());
    }
    return gathered;
}

}  // namespace stackae::search

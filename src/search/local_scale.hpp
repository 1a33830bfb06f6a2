#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "stackae/neighbours.hpp"

#include "base/rows.hpp"

namespace stackae::search {

/// Nearest neighbours whose mean distance is a vector's scale.
constexpr std::int64_t scale_neighbours = 10;

/// The square of a neighbour's Euclidean distance; with cosine, where 1 − cos is half of it, that half.
[[nodiscard]] inline double squared(const Neighbours& found, std::int64_t place) {
    const double distance = found.distances[base::at(place)];
    return found.metric == Metric::cosine ? std::max(distance, 0.0) : distance * distance;
}

/// σ: the mean of the roots of those for a query's nearest neighbours, without one in row `left_out`; 0 where
/// there are none.
[[nodiscard]] inline double local_scale(const Neighbours& found, std::int64_t query,
                                        std::int64_t left_out = -1) {
    double sum = 0.0;
    std::int64_t count = 0;
    for (std::int64_t place = query * found.k;
         place < (query + 1) * found.k && count < scale_neighbours && found.rows[base::at(place)] >= 0;
         ++place) {
        if (found.rows[base::at(place)] != left_out) {
            sum += std::sqrt(squared(found, place));
            ++count;
        }
    }
    return count > 0 ? sum / static_cast<double>(count) : 0.0;
}

}  // namespace stackae::search

#include "layers/kmeans_state.hpp"

#include <fmt/format.h>
#include <limits>

#include "stackae/error.hpp"

#include "base/rows.hpp"

namespace stackae::layers {

void save_state_of(linalg::SphericalKMeans& kmeans, TrainerState& state) {
    const linalg::SphericalKMeans::State& from = kmeans.state();
    state.put("centroids", from.centroids);
    state.numbers["iteration"] = from.iteration;
    state.numbers["seeded"] = from.seeded;
}

void load_state_of(linalg::SphericalKMeans& kmeans, const TrainerState& state) {
    linalg::SphericalKMeans::State& to = kmeans.state();
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() - 1;
    constexpr double most_squared = 1.001;
    to.centroids = state.tensor("centroids", to.centroids.shape());
    for (std::int64_t i = 0; i < to.centroids.rows(); ++i) {
        if (const double found = base::squared_norm(to.centroids.row(i)); found > most_squared) {
            throw InvalidArgument(fmt::format(
                "centroids: row {} of squared length {} found, 1 at most expected", i + 1, found));
        }
    }
    to.iteration = state.number("iteration", 0, most);
    to.seeded = state.number("seeded", 0, most);
}

}  // namespace stackae::layers

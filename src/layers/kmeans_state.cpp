#include "layers/kmeans_state.hpp"

#include <limits>

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
    to.centroids = state.tensor("centroids", to.centroids.shape());
    to.iteration = state.number("iteration", 0, most);
    to.seeded = state.number("seeded", 0, most);
}

}  // namespace stackae::layers

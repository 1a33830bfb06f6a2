#pragma once

#include "layers/trainer.hpp"
#include "linalg/spherical_kmeans.hpp"

/// k-means within a trainer's state.
namespace stackae::layers {

void save_state_of(linalg::SphericalKMeans& kmeans, TrainerState& state);
/// kmeans: of the same points and parameters. Throws InvalidArgument.
void load_state_of(linalg::SphericalKMeans& kmeans, const TrainerState& state);

}  // namespace stackae::layers

#pragma once

#include <cstdint>

#include "stackae/tensor.hpp"

#include "base/communicator.hpp"
#include "layers/conv2d.hpp"

/// What a convolution learns of whitened patches, n × whitening_dim, beside k-means.
namespace stackae::layers {

/// Directions in which neighbours are most alike: with z and z' the whitened values of neighbouring patches,
/// the leading eigenvectors of E[z z'ᵀ]. They are the best linear code of its size for predicting z' from z
/// (reduced rank regression), and the slowest features over the picture (Wiskott & Sejnowski 2002; Chen et
/// al. 2018, "The sparse manifold transform").
/// whitened: rows 2 i and 2 i + 1 are neighbours. Returns units × whitening_dim at most.
[[nodiscard]] Tensor slow_features(const Tensor& whitened, std::int64_t units,
                                   base::Communicator& communicator);

inline constexpr std::int64_t block_rows = 4'096;         ///< patches that are worked on at a time
inline constexpr std::int64_t threshold_patches = 2'048;  ///< on which the threshold is set

/// The bias b = −θ of all units, with the threshold θ, 0 at least, that the share activation_rate of the
/// units' products with some patches is above; 0 of linear units.
[[nodiscard]] Tensor thresholds(const Conv2d& layer, const Tensor& whitened);

}  // namespace stackae::layers

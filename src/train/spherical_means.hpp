#pragma once

#include <cstdint>
#include <functional>

#include "stackae/tensor.hpp"

#include "nn/onednn.hpp"
#include "train/sample_store.hpp"

namespace stackae::training {

struct MeansSettings {
    std::int64_t units = 0;
    int iterations = 1;
    /// A direction that fewer samples choose begins anew at a random sample, but after the last iteration. 0:
    /// none does.
    std::int64_t least_samples = 3;
    std::uint64_t seed = 0;
    std::uint32_t layer = 0;  ///< of random numbers
};

/// Spherical k-means (Dhillon & Modha 2001): `units` directions of length 1, each the mean of the samples
/// that are nearest to it in angle, a sample's part weighted by its cosine (the gain of gain-shape
/// quantisation). Samples count by their direction alone. The result depends on the seed and on nothing else.
/// units × columns; as far as it came where `stop`, asked before each iteration, says so.
[[nodiscard]] Tensor spherical_means(
    nn::Context& context, const SampleStore& samples, const MeansSettings& settings,
    const std::function<bool()>& stop = [] { return false; });
/// Floats that it holds beside the samples.
[[nodiscard]] std::int64_t spherical_means_floats(std::int64_t samples, std::int64_t columns,
                                                  std::int64_t units);

}  // namespace stackae::training

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "stackae/model.hpp"

#include "linalg/onednn.hpp"
#include "train/sample_store.hpp"

namespace stackae::training {

/// Units that RadialLayer::mixing mixes with one another, at most: its size and the time to find it grow with
/// them.
inline constexpr std::int64_t radial_block = 2048;

/// That centres are learnt from, at most.
inline constexpr std::int64_t radial_pictures = 100'000;

inline constexpr int radial_iterations = 4;  ///< of k-means; more change little

/// Radial units over codes of principal axes: their centres are spherical k-means of the codes, at most one a
/// row, and nothing is learnt by gradients. variances: of the axes before the codes were scaled; code_power:
/// codes are scaled by a variance to minus this power. Leaves the codes scaled as the layer sees them.
/// Nothing where `stop`, asked every few seconds, says so.
[[nodiscard]] std::optional<RadialLayer> fit_radial(
    linalg::Context& context, SampleStore& codes, std::span<const double> variances, double code_power,
    std::int64_t units, std::uint64_t seed, const std::function<bool()>& stop = [] { return false; });
/// Units that are mixed with one another, of so many.
[[nodiscard]] std::int64_t radial_block_of(std::int64_t units);

}  // namespace stackae::training

#pragma once

#include <cstdint>
#include <span>

#include "stackae/corruption.hpp"

namespace stackae::training {

/// Where corruption is in the run: the noise is a function of these and of the row's index alone.
struct CorruptionPlace {
    std::uint64_t seed = 0;
    std::uint32_t layer = 0;
    std::uint32_t epoch = 0;
};

/// Corrupts rows (size indices.size() × columns, row-major) in place; see Corruption. On OpenMP's threads.
void corrupt(Corruption kind, double level, const CorruptionPlace& place,
             std::span<const std::int64_t> indices, std::int64_t columns, float* rows);

}  // namespace stackae::training

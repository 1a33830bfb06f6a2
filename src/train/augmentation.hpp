#pragma once

#include <cstdint>
#include <span>

#include "stackae/recipe.hpp"
#include "stackae/train_config.hpp"
#include "stackae/train_options.hpp"

namespace stackae::training {

/// Where in the run: the move is a function of these and of the row's index alone.
struct AugmentationPlace {
    std::uint64_t seed = 0;
    std::uint32_t layer = 0;
    std::uint32_t epoch = 0;
};

/// How far a configuration moves pictures.
[[nodiscard]] Augmentation augmentation_of(const TrainConfig& config);

/// Moves pictures (size indices.size() × recipe.size(), as the recipe makes them) in place, each about its
/// middle; see Augmentation. Bicubic; what comes in from outside repeats the border. On OpenMP's threads.
void augment(const Augmentation& augmentation, const Recipe& recipe, const AugmentationPlace& place,
             std::span<const std::int64_t> indices, float* rows);

}  // namespace stackae::training

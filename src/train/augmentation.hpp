#pragma once

#include <cstdint>
#include <span>

#include "stackae/preprocessing.hpp"
#include "stackae/train_config.hpp"

namespace stackae::training {

/// How far pictures are moved at random, anew in every epoch, in training alone: the moved picture is both
/// input and target. Each number but the last is a bound; what is drawn is uniform between minus and plus it,
/// for each picture on its own. 0: none. Pictures are never mirrored; those of height 1 (rows of numbers)
/// stay as they are. Of standardised pictures, a pixel that hardly varies is large where something is moved
/// over it: small bounds suit them.
struct Augmentation {
    double shift = 0.0;   ///< in [0, 0.5], share of the height downwards and of the width sideways
    double rotate = 0.0;  ///< in [0, 180], degrees
    double scale = 0.0;   ///< in [0, 0.5], height and width times 1 ± scale, each on its own
    double shear = 0.0;   ///< in [0, 1], pixels sideways a pixel downwards
    /// In [0, 0.2], no bound but a standard deviation, share of the height downwards and of the width
    /// sideways: the picture is bent by normal displacements of 7 × 7 points over it, each on its own, with a
    /// bicubic surface through them (after Simard, Steinkraus & Platt 2003, who smooth one of every pixel).
    double elastic = 0.0;

    friend bool operator==(const Augmentation&, const Augmentation&) = default;
};

/// Where in the run: the move is a function of these and of the row's index alone.
struct AugmentationPlace {
    std::uint64_t seed = 0;
    std::uint32_t layer = 0;
    std::uint32_t epoch = 0;
};

/// How far a configuration moves pictures.
[[nodiscard]] Augmentation augmentation_of(const TrainConfig& config);

/// Moves pictures (size indices.size() × preprocessing.size(), as the preprocessing makes them) in place,
/// each about its middle; see Augmentation. Bicubic; what comes in from outside repeats the border. On
/// OpenMP's threads.
void augment(const Augmentation& augmentation, const Preprocessing& preprocessing,
             const AugmentationPlace& place, std::span<const std::int64_t> indices, float* rows);

}  // namespace stackae::training

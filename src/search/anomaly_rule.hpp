#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "stackae/patch_memory.hpp"
#include "stackae/tensor.hpp"

namespace stackae::search {

/// Distances by AnomalyDistances, of pictures that were left out of what they were compared with, part by
/// part.
struct LeftOut {
    std::vector<Tensor> good;
    std::vector<std::vector<std::string>> paths;  ///< of each
    std::vector<Tensor> planted;                  ///< pictures with planted defects
    std::vector<std::vector<std::string>> kinds;  ///< of each
};

/// Mean and deviation of each method's distances at each position over good pictures, drawn towards those of
/// all positions where pictures are few; or those of all positions at every position.
void fit_distances(const std::vector<const Tensor*>& good, bool by_position, PatchMemory& memory);

/// A part of the grid by which a picture is scored.
struct ScoredTile {
    std::int64_t top = 0;
    std::int64_t left = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t positions = 0;  ///< of it in the region
};
/// Tiles that cover the grid, without those of which the region has little beside others: they tell little.
[[nodiscard]] std::vector<ScoredTile> scored_tiles(const PatchMemory& memory);

/// How odd each position is by a rule: of one picture's distances.
[[nodiscard]] Tensor anomaly_map(std::span<const float> distances, const PatchMemory& memory);
/// The picture's score of it.
[[nodiscard]] double anomaly_score(const Tensor& map, const PatchMemory& memory);

/// Settles the memory's rule, its means and deviations, its good_scores, its oddest good pictures and what it
/// says of planted defects: the rule, of those with the memory's tiles, by which planted defects are told
/// best from good pictures, the mean of the areas under the ROC over all kinds. allowed: the methods that it
/// may take. Each part is scored by the means and deviations of the others.
void choose_rule(const LeftOut& left_out, const std::vector<AnomalyMethod>& allowed, int threads,
                 PatchMemory& memory);

}  // namespace stackae::search

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "stackae/model.hpp"
#include "stackae/pictures.hpp"

namespace stackae::cli {

/// What the units of a layer look for, a tile a unit, to be drawn by draw_tiles().
struct Filters {
    std::int64_t height = 0;  ///< of a tile, pixels
    std::int64_t width = 0;
    std::int64_t channels = 1;
    std::vector<std::vector<float>> tiles;  ///< values in [0, 1], contrast stretched tile by tile
    std::int64_t units = 0;                 ///< of the layer; more than there are tiles where they are many
};

/// Units drawn at most.
inline constexpr std::int64_t most_filters = 400;

/// By the weights alone, 0 in gray. layer: 1-based.
/// - The lowest layer: a dense unit's weights, or a convolutional unit's patch, P⁺ V's column (P⁺ the
///   pseudoinverse of the whitening); the units of the largest norms.
/// - A layer above: what the stack decodes from a code of one unit, of a convolutional layer in its middle
///   cell, less what it decodes from a code of zeros; cut to where any two differ; the first units.
[[nodiscard]] Filters filters_of(const Model& model, int layer, int threads);

/// By pictures: the mean of what the first units see of the pictures that excite them most, each where its
/// answer is the strongest. A unit that no picture excites is gray. Pictures are read twice; at most
/// `most_looked_at` are worth giving. What cannot be read is added to `skipped`, what is to be said of others
/// to `remarks`; progress(pictures done) may
/// throw.
[[nodiscard]] Filters filters_of(const Model& model, int layer, const Pictures& pictures, int threads,
                                 std::vector<SkippedPicture>& skipped, std::vector<PictureRemark>& remarks,
                                 const std::function<void(std::int64_t)>& progress);
inline constexpr std::int64_t most_looked_at = 2000;

/// The tiles on a square sheet, enlarged to be seen: H × W × channels, in [0, 1].
[[nodiscard]] Tensor draw(const Filters& filters);

}  // namespace stackae::cli

#pragma once

#include <cstdint>
#include <vector>

#include "stackae/tensor.hpp"

namespace stackae::cli {

/// Pictures laid out in a grid on gray, one pixel apart, each pixel drawn as a square of `scale`.
struct TileGrid {
    std::int64_t height = 0;  ///< of a tile, pixels
    std::int64_t width = 0;
    std::int64_t channels = 1;
    std::int64_t columns = 1;  ///< tiles in a row
    std::int64_t scale = 1;
};

/// tiles: each of height × width × channels floats in [0, 1], row-major, channels last. Returns the picture,
/// H × W × channels.
[[nodiscard]] Tensor draw_tiles(const std::vector<std::vector<float>>& tiles, const TileGrid& grid);

/// How much small tiles are enlarged to be seen: 1 for a side of 64 pixels and more.
[[nodiscard]] std::int64_t visible_scale(std::int64_t height, std::int64_t width);

}  // namespace stackae::cli

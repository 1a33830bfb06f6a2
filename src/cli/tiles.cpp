#include "cli/tiles.hpp"

#include <algorithm>

namespace stackae::cli {

Tensor draw_tiles(const std::vector<std::vector<float>>& tiles, const TileGrid& grid) {
    constexpr std::int64_t gap = 1;
    const std::int64_t columns = std::min(grid.columns, std::max<std::int64_t>(std::ssize(tiles), 1));
    const std::int64_t rows = (std::ssize(tiles) + columns - 1) / columns;
    const std::int64_t step_y = grid.height * grid.scale + gap;
    const std::int64_t step_x = grid.width * grid.scale + gap;
    Tensor picture({rows * step_y + gap, columns * step_x + gap, grid.channels});
    const auto pixels = picture.values();
    std::fill(pixels.begin(), pixels.end(), 0.5F);
    const std::int64_t stride = (columns * step_x + gap) * grid.channels;
    for (std::int64_t t = 0; t < std::ssize(tiles); ++t) {
        const std::vector<float>& tile = tiles[static_cast<std::size_t>(t)];
        const std::int64_t top = t / columns * step_y + gap;
        const std::int64_t left = t % columns * step_x + gap;
        for (std::int64_t y = 0; y < grid.height * grid.scale; ++y) {
            for (std::int64_t x = 0; x < grid.width * grid.scale; ++x) {
                const std::int64_t from = (y / grid.scale * grid.width + x / grid.scale) * grid.channels;
                const std::int64_t to = (top + y) * stride + (left + x) * grid.channels;
                std::copy_n(tile.data() + from, grid.channels, picture.data() + to);
            }
        }
    }
    return picture;
}

std::int64_t visible_scale(std::int64_t height, std::int64_t width) {
    return std::max<std::int64_t>(1, 64 / std::max(height, width));
}

}  // namespace stackae::cli

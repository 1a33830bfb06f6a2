#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fmt/format.h>

#include "stackae/error.hpp"
#include "stackae/visualize.hpp"

namespace stackae {
namespace {

constexpr std::size_t many_tiles = 100;  ///< that are drawn half as large

/// The least value of the originals becomes black, the largest white, where they lie outside of 0 to 1.
void stretch(std::vector<Tile>& originals, std::vector<Tile>& rebuilt) {
    float low = 0.0F;
    float high = 1.0F;
    for (const Tile& picture : originals) {
        const auto [least, most] = std::minmax_element(picture.begin(), picture.end());
        low = std::min(low, *least);
        high = std::max(high, *most);
    }
    if (low == 0.0F && high == 1.0F) {
        return;
    }
    for (std::vector<Tile>* const pictures : {&originals, &rebuilt}) {
        for (Tile& picture : *pictures) {
            for (float& value : picture) {
                value = (value - low) / (high - low);
            }
        }
    }
}

}  // namespace

Tensor to_pixels(const Preprocessing& preprocessing, const Tensor& pictures) {
    Tensor pixels = pictures;
    const auto size = static_cast<std::size_t>(preprocessing.size());
    for (std::int64_t i = 0; i < pixels.rows(); ++i) {
        const auto row = pixels.row(i);
        if (row.size() != size) {
            throw InvalidArgument(
                fmt::format("to_pixels: rows of {} values found, {} expected", row.size(), size));
        }
        for (std::size_t j = 0; j < preprocessing.mean.size(); ++j) {
            row[j] = static_cast<float>(preprocessing.restored(double{row[j]}, j));
        }
        if (preprocessing.contrast) {
            const auto [low, high] = std::minmax_element(row.begin(), row.end());
            const float base = *low;
            const float range = std::max(*high - base, 1e-6F);
            std::for_each(row.begin(), row.end(), [&](float& value) { value = (value - base) / range; });
        }
    }
    return pixels;
}

Tensor to_numbers(const Preprocessing& preprocessing, const Tensor& pictures) {
    Tensor numbers = pictures;
    const std::size_t channels = preprocessing.ranges.size();
    for (std::int64_t i = 0; i < numbers.rows(); ++i) {
        const auto row = numbers.row(i);
        for (std::size_t j = 0; j < preprocessing.mean.size(); ++j) {
            row[j] = static_cast<float>(preprocessing.restored(double{row[j]}, j));
        }
        for (std::size_t j = 0; channels > 0 && j < row.size(); ++j) {
            const ChannelRange& range = preprocessing.ranges[j % channels];
            row[j] = range.low + row[j] * (range.high - range.low);
        }
    }
    return numbers;
}

Tensor draw_tiles(const std::vector<Tile>& tiles, const TileGrid& grid) {
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
        const Tile& tile = tiles[static_cast<std::size_t>(t)];
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

Tensor draw(const Filters& all) {
    const Filters filters = in_colours(all);
    const auto count = static_cast<double>(filters.tiles.size());
    const std::int64_t shrunk = filters.tiles.size() > many_tiles ? 2 : 1;
    return draw_tiles(filters.tiles,
                      {.height = filters.height,
                       .width = filters.width,
                       .channels = filters.channels,
                       .columns = static_cast<std::int64_t>(std::ceil(std::sqrt(count))),
                       .scale = visible_scale(shrunk * filters.height, shrunk * filters.width)});
}

Tensor draw_reconstructions(const Preprocessing& preprocessing, std::vector<Tile> originals,
                            std::vector<Tile> rebuilt, std::int64_t columns, std::int64_t scale) {
    stretch(originals, rebuilt);
    const std::size_t count = originals.size();
    const std::size_t pairs = std::min(static_cast<std::size_t>(columns), count);
    Filters shown;
    shown.height = preprocessing.height;
    shown.width = preprocessing.width;
    shown.channels = preprocessing.channels;
    const Tile nothing(static_cast<std::size_t>(preprocessing.size()), 0.5F);
    for (std::size_t begin = 0; begin < count; begin += pairs) {
        for (const std::vector<Tile>* const pictures : {&originals, &rebuilt}) {
            for (std::size_t i = begin; i < begin + pairs; ++i) {
                shown.tiles.push_back(i < count ? (*pictures)[i] : nothing);
            }
        }
    }
    shown = in_colours(std::move(shown));
    return draw_tiles(shown.tiles, {.height = shown.height,
                                    .width = shown.width,
                                    .channels = shown.channels,
                                    .columns = static_cast<std::int64_t>(pairs),
                                    .scale = scale > 0 ? scale : visible_scale(shown.height, shown.width)});
}

}  // namespace stackae

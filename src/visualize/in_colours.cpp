#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "stackae/visualize.hpp"

namespace stackae {
namespace {

constexpr std::int64_t max_in_a_row = 8;

/// Two channels: equal ones are gray.
Tile false_colours(const Tile& tile) {
    Tile coloured;
    coloured.reserve(tile.size() / 2 * 3);
    for (std::size_t i = 0; i < tile.size(); i += 2) {
        coloured.insert(coloured.end(), {tile[i], tile[i + 1], tile[i]});
    }
    return coloured;
}

/// Channels beside each other on gray.
Tile side_by_side(const Tile& tile, const Filters& filters, std::int64_t columns, std::int64_t width) {
    const std::int64_t channels = filters.channels;
    const std::int64_t rows = (channels + columns - 1) / columns;
    Tile sheet(static_cast<std::size_t>((rows * (filters.height + 1) - 1) * width), 0.5F);
    for (std::int64_t c = 0; c < channels; ++c) {
        const std::int64_t top = c / columns * (filters.height + 1);
        const std::int64_t left = c % columns * (filters.width + 1);
        for (std::int64_t y = 0; y < filters.height; ++y) {
            for (std::int64_t x = 0; x < filters.width; ++x) {
                sheet[static_cast<std::size_t>((top + y) * width + left + x)] =
                    tile[static_cast<std::size_t>((y * filters.width + x) * channels + c)];
            }
        }
    }
    return sheet;
}

}  // namespace

Filters in_colours(Filters filters) {
    const std::int64_t channels = filters.channels;
    if (channels == 1 || channels == 3) {
        return filters;
    }
    if (channels == 2) {
        std::transform(filters.tiles.begin(), filters.tiles.end(), filters.tiles.begin(), false_colours);
        filters.channels = 3;
        return filters;
    }
    const std::int64_t columns =
        channels <= max_in_a_row
            ? channels
            : static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(channels))));
    const std::int64_t rows = (channels + columns - 1) / columns;
    const std::int64_t width = columns * (filters.width + 1) - 1;
    for (Tile& tile : filters.tiles) {
        tile = side_by_side(tile, filters, columns, width);
    }
    filters.height = rows * (filters.height + 1) - 1;
    filters.width = width;
    filters.channels = 1;
    return filters;
}

}  // namespace stackae

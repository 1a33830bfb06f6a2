#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <utility>

#include "stackae/visualize.hpp"

#include "visualize/units.hpp"

namespace stackae {
namespace {

using visualize::Units;

constexpr std::int64_t decoded_at_once = 16;

/// 0 becomes gray, the largest magnitude black or white.
void stretch_about_zero(Tile& tile) {
    const float largest = std::accumulate(tile.begin(), tile.end(), 0.0F, [](float most, float value) {
        return std::max(most, std::abs(value));
    });
    for (float& value : tile) {
        value = largest > 0.0F ? 0.5F + 0.5F * value / largest : 0.5F;
    }
}

/// The tiles with the largest norms, in their own order.
void keep_strongest(std::vector<Tile>& tiles) {
    if (std::ssize(tiles) <= max_filters) {
        return;
    }
    std::vector<std::pair<double, std::size_t>> norms;
    for (std::size_t i = 0; i < tiles.size(); ++i) {
        norms.emplace_back(std::inner_product(tiles[i].begin(), tiles[i].end(), tiles[i].begin(), 0.0), i);
    }
    std::stable_sort(norms.begin(), norms.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    norms.resize(max_filters);
    std::sort(norms.begin(), norms.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    std::vector<Tile> kept;
    for (const auto& [norm, i] : norms) {
        kept.push_back(std::move(tiles[i]));
    }
    tiles = std::move(kept);
}

/// Cuts whole pictures to the smallest part in which any of them is not zero.
void crop(Filters& filters) {
    std::int64_t top = filters.height;
    std::int64_t left = filters.width;
    std::int64_t bottom = 0;
    std::int64_t right = 0;
    for (const Tile& tile : filters.tiles) {
        float largest = 0.0F;
        for (const float value : tile) {
            largest = std::max(largest, std::abs(value));
        }
        for (std::size_t i = 0; i < tile.size(); ++i) {
            if (std::abs(tile[i]) > 1e-4F * largest) {
                const std::int64_t pixel = static_cast<std::int64_t>(i) / filters.channels;
                top = std::min(top, pixel / filters.width);
                bottom = std::max(bottom, pixel / filters.width + 1);
                left = std::min(left, pixel % filters.width);
                right = std::max(right, pixel % filters.width + 1);
            }
        }
    }
    if (top >= bottom) {
        return;
    }
    for (Tile& tile : filters.tiles) {
        Tile part;
        for (std::int64_t y = top; y < bottom; ++y) {
            const auto row = tile.begin() + y * filters.width * filters.channels;
            part.insert(part.end(), row + left * filters.channels, row + right * filters.channels);
        }
        tile = std::move(part);
    }
    filters.height = bottom - top;
    filters.width = right - left;
}

void decode_units(const Model& model, std::string_view output, int threads, Filters& filters) {
    const Units units(model, output);
    const std::int64_t middle =
        units.shape.height / 2 * units.shape.width + units.shape.width / 2;  // of the positions
    Encoder encoder(model, {.output = std::string(output), .threads = threads});
    const Tensor zeros = encoder.decode(Tensor({1, encoder.code_size()}));
    for (std::int64_t first = 0; first < units.drawn; first += decoded_at_once) {
        const std::int64_t count = std::min(decoded_at_once, units.drawn - first);
        Tensor codes({count, encoder.code_size()});
        for (std::int64_t i = 0; i < count; ++i) {
            codes.row(i)[static_cast<std::size_t>(middle * units.shape.channels + first + i)] = 1.0F;
        }
        const Tensor decoded = encoder.decode(codes);
        for (std::int64_t i = 0; i < count; ++i) {
            Tile& tile = filters.tiles.emplace_back(decoded.row(i).begin(), decoded.row(i).end());
            std::transform(tile.begin(), tile.end(), zeros.data(), tile.begin(), std::minus<>{});
        }
    }
    filters.height = model.preprocessing.height;
    filters.width = model.preprocessing.width;
    filters.units = units.shape.channels;
    crop(filters);
}

}  // namespace

Filters weight_filters(const Model& model, std::string_view output, int threads) {
    Filters filters;
    filters.channels = model.preprocessing.channels;
    const Tensor own = model.depth_of(output) == 1 ? model.layers[0].filters() : Tensor();
    if (own.empty()) {
        decode_units(model, output, threads, filters);
    } else {
        const ReceptiveField field = model.layers[0].receptive_field();
        filters.height = field.down.size;
        filters.width = field.across.size;
        filters.units = own.rows();
        for (std::int64_t unit = 0; unit < own.rows(); ++unit) {
            filters.tiles.emplace_back(own.row(unit).begin(), own.row(unit).end());
        }
        keep_strongest(filters.tiles);
    }
    std::for_each(filters.tiles.begin(), filters.tiles.end(), stretch_about_zero);
    return filters;
}

}  // namespace stackae

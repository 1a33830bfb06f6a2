#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
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

std::vector<Tile> dense_weights(const DenseLayer& layer) {
    std::vector<Tile> tiles;
    for (std::int64_t unit = 0; unit < layer.units(); ++unit) {
        const auto row = layer.weights.row(unit);
        tiles.emplace_back(row.begin(), row.end());
    }
    return tiles;
}

/// P⁺ V, a tile a column. P's rows are orthogonal, so that P⁺ is Pᵀ with its columns divided by their
/// squares.
std::vector<Tile> patches(const ConvolutionLayer& layer) {
    const auto size = static_cast<std::size_t>(layer.whitening.columns());
    std::vector<Tile> tiles(static_cast<std::size_t>(layer.shape.units), Tile(size));
    for (std::int64_t axis = 0; axis < layer.whitening.rows(); ++axis) {
        const auto row = layer.whitening.row(axis);
        const double squares = std::inner_product(row.begin(), row.end(), row.begin(), 0.0);
        const auto part = layer.decoder_weights.row(axis);
        for (std::size_t unit = 0; unit < tiles.size(); ++unit) {
            const auto scale = squares > 0.0 ? static_cast<float>(double{part[unit]} / squares) : 0.0F;
            std::transform(row.begin(), row.end(), tiles[unit].begin(), tiles[unit].begin(),
                           [scale](float axis_value, float sum) { return sum + scale * axis_value; });
        }
    }
    return tiles;
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

void decode_units(const Model& model, int layer, int threads, Filters& filters) {
    const Units units(model, layer);
    Encoder encoder(model, {.layer = layer, .l2_normalize = false, .threads = threads});
    const Tensor zeros = encoder.decode(Tensor({1, encoder.code_size()}));
    for (std::int64_t first = 0; first < units.drawn; first += decoded_at_once) {
        const std::int64_t count = std::min(decoded_at_once, units.drawn - first);
        Tensor codes({count, encoder.code_size()});
        for (std::int64_t i = 0; i < count; ++i) {
            codes.row(i)[static_cast<std::size_t>(units.first + first + i)] = 1.0F;
        }
        const Tensor decoded = encoder.decode(codes);
        for (std::int64_t i = 0; i < count; ++i) {
            Tile& tile = filters.tiles.emplace_back(decoded.row(i).begin(), decoded.row(i).end());
            std::transform(tile.begin(), tile.end(), zeros.data(), tile.begin(), std::minus<>{});
        }
    }
    filters.units = units.count;
    crop(filters);
}

}  // namespace

Filters weight_filters(const Model& model, int layer, int threads) {
    visualize::check_layer(model, layer);
    Filters filters;
    filters.height = model.recipe.height;
    filters.width = model.recipe.width;
    filters.channels = model.recipe.channels;
    if (layer > 1) {
        decode_units(model, layer, threads, filters);
    } else {
        if (model.convolutions.empty()) {
            filters.tiles = dense_weights(model.layers.front());
        } else {
            filters.tiles = patches(model.convolutions.front());
            filters.height = filters.width = model.convolutions.front().shape.kernel;
        }
        filters.units = std::ssize(filters.tiles);
        keep_strongest(filters.tiles);
    }
    std::for_each(filters.tiles.begin(), filters.tiles.end(), stretch_about_zero);
    return filters;
}

}  // namespace stackae

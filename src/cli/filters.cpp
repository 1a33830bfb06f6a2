#include "cli/filters.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "cli/tiles.hpp"

namespace stackae::cli {
namespace {

constexpr std::size_t most_answers = 16;  ///< pictures that a tile is the mean of
constexpr std::int64_t decoded_at_once = 16;
constexpr std::size_t many_tiles = 100;                         ///< that are drawn half as large
constexpr std::int64_t answer_values = std::int64_t{16} << 20;  ///< of a batch of pictures

using Tile = std::vector<float>;

/// 0 becomes gray, the largest magnitude black or white.
void stretch_about_zero(Tile& tile) {
    const float largest = std::accumulate(tile.begin(), tile.end(), 0.0F, [](float most, float value) {
        return std::max(most, std::abs(value));
    });
    for (float& value : tile) {
        value = largest > 0.0F ? 0.5F + 0.5F * value / largest : 0.5F;
    }
}

/// The least value becomes black, the largest white.
void stretch(Tile& tile) {
    const auto [least, most] = std::minmax_element(tile.begin(), tile.end());
    const float low = *least;
    const float range = *most - low;
    for (float& value : tile) {
        value = range > 0.0F ? (value - low) / range : 0.5F;
    }
}

/// The tiles with the largest norms, in their own order.
void keep_strongest(std::vector<Tile>& tiles) {
    if (std::ssize(tiles) <= most_filters) {
        return;
    }
    std::vector<std::pair<double, std::size_t>> norms;
    for (std::size_t i = 0; i < tiles.size(); ++i) {
        norms.emplace_back(std::inner_product(tiles[i].begin(), tiles[i].end(), tiles[i].begin(), 0.0), i);
    }
    std::stable_sort(norms.begin(), norms.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    norms.resize(most_filters);
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

/// Units, and the place of each one's value in a code: in the middle cell of maps.
struct Units {
    Units(const Model& model, int layer) {
        const auto index = static_cast<std::size_t>(layer - 1);
        if (index < model.convolutions.size()) {
            const ConvolutionShape& shape = model.convolutions[index].shape;
            count = shape.units;
            first = (shape.cells_down() / 2 * shape.cells_across() + shape.cells_across() / 2) *
                    shape.code_channels();
        } else {
            count = model.code_size(layer);
        }
        drawn = std::min(count, most_filters);
    }
    std::int64_t count = 0;
    std::int64_t drawn = 0;
    std::int64_t first = 0;
};

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

/// [first, last) along one side.
struct Span {
    std::int64_t first = 0;
    std::int64_t last = 0;
    [[nodiscard]] std::int64_t size() const { return last - first; }
};

/// The pixels that a position of the topmost of some convolutional layers sees, along one side.
Span seen(const std::vector<ConvolutionLayer>& layers, std::int64_t position, bool down) {
    Span span{position, position + layers.back().shape.kernel};
    for (std::size_t i = layers.size() - 1; i-- > 0;) {
        const ConvolutionShape& s = layers[i].shape;
        const std::int64_t positions = down ? s.positions_down() : s.positions_across();
        const std::int64_t cells = down ? s.cells_down() : s.cells_across();
        const std::int64_t last = span.last - 1;
        span = s.pool_size > 0
                   ? Span{span.first * s.pool_stride, last * s.pool_stride + s.pool_size - 1 + s.kernel}
                   : Span{span.first * positions / cells, (last + 1) * positions / cells - 1 + s.kernel};
    }
    return span;
}

/// The strongest answer of a unit in one picture.
struct Answer {
    float value;
    std::int64_t picture;
    std::int64_t position;
};

/// A stack that answers for every position instead of every cell, and what its positions see.
class Probe {
public:
    Probe(const Model& model, int layer) {
        const auto count = static_cast<std::size_t>(std::min(layer, model.code_layer()));
        const std::size_t convolutions = std::min(count, model.convolutions.size());
        part_.recipe = model.recipe;
        part_.convolutions.assign(model.convolutions.begin(),
                                  model.convolutions.begin() + static_cast<std::ptrdiff_t>(convolutions));
        part_.layers.assign(model.layers.begin(),
                            model.layers.begin() + static_cast<std::ptrdiff_t>(count - convolutions));
        if (layer > model.code_layer()) {
            part_.radial = model.radial;
        }
        height_ = model.recipe.height;
        width_ = model.recipe.width;
        if (part_.layers.empty()) {
            ConvolutionShape& shape = part_.convolutions.back().shape;
            shape.pooling = Pooling::maximum;
            shape.pool_size = shape.pool_stride = 1;
            shape.grid = 0;
            across_ = shape.positions_across();
            positions_ = shape.positions_down() * across_;
            height_ = widest(shape.positions_down(), true);
            width_ = widest(across_, false);
        }
    }

    [[nodiscard]] const Model& model() const { return part_; }
    [[nodiscard]] std::int64_t positions() const { return positions_; }
    [[nodiscard]] std::int64_t height() const { return height_; }
    [[nodiscard]] std::int64_t width() const { return width_; }
    /// The upper left pixel of what a position sees, moved so that height() × width() lie in the picture.
    [[nodiscard]] std::pair<std::int64_t, std::int64_t> corner(std::int64_t position) const {
        if (!part_.layers.empty()) {
            return {0, 0};
        }
        const auto start = [](const Span& span, std::int64_t size, std::int64_t side) {
            return std::clamp<std::int64_t>(span.first - (size - span.size()) / 2, 0, side - size);
        };
        return {start(seen(part_.convolutions, position / across_, true), height_, part_.recipe.height),
                start(seen(part_.convolutions, position % across_, false), width_, part_.recipe.width)};
    }

private:
    [[nodiscard]] std::int64_t widest(std::int64_t positions, bool down) const {
        std::int64_t most = 1;
        for (std::int64_t i = 0; i < positions; ++i) {
            most = std::max(most, seen(part_.convolutions, i, down).size());
        }
        return most;
    }

    Model part_;
    std::int64_t positions_ = 1;
    std::int64_t across_ = 1;
    std::int64_t height_ = 1;
    std::int64_t width_ = 1;
};

/// Each unit's strongest answers, one a picture, strongest first.
class Answers {
public:
    explicit Answers(std::int64_t units) : best_(static_cast<std::size_t>(units)) {}

    /// code: positions × channels.
    void add(std::span<const float> code, std::int64_t positions, std::int64_t picture) {
        const std::size_t channels = code.size() / static_cast<std::size_t>(positions);
        std::vector<Answer> strongest(best_.size(), Answer{0.0F, picture, 0});
        for (std::int64_t position = 0; position < positions; ++position) {
            const auto values = code.subspan(static_cast<std::size_t>(position) * channels, best_.size());
            for (std::size_t unit = 0; unit < best_.size(); ++unit) {
                if (values[unit] > strongest[unit].value) {
                    strongest[unit] = {values[unit], picture, position};
                }
            }
        }
        for (std::size_t unit = 0; unit < best_.size(); ++unit) {
            insert(best_[unit], strongest[unit]);
        }
    }

    [[nodiscard]] const std::vector<std::vector<Answer>>& best() const { return best_; }

private:
    static void insert(std::vector<Answer>& answers, const Answer& answer) {
        if (answer.value <= 0.0F) {
            return;
        }
        const auto place =
            std::upper_bound(answers.begin(), answers.end(), answer,
                             [](const Answer& a, const Answer& b) { return a.value > b.value; });
        answers.insert(place, answer);
        answers.resize(std::min(answers.size(), most_answers));
    }

    std::vector<std::vector<Answer>> best_;
};

/// Calls body(batch) for all pictures, in order.
template <class Each>
void each_batch(const Pictures& pictures, const Recipe& recipe, std::int64_t batch_size, int threads,
                const Each& body) {
    PictureReader reader(pictures, recipe, {.batch_size = batch_size, .threads = threads});
    for (PictureBatch batch; reader.next(batch);) {
        body(batch);
    }
}

void add_field(std::span<const float> picture, const Recipe& recipe, const Probe& probe,
               std::int64_t position, Tile& sum) {
    const auto [top, left] = probe.corner(position);
    const std::int64_t line = probe.width() * recipe.channels;
    for (std::int64_t y = 0; y < probe.height(); ++y) {
        const float* from = picture.data() + ((top + y) * recipe.width + left) * recipe.channels;
        float* to = sum.data() + y * line;
        std::transform(from, from + line, to, to, std::plus<>{});
    }
}

}  // namespace

Filters filters_of(const Model& model, int layer, int threads) {
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

Filters filters_of(const Model& model, int layer, const Pictures& pictures, int threads,
                   std::vector<SkippedPicture>& skipped, std::vector<PictureRemark>& remarks,
                   const std::function<void(std::int64_t)>& progress) {
    const Units units(model, layer);
    const Probe probe(model, layer);
    Answers answers(units.drawn);
    Encoder encoder(probe.model(), {.layer = layer, .threads = threads});
    std::int64_t done = 0;
    const std::int64_t fitting = std::clamp<std::int64_t>(answer_values / encoder.code_size(), 1, 64);
    each_batch(pictures, model.recipe, fitting, threads, [&](const PictureBatch& batch) {
        if (!batch.indices.empty()) {
            const Tensor codes = encoder.encode(batch.pictures);
            for (std::int64_t i = 0; i < codes.rows(); ++i) {
                answers.add(codes.row(i), probe.positions(), batch.indices[static_cast<std::size_t>(i)]);
            }
        }
        skipped.insert(skipped.end(), batch.skipped.begin(), batch.skipped.end());
        remarks.insert(remarks.end(), batch.remarks.begin(), batch.remarks.end());
        done += std::ssize(batch.indices) + std::ssize(batch.skipped);
        progress(done);
    });

    // The pictures are read again rather than kept: what a unit sees may be most of a picture.
    std::map<std::int64_t, std::vector<std::pair<std::size_t, std::int64_t>>> wanted;
    for (std::size_t unit = 0; unit < answers.best().size(); ++unit) {
        for (const Answer& answer : answers.best()[unit]) {
            wanted[answer.picture].emplace_back(unit, answer.position);
        }
    }
    std::vector<std::int64_t> entries;
    for (const auto& [entry, places] : wanted) {
        entries.push_back(entry);
    }
    Filters filters{probe.height(), probe.width(), model.recipe.channels, {}, units.count};
    filters.tiles.assign(static_cast<std::size_t>(units.drawn),
                         Tile(static_cast<std::size_t>(filters.height * filters.width * filters.channels)));
    if (!entries.empty()) {
        each_batch(pictures.subset(entries), model.recipe, 64, threads, [&](const PictureBatch& batch) {
            const Tensor pixels = to_pixels(model.recipe, batch.pictures);
            for (std::size_t i = 0; i < batch.indices.size(); ++i) {
                for (const auto& [unit, position] :
                     wanted.at(entries[static_cast<std::size_t>(batch.indices[i])])) {
                    add_field(pixels.row(static_cast<std::int64_t>(i)), model.recipe, probe, position,
                              filters.tiles[unit]);
                }
            }
            progress(done);
        });
    }
    std::for_each(filters.tiles.begin(), filters.tiles.end(), stretch);
    return filters;
}

Tensor draw(const Filters& filters) {
    const auto count = static_cast<double>(filters.tiles.size());
    const std::int64_t shrunk = filters.tiles.size() > many_tiles ? 2 : 1;
    return draw_tiles(filters.tiles,
                      {.height = filters.height,
                       .width = filters.width,
                       .channels = filters.channels,
                       .columns = static_cast<std::int64_t>(std::ceil(std::sqrt(count))),
                       .scale = visible_scale(shrunk * filters.height, shrunk * filters.width)});
}

}  // namespace stackae::cli

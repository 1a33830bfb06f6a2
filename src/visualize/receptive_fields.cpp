#include <algorithm>
#include <functional>
#include <map>
#include <span>
#include <utility>

#include "stackae/visualize.hpp"

#include "visualize/units.hpp"

namespace stackae {
namespace {

using visualize::Units;

constexpr std::size_t max_activations = 16;                       ///< pictures that a tile is the mean of
constexpr std::int64_t max_code_values = std::int64_t{16} << 20;  ///< of a batch of pictures

/// The least value becomes black, the largest white.
void stretch(Tile& tile) {
    const auto [least, most] = std::minmax_element(tile.begin(), tile.end());
    const float low = *least;
    const float range = *most - low;
    for (float& value : tile) {
        value = range > 0.0F ? (value - low) / range : 0.5F;
    }
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

/// The largest activation of a unit in one picture.
struct UnitActivation {
    float value;
    std::int64_t picture;
    std::int64_t position;
};

/// A stack that has a code for every position instead of every cell, and what its positions see.
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

/// Each unit's largest activations, one a picture, strongest first.
class StrongestActivations {
public:
    explicit StrongestActivations(std::int64_t units) : best_(static_cast<std::size_t>(units)) {}

    /// code: positions × channels.
    void add(std::span<const float> code, std::int64_t positions, std::int64_t picture) {
        const std::size_t channels = code.size() / static_cast<std::size_t>(positions);
        std::vector<UnitActivation> strongest(best_.size(), UnitActivation{0.0F, picture, 0});
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

    [[nodiscard]] const std::vector<std::vector<UnitActivation>>& best() const { return best_; }

private:
    static void insert(std::vector<UnitActivation>& activations, const UnitActivation& activation) {
        if (activation.value <= 0.0F) {
            return;
        }
        const auto place = std::upper_bound(
            activations.begin(), activations.end(), activation,
            [](const UnitActivation& a, const UnitActivation& b) { return a.value > b.value; });
        activations.insert(place, activation);
        activations.resize(std::min(activations.size(), max_activations));
    }

    std::vector<std::vector<UnitActivation>> best_;
};

/// Units and the positions at which a picture excited them, by the picture's entry.
using PlacesByPicture = std::map<std::int64_t, std::vector<std::pair<std::size_t, std::int64_t>>>;

PlacesByPicture places_by_picture(const StrongestActivations& strongest) {
    PlacesByPicture places;
    for (std::size_t unit = 0; unit < strongest.best().size(); ++unit) {
        for (const UnitActivation& activation : strongest.best()[unit]) {
            places[activation.picture].emplace_back(unit, activation.position);
        }
    }
    return places;
}

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

Filters receptive_fields(const Model& model, int layer, const Pictures& pictures, int threads,
                         const std::function<void(std::int64_t)>& progress) {
    visualize::check_layer(model, layer);
    const Units units(model, layer);
    const Probe probe(model, layer);
    Filters filters{probe.height(), probe.width(), model.recipe.channels, {}, units.count, {}, {}};
    StrongestActivations strongest(units.drawn);
    Encoder encoder(probe.model(), {.layer = layer, .threads = threads});
    std::int64_t done = 0;
    const auto tell = [&] {
        if (progress) {
            progress(done);
        }
    };
    const std::int64_t fitting = std::clamp<std::int64_t>(max_code_values / encoder.code_size(), 1, 64);
    each_batch(pictures, model.recipe, fitting, threads, [&](const PictureBatch& batch) {
        if (!batch.indices.empty()) {
            const Tensor codes = encoder.encode(batch.pictures);
            for (std::int64_t i = 0; i < codes.rows(); ++i) {
                strongest.add(codes.row(i), probe.positions(), batch.indices[static_cast<std::size_t>(i)]);
            }
        }
        filters.skipped.insert(filters.skipped.end(), batch.skipped.begin(), batch.skipped.end());
        filters.remarks.insert(filters.remarks.end(), batch.remarks.begin(), batch.remarks.end());
        done += std::ssize(batch.indices) + std::ssize(batch.skipped);
        tell();
    });

    // The pictures are read again rather than kept: what a unit sees may be most of a picture.
    const PlacesByPicture wanted = places_by_picture(strongest);
    std::vector<std::int64_t> entries;
    for (const auto& [entry, places] : wanted) {
        entries.push_back(entry);
    }
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
            tell();
        });
    }
    std::for_each(filters.tiles.begin(), filters.tiles.end(), stretch);
    return filters;
}

}  // namespace stackae

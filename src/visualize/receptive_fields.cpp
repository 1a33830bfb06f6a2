#include <algorithm>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>

#include "stackae/visualize.hpp"

#include "model/receptive_field.hpp"
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

/// The largest activation of a unit in one picture.
struct UnitActivation {
    float value;
    std::int64_t picture;
    std::int64_t position;
};

/// What a position of an output sees of a picture, along one side.
class Window {
public:
    Window(std::int64_t side, ReceptiveField::Side field)
        : side_(side), field_(field), size_(std::min(field.size, side)) {}

    [[nodiscard]] std::int64_t size() const { return size_; }
    /// The first pixel, moved so that all lie in the picture.
    [[nodiscard]] std::int64_t begin(std::int64_t position) const {
        return std::clamp<std::int64_t>(field_.offset + position * field_.stride, 0, side_ - size_);
    }

private:
    std::int64_t side_;
    ReceptiveField::Side field_;
    std::int64_t size_;
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
void each_batch(const ImageDataset& pictures, const Preprocessing& preprocessing, std::int64_t batch_size,
                int threads, const Each& body) {
    PictureReader reader(pictures, preprocessing, {.batch_size = batch_size, .threads = threads});
    for (PictureBatch batch; reader.next(batch);) {
        body(batch);
    }
}

/// Sums of what units see, as tiles of one size.
class Fields {
public:
    Fields(const Model& model, const Units& units, const ReceptiveField& field)
        : preprocessing_(model.preprocessing),
          across_(units.shape.width),
          down_(preprocessing_.height, field.down),
          right_(preprocessing_.width, field.across),
          sums_(static_cast<std::size_t>(units.drawn),
                Tile(static_cast<std::size_t>(down_.size() * right_.size() * preprocessing_.channels))) {}

    [[nodiscard]] std::int64_t height() const { return down_.size(); }
    [[nodiscard]] std::int64_t width() const { return right_.size(); }
    void add(std::span<const float> picture, std::int64_t position, std::size_t unit) {
        const std::int64_t top = down_.begin(position / across_);
        const std::int64_t left = right_.begin(position % across_);
        const std::int64_t line = width() * preprocessing_.channels;
        for (std::int64_t y = 0; y < height(); ++y) {
            const float* from =
                picture.data() + ((top + y) * preprocessing_.width + left) * preprocessing_.channels;
            float* to = sums_[unit].data() + y * line;
            std::transform(from, from + line, to, to, std::plus<>{});
        }
    }
    /// Leaves nothing behind.
    [[nodiscard]] std::vector<Tile> take() { return std::move(sums_); }

private:
    const Preprocessing& preprocessing_;
    std::int64_t across_;
    Window down_;
    Window right_;
    std::vector<Tile> sums_;
};

}  // namespace

Filters receptive_fields(const Model& model, std::string_view output, const ImageDataset& pictures,
                         int threads, const std::function<void(std::int64_t)>& progress) {
    const Preprocessing& preprocessing = model.preprocessing;
    const Units units(model, output);
    Fields fields(model, units, receptive_field(model.layers, units.depth));
    Filters filters{
        fields.height(), fields.width(), preprocessing.channels, {}, units.shape.channels, {}, {}};
    StrongestActivations strongest(units.drawn);
    Encoder encoder(model, {.output = std::string(output), .threads = threads});
    std::int64_t done = 0;
    const auto tell = [&] {
        if (progress) {
            progress(done);
        }
    };
    const std::int64_t fitting = std::clamp<std::int64_t>(max_code_values / encoder.code_size(), 1, 64);
    each_batch(pictures, preprocessing, fitting, threads, [&](const PictureBatch& batch) {
        if (!batch.indices.empty()) {
            const Tensor codes = encoder.encode(batch.pictures);
            for (std::int64_t i = 0; i < codes.rows(); ++i) {
                strongest.add(codes.row(i), units.positions(), batch.indices[static_cast<std::size_t>(i)]);
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
    if (!entries.empty()) {
        each_batch(pictures.subset(entries), preprocessing, 64, threads, [&](const PictureBatch& batch) {
            const Tensor pixels = to_pixels(preprocessing, batch.pictures);
            for (std::size_t i = 0; i < batch.indices.size(); ++i) {
                for (const auto& [unit, position] :
                     wanted.at(entries[static_cast<std::size_t>(batch.indices[i])])) {
                    fields.add(pixels.row(static_cast<std::int64_t>(i)), position, unit);
                }
            }
            tell();
        });
    }
    filters.tiles = fields.take();
    std::for_each(filters.tiles.begin(), filters.tiles.end(), stretch);
    return filters;
}

}  // namespace stackae

#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/model.hpp"
#include "stackae/preprocessing.hpp"
#include "stackae/tensor.hpp"

/// Drawings of what a model has learnt and of what it rebuilds, as pictures for write_png().
namespace stackae {

/// A small picture: height × width × channels floats in [0, 1], row-major, channels last.
using Tile = std::vector<float>;

/// What the units of a layer look for, a tile a unit.
struct Filters {
    std::int64_t height = 0;  ///< of a tile, pixels
    std::int64_t width = 0;
    std::int64_t channels = 1;
    std::vector<Tile> tiles;  ///< contrast stretched tile by tile
    std::int64_t units = 0;   ///< of the layer; more than there are tiles where they are many
    // Of the pictures that were looked at, by receptive_fields().
    std::vector<SkippedPicture> skipped;
    std::vector<PictureRemark> remarks;
};

/// Units drawn at most.
inline constexpr std::int64_t max_filters = 400;

// The units are the channels of an output, as Model::depth_of() takes it. Each function throws
// InvalidArgument when the model has no such output.

/// By the weights alone, 0 in gray.
/// - Of the lowest layer, its own filters, where it has some; the units of the largest norms.
/// - Else what the stack decodes from a code of one unit, of maps in their middle position, less what it
///   decodes from a code of zeros; cut to where any two differ; the first units. Throws InvalidArgument where
///   a layer between has no decoder.
[[nodiscard]] Filters weight_filters(const Model& model, std::string_view output, int threads = 0);

/// By pictures: the mean of what the first units see of the pictures that excite them most (each unit's
/// receptive field), each where its activation is the largest. A unit that no picture excites is gray.
/// Pictures are read twice; at most max_receptive_pictures are worth giving. progress(pictures done) may
/// throw.
[[nodiscard]] Filters receptive_fields(const Model& model, std::string_view output,
                                       const ImageDataset& pictures, int threads = 0,
                                       const std::function<void(std::int64_t)>& progress = {});
inline constexpr std::int64_t max_receptive_pictures = 2000;

/// Undoes the preprocessing's standardisation where it has one, so that values can be drawn: n × size() in,
/// n × size() out. Contrast normalisation cannot be undone; its values are mapped to [0, 1] picture by
/// picture.
[[nodiscard]] Tensor to_pixels(const Preprocessing& preprocessing, const Tensor& pictures);

/// Undoes the preprocessing's standardisation and its channels' ranges where it has such: the numbers that
/// files hold, or shares of the largest that their type has; n × size() in, n × size() out. Contrast
/// normalisation cannot be undone.
[[nodiscard]] Tensor to_numbers(const Preprocessing& preprocessing, const Tensor& pictures);

/// Tiles of any number of channels as they can be drawn: of two in false colours, the first magenta, the
/// second green; of more than three with the channels beside each other, in gray, a pixel apart: in a row up
/// to eight, else in rows.
[[nodiscard]] Filters in_colours(Filters filters);

/// The tiles on a square sheet, as in_colours() has them, enlarged to be seen: H × W × 1 or 3, in [0, 1].
[[nodiscard]] Tensor draw(const Filters& filters);

/// Tiles laid out in a grid on gray, one pixel apart, each pixel drawn as a square of `scale`.
struct TileGrid {
    std::int64_t height = 0;  ///< of a tile, pixels
    std::int64_t width = 0;
    std::int64_t channels = 1;
    std::int64_t columns = 1;  ///< tiles in a row
    std::int64_t scale = 1;
};

/// tiles: each of the grid's height × width × channels. Returns the picture, H × W × channels.
[[nodiscard]] Tensor draw_tiles(const std::vector<Tile>& tiles, const TileGrid& grid);

/// How much small tiles are enlarged to be seen: 1 for a side of 64 pixels and more.
[[nodiscard]] std::int64_t visible_scale(std::int64_t height, std::int64_t width);

/// Pictures above what a model rebuilds of them, in the pixels that to_pixels() gives, `columns` pairs in a
/// row, of channels as in_colours() has them. Where an original has values outside of 0 to 1, the least of
/// all originals is drawn black, the largest white. scale 0: visible_scale(). Returns H × W × 1 or 3.
[[nodiscard]] Tensor draw_reconstructions(const Preprocessing& preprocessing, std::vector<Tile> originals,
                                          std::vector<Tile> rebuilt, std::int64_t columns = 10,
                                          std::int64_t scale = 0);

}  // namespace stackae

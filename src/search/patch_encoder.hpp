#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stackae/model.hpp"
#include "stackae/patch_memory.hpp"
#include "stackae/shape.hpp"
#include "stackae/tensor.hpp"

#include "base/rows.hpp"
#include "layers/onnx_graph.hpp"

namespace stackae::search {

/// Weights by which a row of `from` positions becomes one of `to`: triangles about the places of the new
/// ones, as wide as `reach` of the wider of the old and the new positions, each normalised to sum 1.
class Resampling {
public:
    Resampling(std::int64_t from, std::int64_t to, double ratio, double reach);
    /// Sets out, to × columns, of rows, from × columns.
    void run(const float* rows, std::int64_t columns, float* out) const;
    [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(first_.size()); }
    /// The same as a matrix, size() × columns, with old row i in column place(i).
    template <class Place>
    [[nodiscard]] Tensor matrix(std::int64_t columns, const Place& place) const {
        Tensor out({size(), columns});
        for (std::int64_t i = 0; i < size(); ++i) {
            each(i, [&](std::int64_t row, float weight) { out.row(i)[base::at(place(row))] += weight; });
        }
        return out;
    }
    /// size() × from.
    [[nodiscard]] Tensor matrix(std::int64_t from) const {
        return matrix(from, [](std::int64_t i) { return i; });
    }
    /// The first and the last of the rows that the i-th new one is made of.
    [[nodiscard]] std::int64_t first(std::int64_t i) const { return first_[base::at(i)]; }
    [[nodiscard]] std::int64_t last(std::int64_t i) const {
        return first(i) + std::ssize(weights_[base::at(i)]) - 1;
    }
    /// Calls use(row, weight) for the rows that the i-th new one is made of.
    template <class Use>
    void each(std::int64_t i, const Use& use) const {
        std::int64_t row = first_[base::at(i)];
        for (const float weight : weights_[base::at(i)]) {
            use(row++, weight);
        }
    }

private:
    std::vector<std::int64_t> first_;
    std::vector<std::vector<float>> weights_;
};

/// A side of a map of the grid brought to that of a picture.
[[nodiscard]] inline Resampling enlarging(std::int64_t from, std::int64_t to) {
    return {from, to, static_cast<double>(from) / static_cast<double>(to), 1.0};
}

/// How a model that makes maps of small pictures is run over large ones: over tiles that overlap by what its
/// positions depend on beyond what they stand for, so that the map of the whole is without seams. Positions
/// that depend on padding are left out for that, up to a quarter of a tile's on each side. Seams remain where
/// more depends on it, and where the cells of a pooling grid are not of one size. A picture goes on mirrored
/// beyond its border.
struct TileGeometry {
    TileGeometry(const Model& model, std::size_t depth);

    /// Down or across.
    struct Side {
        std::int64_t first = 0;   ///< position of a tile's map that is used
        std::int64_t count = 0;   ///< of positions that are used
        std::int64_t margin = 0;  ///< pixels of a tile before those that the first of them stands for
    };
    Shape tile;               ///< the model's input
    Shape map;                ///< of a tile
    std::int64_t stride = 1;  ///< pixels between positions
    Side down;
    Side across;
    /// Pixels that the used positions of a tile stand for.
    [[nodiscard]] std::int64_t pixels(const Side& side) const { return side.count * stride; }
};

/// The index that stands for i in a row of n that goes on mirrored.
[[nodiscard]] std::int64_t mirrored(std::int64_t i, std::int64_t n);

/// The least variance of pixels that tells something: that of a quarter of a grey level. Below it is what
/// rounding leaves of E(x²) − E(x)².
inline constexpr float least_pixel_variance = 1e-6F;

/// Descriptors of a picture's positions: what a model makes of the picture in several sizes, each half of the
/// one before, and the mean and deviation of the pixels about the position, averaged over a neighbourhood and
/// joined.
class PatchEncoder {
public:
    /// picture: of all pictures. levels: at most so many sizes. stride: pixels between positions, 0: see
    /// stride_of(). The model must outlive it. Throws InvalidArgument for a stride below that of the model's
    /// maps.
    PatchEncoder(const Model& model, std::size_t depth, const Shape& picture, std::int64_t levels,
                 std::int64_t stride, int threads);

    [[nodiscard]] std::int64_t height() const { return height_; }
    [[nodiscard]] std::int64_t width() const { return width_; }
    [[nodiscard]] std::int64_t positions() const { return height_ * width_; }
    /// Values of a descriptor.
    [[nodiscard]] std::int64_t dimension() const { return dimension_; }
    [[nodiscard]] std::int64_t levels() const { return std::ssize(sizes_); }
    [[nodiscard]] std::int64_t stride() const { return stride_; }
    /// Where in a descriptor the values of one source end: a level's map, a level's pixels.
    [[nodiscard]] const std::vector<std::int64_t>& group_ends() const { return group_ends_; }

    /// How many pictures are best encoded together.
    [[nodiscard]] std::int64_t at_once() const;
    /// pictures: n × picture.size(). Returns (n · positions()) × dimension().
    [[nodiscard]] Tensor encode(const Tensor& pictures);
    /// The same of one picture N × channels × height × width, as a map.
    [[nodiscard]] layers::OnnxValue to_onnx(layers::OnnxGraph& graph, const layers::OnnxValue& picture) const;
    /// Tiles of the pictures in all sizes, at most about `most` in all, to learn from: m × tile.size().
    [[nodiscard]] static Tensor tiles(const Tensor& pictures, const Shape& picture, const Shape& tile,
                                      std::int64_t levels, std::int64_t most, std::uint64_t seed);
    /// Pixels between the positions of a picture where nothing else is asked for, unless those of the model's
    /// maps are further apart.
    [[nodiscard]] static std::int64_t stride_of(const Shape& picture);
    /// Sizes in which a picture is looked at, the first its own.
    [[nodiscard]] static std::vector<Shape> sizes(const Shape& picture, std::int64_t levels);

private:
    /// How a level's map of all tiles, or its pixels, become the grid's.
    struct Grid {
        Resampling rows;
        Resampling columns;
    };
    [[nodiscard]] Grid map_grid(std::size_t level) const;
    [[nodiscard]] Grid pixel_grid(std::size_t level) const;
    [[nodiscard]] layers::OnnxValue level_to_onnx(layers::OnnxGraph& graph, const layers::OnnxValue& picture,
                                                  std::size_t level) const;
    /// Tiles that cover a picture.
    struct Tiling {
        std::int64_t down = 0;
        std::int64_t across = 0;
        [[nodiscard]] std::int64_t count() const { return down * across; }
    };
    [[nodiscard]] Tiling tiling_of(const Shape& picture) const;
    /// Of its input or of its map.
    [[nodiscard]] std::int64_t values_of_tile() const;
    /// Both write into the columns from `out` on of rows of dimension() values.
    void encode_level(const Tensor& pictures, std::size_t level, float* out);
    /// Maps of some rows of tiles: pictures × rows × tiles across.
    [[nodiscard]] Tensor encode_tiles(const Tensor& pictures, const Shape& shape, std::int64_t first_row,
                                      std::int64_t rows);
    void add_pixels(const Tensor& pictures, std::size_t level, float* out) const;

    TileGeometry geometry_;
    Layers layers_;
    Encoder encoder_;
    std::vector<Shape> sizes_;
    std::int64_t stride_;
    std::int64_t height_ = 0;
    std::int64_t width_ = 0;
    std::int64_t dimension_ = 0;
    int threads_;
    std::vector<std::int64_t> group_ends_;
};

/// Throws InvalidArgument where a memory's grid and descriptors are not what the encoder of its model makes.
void check_fits(const PatchEncoder& encoder, const PatchMemory& memory);

}  // namespace stackae::search

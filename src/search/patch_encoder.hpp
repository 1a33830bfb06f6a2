#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "stackae/model.hpp"
#include "stackae/shape.hpp"
#include "stackae/tensor.hpp"

namespace stackae::search {

/// Weights by which a row of `from` positions becomes one of `to`: triangles about the places of the new
/// ones, as wide as `reach` of the wider of the old and the new positions, each normalised to sum 1.
class Resampling {
public:
    Resampling(std::int64_t from, std::int64_t to, double ratio, double reach);
    /// Sets out, to × columns, of rows, from × columns.
    void run(const float* rows, std::int64_t columns, float* out) const;
    [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(first_.size()); }

private:
    std::vector<std::int64_t> first_;
    std::vector<std::vector<float>> weights_;
};

/// How a model that makes maps of small pictures is run over large ones: over tiles that overlap by what its
/// positions do not cover, so that the map of the whole is without seams. A picture goes on mirrored beyond
/// its border.
struct TileGeometry {
    TileGeometry(const Model& model, std::size_t depth);

    Shape tile;                    ///< the model's input
    Shape map;                     ///< of a tile
    std::int64_t stride = 1;       ///< pixels between positions
    std::int64_t core_height = 0;  ///< pixels that the positions of a tile stand for
    std::int64_t core_width = 0;
};

/// Descriptors of a picture's positions: what a model makes of the picture in several sizes, each half of the
/// one before, and the mean and deviation of the pixels about the position, averaged over a neighbourhood and
/// joined.
class PatchEncoder {
public:
    /// picture: of all pictures. levels: at most so many sizes. The model must outlive it.
    PatchEncoder(const Model& model, std::size_t depth, const Shape& picture, std::int64_t levels,
                 int threads);

    [[nodiscard]] std::int64_t height() const { return height_; }
    [[nodiscard]] std::int64_t width() const { return width_; }
    [[nodiscard]] std::int64_t positions() const { return height_ * width_; }
    /// Values of a descriptor.
    [[nodiscard]] std::int64_t dimension() const { return dimension_; }
    [[nodiscard]] std::int64_t levels() const { return std::ssize(sizes_); }
    /// Where in a descriptor the values of one source end: a level's map, a level's pixels.
    [[nodiscard]] const std::vector<std::int64_t>& group_ends() const { return group_ends_; }

    /// pictures: n × picture.size(). Returns (n · positions()) × dimension().
    [[nodiscard]] Tensor encode(const Tensor& pictures);
    /// Tiles of the pictures in all sizes, about `most` in all, to learn from: m × tile.size().
    [[nodiscard]] static Tensor tiles(const Tensor& pictures, const Shape& picture, const Shape& tile,
                                      std::int64_t levels, std::int64_t most, std::uint64_t seed);
    /// Pixels between the positions of a picture, at least.
    [[nodiscard]] static std::int64_t least_step(const Shape& picture);
    /// Sizes in which a picture is looked at, the first its own.
    [[nodiscard]] static std::vector<Shape> sizes(const Shape& picture, std::int64_t levels);

private:
    void encode_level(const Tensor& pictures, std::size_t level, std::int64_t offset, Tensor& out);
    void add_pixels(const Tensor& pictures, std::size_t level, std::int64_t offset, Tensor& out) const;

    TileGeometry geometry_;
    Encoder encoder_;
    std::vector<Shape> sizes_;
    std::int64_t cell_ = 8;  ///< pixels between positions of the grid
    std::int64_t height_ = 0;
    std::int64_t width_ = 0;
    std::int64_t dimension_ = 0;
    int threads_;
    std::vector<std::int64_t> group_ends_;
};

}  // namespace stackae::search

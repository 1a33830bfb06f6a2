#pragma once

#include <cstdint>
#include <span>

#include "stackae/preprocessing.hpp"
#include "stackae/tensor.hpp"

namespace stackae {

/// Thumbnails of pictures in one picture, for TensorFlow's Embedding Projector: squares in a grid of as many
/// rows as columns, the first at the top left, one row of the grid after the other.
class SpriteSheet {
public:
    /// Pixels of a side of the sheet at most, which WebGL takes everywhere.
    static constexpr std::int64_t max_side = 4096;
    static constexpr std::int64_t max_thumbnail = 64;

    /// For n pictures, 1 or more. Throws InvalidArgument.
    explicit SpriteSheet(std::int64_t n);

    /// Pixels of a thumbnail's side: as many as there is room for; 0 where more pictures than the sheet has
    /// room for, 262,144, leave fewer than 8.
    [[nodiscard]] std::int64_t thumbnail() const { return thumbnail_; }
    /// What brings a picture to that size: as the model's, without what is done to the values. height is
    /// above 1.
    [[nodiscard]] Preprocessing preprocessing(const Preprocessing& like) const;
    /// Puts picture i there, as that makes it: one channel, or the mean of measured ones, in gray, three in
    /// colours.
    void put(std::int64_t i, std::span<const float> picture, const Preprocessing& preprocessing);
    /// height × width × 3 in [0, 1]; white where nothing was put.
    [[nodiscard]] const Tensor& picture() const { return sheet_; }

private:
    std::int64_t columns_ = 0;
    std::int64_t thumbnail_ = 0;
    Tensor sheet_;
};

}  // namespace stackae

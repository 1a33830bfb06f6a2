#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stackae/inputs.hpp"
#include "stackae/memorize.hpp"
#include "stackae/preprocessing.hpp"
#include "stackae/shape.hpp"
#include "stackae/tensor.hpp"

/// What memorize() learns from.
namespace stackae::pipeline {

/// Pictures are parted in so many, each scored by what was learnt from the others.
inline constexpr std::int64_t parts = 3;
/// Units of the model that is learnt from tiles of the good pictures, sizes in which these are looked at, and
/// pictures from which tiles are cut, at most.
inline constexpr std::int64_t units = 192;
inline constexpr std::int64_t levels = 3;
inline constexpr std::int64_t tile_pictures = 300;
/// Descriptors that the principal axes are found by, at most.
inline constexpr std::int64_t axis_rows = 40'000;
/// Defects of a kind that are planted in pictures of that size: 40, in those of more than a million pixels,
/// of which each takes seconds, fewer, but 8 at least.
[[nodiscard]] std::int64_t planted_of_a_kind(const Shape& picture);

/// Good pictures, prepared, and the part of each.
struct GoodPictures {
    Tensor values;                    ///< n × preprocessing.size()
    std::vector<std::int64_t> parts;  ///< from 0: by turns, or by turns of their groups where they have some
    std::vector<std::string> paths;
};

/// That of the pictures, with the size in which they are looked at. Throws InvalidArgument.
[[nodiscard]] Preprocessing preprocessing_of(const Inputs& good, const MemorizeOptions& options);

/// As many as the memory takes, spread evenly over all. Throws InvalidArgument.
[[nodiscard]] GoodPictures read_pictures(const Inputs& good, const Preprocessing& preprocessing,
                                         const MemorizeOptions& options, Manifest& manifest);

/// The picture of the region at the size in which pictures are looked at, height × width: 1 where it is
/// bright, 0 elsewhere; empty where none is named. Throws InvalidArgument where it is bright nowhere.
[[nodiscard]] Tensor read_region(const MemorizeOptions& options, const Preprocessing& preprocessing);

/// 1 for the positions of a grid, so many pixels apart, that have a pixel of the region; for all where it is
/// empty.
[[nodiscard]] Tensor positions_in(const Tensor& region, std::int64_t height, std::int64_t width,
                                  std::int64_t stride);

}  // namespace stackae::pipeline

#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "search/affine.hpp"
#include "search/picture_views.hpp"

/// What lays thumbnails onto one another spends its time with.
namespace stackae::search {

/// Thumbnails::size values.
using Image = std::vector<float>;

/// An image seen through a map at some places of a row: (first + i step, y), i < count. What is beyond the
/// image's edge, or within `border` pixels of it, is not inside, and 0.
struct WarpedRow {
    using Values = std::array<float, static_cast<std::size_t>(Thumbnails::side)>;

    Values value;  ///< between the pixels, bilinear
    Values dx;     ///< its slope, by pixels
    Values dy;
    Values inside;  ///< 1 or 0
};
void warp_row(const Image& image, const Affine& map, std::int64_t y, std::int64_t step, float border,
              WarpedRow& row);

/// By a Gaussian window; the border repeats. half: of what is done in between. from and to may be the same.
void blur(const Image& from, double sigma, Image& half, Image& to);

/// The terms of a least squares fit onto ≈ gain (image + slopes · change of the map) + offset, of a row: the
/// slopes times where they are, for the six numbers of the map, the values, 1, and what they are to make,
/// each from place `first` on. onto: the row y of it; step: as of the warped row, which divides
/// Thumbnails::side.
inline constexpr std::size_t products_of = 9;
void align_terms(const WarpedRow& row, const float* onto, std::int64_t y, std::int64_t step,
                 std::array<std::vector<float>, products_of>& terms, std::int64_t first);

/// Sums of products of `count` values each: all[a][b] += Σ rows[a][i] rows[b][i], b ≤ a.
using ProductSums = std::array<std::array<double, products_of>, products_of>;
void add_products(const std::array<std::vector<float>, products_of>& rows, std::int64_t count,
                  ProductSums& all);

}  // namespace stackae::search

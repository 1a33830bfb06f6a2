#pragma once

#include <array>
#include <optional>

#include "search/affine.hpp"
#include "search/picture_views.hpp"
#include "search/warp.hpp"

namespace stackae::search {

/// How one picture lies on another, and how alike they are there.
struct Alignment {
    /// Correlation of the details where both lie, in [-1, 1]: of what is left above a blur, divided by how
    /// strong that is thereabouts. -1 where there are none.
    double similarity = -1.0;
    Affine map;  ///< points of the one to points of the other
};

/// Lays pictures onto one another. Use one per thread.
class Aligner {
public:
    Aligner();

    /// Finds the affine map, near `start`, from points of `onto` to points of `picture` by which the two
    /// differ least but for gain and offset (Gauss-Newton on squared differences: Lucas & Kanade 1981, of
    /// affine maps Baker & Matthews 2004), on blurred pictures first, and compares what lies on both. Where
    /// that is less than 0.35 of `onto`, similarity is -1.
    [[nodiscard]] Alignment align(Thumbnails::Row picture, Thumbnails::Row onto, const Affine& start);

    /// The same of one that lies on the other as it is, but for at most `within` of the side: where more
    /// would fit better, nothing is moved.
    [[nodiscard]] Alignment align_in_place(Thumbnails::Row picture, Thumbnails::Row onto, double within);

private:
    void load(Thumbnails::Row picture, Thumbnails::Row onto);
    /// The best map near `start`; none where nothing tells how to go on.
    std::optional<Affine> find(const Affine& start);

    /// Share of the variance of `onto` that is explained in the end; none where nothing tells how to go on.
    std::optional<double> improve(const Image& picture, const Image& onto, int steps, std::int64_t stride,
                                  Affine& map);
    [[nodiscard]] double compare(const Affine& map);

    Image picture_;
    Image onto_;
    Image coarse_picture_;
    Image coarse_onto_;
    Image half_;    ///< of a blur
    Image warped_;  ///< of the picture, 0 where it does not lie
    Image mask_;    ///< where it does
    Image low_;
    Image squares_;
    Image weight_;
    Image scratch_;
    WarpedRow row_;
    static constexpr std::int64_t terms_held = 512;  ///< of some rows, at a time
    std::array<Image, products_of> terms_;           ///< of the least squares, and what they are to make
};

}  // namespace stackae::search

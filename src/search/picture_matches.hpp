#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "search/alignment.hpp"
#include "search/picture_views.hpp"

namespace stackae::search {

/// Two pictures, the first from one set, the other from the same or another.
struct PictureMatch {
    std::int64_t one = 0;
    std::int64_t other = 0;
    double near = -1.0;         ///< similarity (see Alignment) as they are, -1 where that was not looked at
    double transformed = -1.0;  ///< the same with one turned, cut or moved by more than a few hundredths
    Affine map;                 ///< of the latter: points of the second to points of the first
    double cosine = 0.0;        ///< between the descriptors, by the view that is most alike
};

/// How pictures that may be copies are looked for.
struct MatchOptions {
    std::vector<View> views;
    /// Cosine between descriptors from which on two pictures are laid onto each other.
    double least_cosine = 0.6;
    std::int64_t nearest = 12;  ///< pictures that each view of a picture is compared with, at most
    /// Of each picture's pairs the likeliest so many as they are, and as many others; 0: all. Between two
    /// sets, of each of the first.
    std::int64_t most = 0;
    /// Which matches are told; empty: all.
    std::function<bool(const PictureMatch&)> tell = {};
    int threads = 1;
    /// Told how many of so many parts are done; may throw.
    std::function<void(std::int64_t done, std::int64_t of)> on_progress = {};
};

/// Pairs of a set that are alike by a view's descriptor, laid onto each other. one < other; by them.
[[nodiscard]] std::vector<PictureMatch> match_within(const Thumbnails& pictures, const MatchOptions& options);

/// Pairs of a picture of `ones` and one of `others` likewise.
[[nodiscard]] std::vector<PictureMatch> match_between(const Thumbnails& ones, const Thumbnails& others,
                                                      const MatchOptions& options);

/// Pairs of a set, each laid onto each other from where its `map` has them, in that order.
[[nodiscard]] std::vector<PictureMatch> match_pairs(const Thumbnails& pictures,
                                                    const std::vector<PictureMatch>& pairs,
                                                    const MatchOptions& options);

}  // namespace stackae::search

#pragma once

#include <cstdint>
#include <vector>

#include "stackae/duplicates.hpp"
#include "stackae/preprocessing.hpp"

#include "search/picture_matches.hpp"

namespace stackae::pipeline {

/// From which similarity on pictures are copies, see search::PictureMatch.
struct CopyThresholds {
    double near = 1.0;
    double transformed = 1.0;
    double cosine = 0.0;       ///< between descriptors, from which on pictures are laid onto each other
    double false_pairs = 0.0;  ///< share of pairs of different pictures that lies above; NaN: not known
    std::vector<PlantedCopies> planted;

    [[nodiscard]] bool is_near(const search::PictureMatch& match) const { return match.near >= near; }
    [[nodiscard]] bool are_copies(const search::PictureMatch& match) const {
        return is_near(match) || match.transformed >= transformed;
    }
};

/// Throws InvalidArgument where an option is out of its range.
void check(const DuplicateOptions& options);

/// How pictures are read to be compared: gray, side × side whatever their shape.
[[nodiscard]] Preprocessing gray_square(int side);

/// Of pictures no two of which are the same, found as find_duplicates() says.
/// pictures: their thumbnails; entries: where they are, to be read again for copies to be planted.
[[nodiscard]] CopyThresholds copy_thresholds(const search::Thumbnails& pictures,
                                             const std::vector<ImageEntry>& entries,
                                             const search::MatchOptions& matching,
                                             const DuplicateOptions& options);

}  // namespace stackae::pipeline

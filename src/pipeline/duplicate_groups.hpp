#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "search/affine.hpp"

namespace stackae::pipeline {

/// What two pictures that are copies have to do with each other.
struct CopyLink {
    bool in_place = false;  ///< they lie on each other as they are
    double distance = 0.0;
    double shown = 1.0;  ///< share of the second that the first shows
    search::Affine map;  ///< points of the second to points of the first
};

/// Of each picture its copies: [a][b] is what a is to b.
using CopyLinks = std::map<std::int64_t, std::map<std::int64_t, CopyLink>>;

/// A picture that stays, and its copies.
struct CopyGroup {
    std::int64_t kept = 0;
    std::vector<std::int64_t> copies;
};

/// Groups of copies in which each shows next to nothing that the one that is kept does not: it is laid onto
/// that one itself, and four fifths of it and more are there. In the order of preference a picture is kept
/// and takes its copies; but before one that is part of another, the other. better(a, b): a is rather kept
/// than b. A picture without copies has a group of its own.
[[nodiscard]] std::vector<CopyGroup> group_copies(
    const CopyLinks& links, const std::function<bool(std::int64_t, std::int64_t)>& better);

/// Groups of the pictures of a reference, which are kept, and of others the copies of each: of several that
/// one is a copy of, the nearest. Pictures of the reference without copies have a group of their own.
[[nodiscard]] std::vector<CopyGroup> group_by_reference(
    const CopyLinks& links, const std::function<bool(std::int64_t)>& is_reference);

}  // namespace stackae::pipeline

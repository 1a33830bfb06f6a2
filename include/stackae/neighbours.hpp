#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "stackae/enum_names.hpp"
#include "stackae/tensor.hpp"

namespace stackae {

/// Has names.
enum class Metric {
    l2,      ///< Euclidean distance
    cosine,  ///< 1 − cosine of the angle, in [0, 2]; 1 where one vector is all zeros, 0 where both are
};

/// How the labels of a query's neighbours are counted, see vote(). Has names.
enum class Vote {
    weighted,  ///< nearer ones count for more, and those that are near to everything for less
    majority,  ///< each for one
};

/// Neighbours that vote where no number is given: 50 with weights, of which the far ones hardly count,
/// else 5.
[[nodiscard]] constexpr std::int64_t voters(Vote vote, std::optional<std::int64_t> given = {}) {
    constexpr std::int64_t with_weights = 50;
    constexpr std::int64_t alike = 5;
    return given.value_or(vote == Vote::weighted ? with_weights : alike);
}

/// The k nearest rows of each query, nearest first; ties go to the lower row. Where fewer than k rows were
/// admitted (see search_self), the rest has row −1 at an infinite distance.
struct Neighbours {
    std::int64_t queries = 0;
    std::int64_t k = 0;
    std::vector<std::int64_t> rows;  ///< queries × k
    std::vector<float> distances;    ///< queries × k
    Metric metric = Metric::l2;      ///< of the distances

    /// The nearest `count` of each query, or all where there are fewer.
    [[nodiscard]] Neighbours first(std::int64_t count) const;
};

/// Exact search: oneDNN matrix products in blocks, with a running top-k; never the whole distance
/// matrix. The index keeps its own copy of the vectors. Use one per thread.
class NeighbourIndex {
public:
    /// Vectors of which local_scales() keeps an index of their own, where there are more.
    static constexpr std::int64_t scale_rows = 10'000;

    /// vectors: n × d, n ≥ 1, finite. threads 0: one a core. Throws InvalidArgument.
    NeighbourIndex(const Tensor& vectors, Metric metric, int threads = 0);
    NeighbourIndex(NeighbourIndex&&) noexcept;
    NeighbourIndex& operator=(NeighbourIndex&&) noexcept;
    ~NeighbourIndex();

    [[nodiscard]] std::int64_t size() const;
    /// queries: m × d; 1 ≤ k, cut to size(). Throws InvalidArgument on another d and
    /// on values that are not finite.
    [[nodiscard]] Neighbours search(const Tensor& queries, std::int64_t k);
    /// The same for the indexed vectors themselves, each without itself (leave one out); k cut to size() − 1.
    /// groups (size n, or empty): where given, also without all rows of its own group. rows: where given, for
    /// these vectors only, in this order.
    [[nodiscard]] Neighbours search_self(std::int64_t k, const std::vector<std::int64_t>& groups = {},
                                         const std::vector<std::int64_t>& rows = {});
    /// σ of some indexed vectors, as neighbours of a query are: how far others are about each, the mean
    /// Euclidean distance to its 10 nearest (local scaling: Zelnik-Manor & Perona 2004), with cosine that of
    /// vectors of length 1 but for a factor. Vectors that come up as neighbours of nearly everything (hubs:
    /// Radovanović et al. 2010) have small ones. Of more than 10,000 vectors only that many, spread evenly,
    /// are looked among. 0 for row −1, and without others. Each row is looked up once.
    [[nodiscard]] std::vector<float> local_scales(const std::vector<std::int64_t>& rows);
    /// vote() of neighbours that it found, with their local_scales() where `how` weighs them.
    [[nodiscard]] std::vector<std::int64_t> vote(const Neighbours& neighbours,
                                                 const std::vector<std::int64_t>& labels, Vote how);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The vote of the neighbours' labels. labels: size of the index. Without scales the most frequent wins, ties
/// going to the one whose nearest comes first. With σ_j = NeighbourIndex::local_scales(neighbours.rows) a
/// neighbour at distance d_j counts for (σ_j / d_j²)⁸: inverse distances (Shepard 1968), each beside how near
/// others are to that neighbour. d is Euclidean, with cosine that of vectors of length 1; neighbours at a
/// distance of 0 outvote all others; σ_j is taken for at least a thousandth of their mean. The power was
/// settled on training pictures, see docs/measured.md. Returns one label a query, −1 where it has no
/// neighbours. Throws InvalidArgument where a neighbour has no label, or there is not a scale for each.
[[nodiscard]] std::vector<std::int64_t> vote(const Neighbours& neighbours,
                                             const std::vector<std::int64_t>& labels,
                                             const std::vector<float>& scales = {});

}  // namespace stackae

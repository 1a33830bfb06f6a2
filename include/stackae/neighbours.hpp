#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "stackae/enum_names.hpp"
#include "stackae/tensor.hpp"

namespace stackae {

/// Has names.
enum class Metric {
    l2,      ///< Euclidean distance
    cosine,  ///< 1 − cosine of the angle, in [0, 2]; 1 where one vector is all zeros, 0 where both are
};

/// The k nearest rows of each query, nearest first; ties go to the lower row. Where fewer than k rows were
/// admitted (see search_self), the rest has row −1 at an infinite distance.
struct Neighbours {
    std::int64_t queries = 0;
    std::int64_t k = 0;
    std::vector<std::int64_t> rows;  ///< queries × k
    std::vector<float> distances;    ///< queries × k
};

/// Exact search: oneDNN matrix products in blocks, with a running top-k; never the whole distance
/// matrix. The index keeps its own copy of the vectors. Use one per thread.
class NeighbourIndex {
public:
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

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The vote of the neighbours' labels: the most frequent, ties to the one whose nearest comes first.
/// labels: size of the index. Returns one label a query, −1 where it has no neighbours.
[[nodiscard]] std::vector<std::int64_t> vote(const Neighbours& neighbours,
                                             const std::vector<std::int64_t>& labels);

}  // namespace stackae

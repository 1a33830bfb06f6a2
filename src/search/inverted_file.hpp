#pragma once

#include <cstdint>
#include <vector>

#include "stackae/neighbours.hpp"
#include "stackae/tensor.hpp"

namespace stackae::search {

/// Nearest neighbours by cosine among many vectors, next to all of them: an inverted file (Jégou, Douze &
/// Schmid 2011). Vectors are put into lists, each with those that are nearest to its centroid; a query is
/// compared with the lists of its nearest centroids alone. The result depends on vectors and queries and on
/// nothing else.
class InvertedFile {
public:
    /// vectors: n × d, of length 1.
    InvertedFile(const Tensor& vectors, int threads);

    /// queries: m × d, of length 1. As NeighbourIndex::search() has it, but for what is less alike than
    /// least_cosine.
    [[nodiscard]] Neighbours search(const Tensor& queries, std::int64_t k, double least_cosine = -2.0);

private:
    [[nodiscard]] std::int64_t lists() const { return static_cast<std::int64_t>(first_.size()) - 1; }

    int threads_;
    std::vector<std::int64_t> first_;  ///< of each list in the two below, and their end
    std::vector<std::int64_t> rows_;   ///< which vectors
    Tensor vectors_;                   ///< list by list, filled up with zeros, and a block of them
    NeighbourIndex centroids_;
};

}  // namespace stackae::search

#pragma once

#include <cstdint>
#include <vector>

#include "stackae/tensor.hpp"

#include "base/communicator.hpp"

namespace stackae::linalg {

struct KMeansParams {
    std::int64_t k = 0;  ///< centroids
    int iterations = 1;
    /// A centroid that fewer points are nearest to is seeded anew with a random point, except after the last
    /// iteration. 0: none is.
    std::int64_t min_points_per_centroid = 3;
    std::uint64_t seed = 0;
    std::uint32_t layer = 0;  ///< of random numbers
};

/// Spherical k-means (Dhillon & Modha 2001): k centroids of length 1, each the mean of the points that are
/// nearest to it in angle, weighted by their cosines (the gain of gain-shape quantisation). Points count by
/// their direction alone. The result depends on the seed and on nothing else. Several members, each with all
/// points, share them out and end with the same centroids.
class SphericalKMeans {
public:
    /// points: n × d, row-major. They and communicator must outlive it.
    SphericalKMeans(const float* points, std::int64_t n, std::int64_t d, const KMeansParams& params,
                    base::Communicator& communicator = base::alone());

    /// An iteration. False: it was the last.
    bool step();
    [[nodiscard]] int iteration() const { return static_cast<int>(state_.iteration); }

    /// All that it needs to go on, bit for bit, where another was stopped.
    struct State {
        Tensor centroids;            ///< k × d
        std::int64_t iteration = 0;  ///< iterations that are done
        std::int64_t seeded = 0;     ///< centroids that were set to a random point
    };
    [[nodiscard]] State& state() { return state_; }

private:
    void seed_at_random(std::int64_t centroid);

    const float* points_;
    std::int64_t n_;
    KMeansParams params_;
    base::Communicator& communicator_;
    std::vector<std::int64_t> order_;  ///< in which points become centroids
    std::vector<double> scales_;       ///< by which points are of length 1
    State state_;
};

/// All iterations at once. Returns the centroids, k × d.
[[nodiscard]] Tensor spherical_kmeans(const float* points, std::int64_t n, std::int64_t d,
                                      const KMeansParams& params,
                                      base::Communicator& communicator = base::alone());
/// Floats that it holds beside the points.
[[nodiscard]] std::int64_t spherical_kmeans_floats(std::int64_t n, std::int64_t d, std::int64_t k,
                                                   int threads);
/// What an iteration does, in multiply-adds of matrix products: what is slower counts as many as take its
/// time.
[[nodiscard]] double spherical_kmeans_multiply_adds(std::int64_t n, std::int64_t d, std::int64_t k);

}  // namespace stackae::linalg

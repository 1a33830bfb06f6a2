#include "linalg/spherical_kmeans.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "base/rows.hpp"
#include "linalg/tiled_product.hpp"

namespace stackae::linalg {
namespace {

constexpr std::int64_t max_block = 4096;  // points
constexpr std::int64_t min_block = 256;
constexpr std::int64_t max_cosines = std::int64_t{1} << 24;  // of a block

std::int64_t block_of(std::int64_t n, std::int64_t k) {
    return std::min(n, std::clamp(max_cosines / k, min_block, max_block));
}

struct Assignment {
    std::int64_t centroid = 0;
    float cosine = 0.0F;
};

/// The sums of the points that are assigned to each centroid, and how many they are.
struct Sums {
    explicit Sums(std::int64_t k, std::int64_t d) : directions({k, d}), points(static_cast<std::size_t>(k)) {}
    Tensor directions;
    std::vector<double> points;
};

Sums assign(const float* points, std::int64_t n, const Tensor& centroids, base::Communicator& communicator) {
    const std::int64_t k = centroids.rows();
    const std::int64_t d = centroids.columns();
    const std::int64_t block = block_of(n, k);
    const TiledProduct product{.m = block, .n = k, .k = d, .trans_b = true};
    Tensor rows({block, d});
    Tensor cosines({block, k});
    std::vector<Assignment> nearest(static_cast<std::size_t>(block));
    Sums sums(k, d);
    const base::Share share = base::share_of(communicator, n);
    for (std::int64_t first = share.first; first < share.last; first += block) {
        const std::int64_t count = std::min(block, share.last - first);
        base::parallel_ranges(count, 16, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const auto row = rows.row(i);
                base::l2_normalize({points + (first + i) * d, row.size()}, row);
            }
        });
        product.run(rows.data(), centroids.data(), cosines.data());
        base::parallel_ranges(count, 16, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const auto row = cosines.row(i);
                const auto largest = std::max_element(row.begin(), row.end());
                nearest[static_cast<std::size_t>(i)] = {largest - row.begin(), *largest};
            }
        });
        // Threads share the columns out, so that every sum is taken in the order of the points.
        base::parallel_ranges(d, 16, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = 0; i < count; ++i) {
                const Assignment& found = nearest[static_cast<std::size_t>(i)];
                float* sum = sums.directions.row(found.centroid).data();
                const float* row = rows.row(i).data();
                for (std::int64_t j = begin; j < end; ++j) {
                    sum[j] += found.cosine * row[j];
                }
            }
        });
        for (std::int64_t i = 0; i < count; ++i) {
            sums.points[static_cast<std::size_t>(nearest[static_cast<std::size_t>(i)].centroid)] += 1.0;
        }
    }
    communicator.sum(sums.directions.values());
    communicator.sum(std::span<double>(sums.points));
    return sums;
}

}  // namespace

SphericalKMeans::SphericalKMeans(const float* points, std::int64_t n, std::int64_t d,
                                 const KMeansParams& params, base::Communicator& communicator)
    : points_(points),
      n_(n),
      params_(params),
      communicator_(communicator),
      order_(static_cast<std::size_t>(n)),
      state_{Tensor({params.k, d})} {
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    base::shuffle(order_, base::Random(params.seed, base::RandomStream::clusters, params.layer, 0));
    for (std::int64_t i = 0; i < params.k; ++i) {
        seed_at_random(i);
    }
}

void SphericalKMeans::seed_at_random(std::int64_t centroid) {
    const auto row = state_.centroids.row(centroid);
    const std::int64_t point = order_[static_cast<std::size_t>(state_.seeded++ % n_)];
    base::l2_normalize({points_ + point * state_.centroids.columns(), row.size()}, row);
}

bool SphericalKMeans::step() {
    if (state_.iteration >= params_.iterations) {
        return false;
    }
    const Sums sums = assign(points_, n_, state_.centroids, communicator_);
    const bool last = ++state_.iteration == params_.iterations;
    for (std::int64_t i = 0; i < params_.k; ++i) {
        if (!last &&
            sums.points[static_cast<std::size_t>(i)] < static_cast<double>(params_.min_points_per_centroid)) {
            seed_at_random(i);
        } else if (base::squared_norm(sums.directions.row(i)) > 0.0) {
            base::l2_normalize(sums.directions.row(i), state_.centroids.row(i));
        }
    }
    return !last;
}

Tensor spherical_kmeans(const float* points, std::int64_t n, std::int64_t d, const KMeansParams& params,
                        base::Communicator& communicator) {
    SphericalKMeans kmeans(points, n, d, params, communicator);
    while (kmeans.step()) {
    }
    return std::move(kmeans.state().centroids);
}

std::int64_t spherical_kmeans_floats(std::int64_t n, std::int64_t d, std::int64_t k) {
    return 2 * k * d + block_of(n, k) * (d + k);
}

double spherical_kmeans_multiply_adds(std::int64_t n, std::int64_t d, std::int64_t k) {
    // A cosine is looked at, a value of a point is scaled and added to a sum.
    constexpr double a_cosine = 120.0;
    constexpr double a_value = 120.0;
    const auto values = static_cast<double>(d);
    const auto units = static_cast<double>(k);
    return static_cast<double>(n) * (values * units + a_cosine * units + a_value * values);
}

}  // namespace stackae::linalg

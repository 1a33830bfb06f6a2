#include "linalg/spherical_kmeans.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "base/rows.hpp"
#include "base/vectorized.hpp"
#include "linalg/gemm.hpp"

namespace stackae::linalg {
namespace {

// Points are looked at a few at a time, so that their cosines stay in a core's cache.
constexpr std::int64_t cached_cosines = 200'000;
constexpr std::int64_t max_block = 256;  // points
constexpr std::int64_t min_block = 64;

constexpr std::int64_t scale_grain = 256;

constexpr GemmOptions cosine_options{.trans_b = true, .packed_b = true};

std::int64_t block_of(std::int64_t n, std::int64_t k) {
    constexpr std::int64_t rows_of_kernels = 16;
    return std::min(n,
                    std::clamp(cached_cosines / k / rows_of_kernels * rows_of_kernels, min_block, max_block));
}

/// What a point is multiplied by to be of length 1; 0 for zeros.
double scale_of(std::span<const float> point) {
    const double norm = base::squared_norm(point);
    return norm > 0.0 ? 1.0 / std::sqrt(norm) : 0.0;
}

STACKAE_VECTORIZED void scale_point(const float* point, double scale, std::int64_t d, float* to) {
#pragma omp simd
    for (std::int64_t i = 0; i < d; ++i) {
        to[i] = static_cast<float>(double{point[i]} * scale);
    }
}

STACKAE_VECTORIZED void add_point(const float* point, double scale, float cosine, std::int64_t d, float* to) {
#pragma omp simd
    for (std::int64_t i = 0; i < d; ++i) {
        to[i] += cosine * static_cast<float>(double{point[i]} * scale);
    }
}

/// The place of the first of the largest values. Floats without the sign that integers have in their place
/// are in the order of integers, whose maximum compilers make vector code of.
STACKAE_VECTORIZED std::int64_t largest_of(const float* values, std::int64_t size) {
    constexpr std::int32_t magnitude = 0x7FFF'FFFF;
    std::int32_t most = std::numeric_limits<std::int32_t>::min();
#pragma omp simd reduction(max : most)
    for (std::int64_t i = 0; i < size; ++i) {
        const auto bits = std::bit_cast<std::int32_t>(values[i]);
        most = std::max(most, bits ^ ((bits >> 31) & magnitude));
    }
    const auto largest = std::bit_cast<float>(most ^ ((most >> 31) & magnitude));
    constexpr std::int64_t chunk = 64;
    std::int64_t from = 0;
    for (; from + chunk <= size; from += chunk) {
        int here = 0;
#pragma omp simd reduction(| : here)
        for (std::int64_t i = from; i < from + chunk; ++i) {
            here |= static_cast<int>(values[i] == largest);
        }
        if (here != 0) {
            break;
        }
    }
    const float* const found = std::find(values + from, values + size, largest);
    return found == values + size ? 0 : found - values;
}

struct Assignment {
    std::int64_t centroid = 0;
    float cosine = 0.0F;
};

/// Points, and what each is to be multiplied by.
struct Points {
    const float* values;
    std::int64_t d;
    std::span<const double> scales;

    [[nodiscard]] const float* row(std::int64_t i) const { return values + i * d; }
    [[nodiscard]] double scale(std::int64_t i) const { return scales[base::at(i)]; }
};

/// One thread's way to the centroids that points are nearest to.
class Assigner {
public:
    Assigner(const Points& points, const PackedLayout& layout, const void* centroids, std::int64_t k,
             std::int64_t block)
        : points_(points),
          centroids_(centroids),
          product_(context_, block, k, points.d, cosine_options, layout),
          rows_({block, points.d}),
          cosines_({block, k}) {}

    /// Of the points from `first` on, at most a block.
    void run(std::int64_t first, std::span<Assignment> nearest) {
        const auto count = std::ssize(nearest);
        for (std::int64_t i = 0; i < count; ++i) {
            scale_point(points_.row(first + i), points_.scale(first + i), points_.d, rows_.row(i).data());
        }
        product_.run(rows_.data(), centroids_, cosines_.data());
        for (std::int64_t i = 0; i < count; ++i) {
            const auto row = cosines_.row(i);
            const std::int64_t centroid = largest_of(row.data(), std::ssize(row));
            nearest[base::at(i)] = {centroid, row[base::at(centroid)]};
        }
    }

private:
    const Points& points_;
    const void* centroids_;
    Context context_{1};
    Gemm product_;
    Tensor rows_;
    Tensor cosines_;
};

/// Of a share of the points.
std::vector<Assignment> assign(const Points& points, const base::Share& share, const Tensor& centroids) {
    const std::int64_t n = share.last - share.first;
    std::vector<Assignment> nearest(base::at(n));
    if (n == 0) {
        return nearest;
    }
    const std::int64_t k = centroids.rows();
    const std::int64_t block = block_of(n, k);
    const int threads = base::current_threads();
    const base::ThreadScope one(1);
    Context context(1);
    Gemm product(context, block, k, points.d, cosine_options);
    std::vector<std::byte> packed(product.layout().get_size());
    product.pack(centroids.data(), packed.data());
    base::parallel_for((n + block - 1) / block, threads, [&] {
        return [&, assigner = std::make_unique<Assigner>(points, product.layout(), packed.data(), k, block)](
                   std::int64_t i) {
            const std::int64_t begin = i * block;
            const std::int64_t count = std::min(block, n - begin);
            assigner->run(share.first + begin, std::span(nearest).subspan(base::at(begin), base::at(count)));
        };
    });
    return nearest;
}

/// The sums of the points that are assigned to each centroid, and how many they are.
struct Sums {
    explicit Sums(std::int64_t k, std::int64_t d) : directions({k, d}), points(base::at(k)) {}
    Tensor directions;
    std::vector<double> points;
};

/// Threads share the centroids out, so that every sum is taken in the order of the points.
Sums sum_up(const Points& points, std::int64_t first, std::span<const Assignment> nearest, std::int64_t k) {
    Sums sums(k, points.d);
    std::vector<std::int64_t> ends(base::at(k + 1));  // of each centroid's part of `order`
    for (const Assignment& found : nearest) {
        sums.points[base::at(found.centroid)] += 1.0;
        ++ends[base::at(found.centroid) + 1];
    }
    std::partial_sum(ends.begin(), ends.end(), ends.begin());
    std::vector<std::int64_t> order(nearest.size());  // points by their centroids
    for (std::size_t i = 0; i < nearest.size(); ++i) {
        order[base::at(ends[base::at(nearest[i].centroid)]++)] = static_cast<std::int64_t>(i);
    }
    base::parallel_for(k, base::current_threads(), [&] {
        return [&](std::int64_t centroid) {
            const std::int64_t end = ends[base::at(centroid)];
            const auto count = static_cast<std::int64_t>(sums.points[base::at(centroid)]);
            for (std::int64_t i = end - count; i < end; ++i) {
                const std::int64_t point = order[base::at(i)];
                add_point(points.row(first + point), points.scale(first + point),
                          nearest[base::at(point)].cosine, points.d, sums.directions.row(centroid).data());
            }
        };
    });
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
      scales_(static_cast<std::size_t>(n)),
      state_{Tensor({params.k, d})} {
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    base::shuffle(order_, base::Random(params.seed, base::RandomStream::clusters, params.layer, 0));
    base::parallel_ranges(n, scale_grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            scales_[base::at(i)] = scale_of({points + i * d, base::at(d)});
        }
    });
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
    const Points points{points_, state_.centroids.columns(), scales_};
    const base::Share share = base::share_of(communicator_, n_);
    Sums sums = sum_up(points, share.first, assign(points, share, state_.centroids), params_.k);
    communicator_.sum(sums.directions.values());
    communicator_.sum(std::span<double>(sums.points));
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

std::int64_t spherical_kmeans_floats(std::int64_t n, std::int64_t d, std::int64_t k, int threads) {
    constexpr std::int64_t of_a_point = 10;  // two orders, a scale and an assignment
    return 3 * k * d + of_a_point * n + threads * block_of(n, k) * (d + k);
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

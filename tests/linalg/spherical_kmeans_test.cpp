#include "linalg/spherical_kmeans.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "base/rows.hpp"
#include "support/catch.hpp"
#include "support/members.hpp"

using namespace stackae;
using linalg::spherical_kmeans;

namespace {

constexpr std::int64_t d = 10;
constexpr std::int64_t planted = 5;
constexpr int iterations = 12;

/// Samples near one of the first axes, of any length: sample i near axis i mod planted.
Tensor near_axes(std::int64_t n) {
    Tensor samples({n, d});
    const base::Random random(31, base::RandomStream::plan);
    std::uint32_t at = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        const float length = 0.1F + 10.0F * base::Random::uniform(random.block(at++)[0]);
        for (std::int64_t j = 0; j < d; ++j) {
            const float noise = 0.2F * (base::Random::uniform(random.block(at++)[0]) - 0.5F);
            samples.row(i).data()[j] = length * ((j == i % planted ? 1.0F : 0.0F) + noise);
        }
    }
    return samples;
}

Tensor means_of(const Tensor& samples, std::int64_t units, int threads = 1, std::uint64_t seed = 0) {
    const base::ThreadScope scope(threads);
    return spherical_kmeans(samples.data(), samples.rows(), samples.columns(),
                            {.k = units, .iterations = iterations, .seed = seed});
}

/// One iteration from centroids, as the formula has it.
std::vector<double> naive_iteration(const Tensor& samples, const Tensor& centroids) {
    const std::int64_t width = centroids.columns();
    std::vector<double> sums(static_cast<std::size_t>(centroids.size()));
    for (std::int64_t i = 0; i < samples.rows(); ++i) {
        const double length = std::sqrt(base::squared_norm(samples.row(i)));
        double most = -2.0;
        std::int64_t nearest = 0;
        for (std::int64_t c = 0; c < centroids.rows(); ++c) {
            const auto row = samples.row(i);
            const double cosine =
                std::inner_product(row.begin(), row.end(), centroids.row(c).begin(), 0.0) / length;
            nearest = cosine > most ? c : nearest;
            most = std::max(most, cosine);
        }
        for (std::int64_t j = 0; j < width; ++j) {
            sums[static_cast<std::size_t>(nearest * width + j)] +=
                most * double{samples.row(i).data()[j]} / length;
        }
    }
    return sums;
}

void check_length_one(const Tensor& means) {
    for (std::int64_t i = 0; i < means.rows(); ++i) {
        CAPTURE(i);
        REQUIRE(base::squared_norm(means.row(i)) == Approx(1.0).epsilon(1e-5));
    }
}

}  // namespace

TEST_CASE("Spherical k-means finds directions that were planted, whatever the samples' length") {
    // More units than directions, so that a start in which two share one direction is no matter.
    const Tensor means = means_of(near_axes(1000), 20);
    REQUIRE(means.shape() == std::vector<std::int64_t>{20, d});
    check_length_one(means);
    for (std::int64_t axis = 0; axis < planted; ++axis) {
        float nearest = 0.0F;
        for (std::int64_t i = 0; i < means.rows(); ++i) {
            nearest = std::max(nearest, means.row(i)[static_cast<std::size_t>(axis)]);
        }
        CAPTURE(axis);
        CHECK(nearest > 0.97F);
    }
    for (std::int64_t i = 0; i < means.rows(); ++i) {  // and none anywhere else
        CHECK(*std::max_element(means.row(i).begin(), means.row(i).end()) > 0.9F);
    }
}

TEST_CASE("One direction is the mean of the samples' directions, weighted by their cosines") {
    Tensor samples({4, 2});
    const float values[] = {2, 0, 0, 3, 5, 5, 1, 0};
    std::copy_n(values, 8, samples.data());
    const Tensor means = means_of(samples, 1);
    // Three lie at 0, 0 and 45 degrees, one at 90: the direction m solves m ∝ Σ (x·m) x, the first axis of
    // Σ x xᵀ = [[2.5, 0.5], [0.5, 1.5]], whose angle is half of atan(2 · 0.5 / (2.5 − 1.5)).
    CHECK(means.data()[0] == Approx(std::cos(std::atan(1.0) / 2.0)).epsilon(1e-3));
    CHECK(means.data()[1] == Approx(std::sin(std::atan(1.0) / 2.0)).epsilon(1e-3));
}

TEST_CASE(
    "An iteration moves centroids as a naive one does, in blocks that are whole and not, with many and few") {
    const Tensor samples = near_axes(777);
    const auto units = GENERATE(std::int64_t{1}, std::int64_t{63}, std::int64_t{130}, std::int64_t{777});
    const auto after = [&](int times) {
        return spherical_kmeans(samples.data(), samples.rows(), samples.columns(),
                                {.k = units, .iterations = times, .min_points_per_centroid = 0});
    };
    const Tensor first = after(1);
    const Tensor second = after(2);
    const std::vector<double> sums = naive_iteration(samples, first);
    for (std::int64_t c = 0; c < units; ++c) {
        const auto sum = std::span(sums).subspan(static_cast<std::size_t>(c * d), d);
        const double length = std::sqrt(std::inner_product(sum.begin(), sum.end(), sum.begin(), 0.0));
        for (std::size_t j = 0; j < sum.size() && length > 0.0; ++j) {
            CAPTURE(units, c, j);
            REQUIRE(second.row(c)[j] == Approx(sum[j] / length).margin(1e-5));
        }
    }
}

TEST_CASE("Directions are the same on one thread and on two, and another seed gives others") {
    const Tensor samples = near_axes(5000);  // more than a block
    const Tensor one = means_of(samples, 24, 1);
    const Tensor two = means_of(samples, 24, 2);
    REQUIRE(std::equal(one.values().begin(), one.values().end(), two.values().begin()));
    const Tensor other = means_of(samples, 24, 1, 1);
    REQUIRE_FALSE(std::equal(one.values().begin(), one.values().end(), other.values().begin()));
}

TEST_CASE("More directions than distinct samples are all of length one") {
    Tensor samples({6, 3});
    for (std::int64_t i = 0; i < 6; ++i) {
        samples.row(i).data()[i % 2] = static_cast<float>(i + 1);
        samples.row(i).data()[(i + 1) % 2] = 0.0F;
        samples.row(i).data()[2] = 0.0F;
    }
    const Tensor means = means_of(samples, 9);
    check_length_one(means);
    bool first = false;
    bool second = false;
    for (std::int64_t i = 0; i < 9; ++i) {
        first = first || means.row(i)[0] == Approx(1.0F);
        second = second || means.row(i)[1] == Approx(1.0F);
    }
    CHECK(first);
    CHECK(second);
}

TEST_CASE("A cluster of few points is reseeded only where it is told to") {
    Tensor samples({11, 2});  // ten along one axis, one along the other
    for (std::int64_t i = 0; i < 11; ++i) {
        samples.row(i).data()[0] = i == 0 ? 0.0F : 1.0F;
        samples.row(i).data()[1] = i == 0 ? 1.0F : 0.0F;
    }
    const base::ThreadScope scope(1);
    const auto finds_the_one = [&](std::uint64_t seed, std::int64_t least) {
        const Tensor means =
            spherical_kmeans(samples.data(), samples.rows(), samples.columns(),
                             {.k = 2, .iterations = 2, .min_points_per_centroid = least, .seed = seed});
        return means.row(0)[1] == 1.0F || means.row(1)[1] == 1.0F;
    };
    int found = 0;  // where a direction begins there by chance
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        if (finds_the_one(seed, 0)) {
            ++found;
            CHECK_FALSE(finds_the_one(seed, 3));
        }
    }
    CHECK(found > 0);
    CHECK(found < 50);
}

TEST_CASE("A single sample, and samples of zeros, give finite directions") {
    Tensor samples({1, 3});
    samples.row(0).data()[0] = 0.0F;
    samples.row(0).data()[1] = GENERATE(0.0F, -2.0F);
    samples.row(0).data()[2] = 0.0F;
    const Tensor means = means_of(samples, 4);
    for (std::int64_t i = 0; i < 4; ++i) {
        CHECK(means.row(i)[0] == 0.0F);
        CHECK(means.row(i)[1] == (samples.row(0).data()[1] == 0.0F ? 0.0F : -1.0F));
    }
}

TEST_CASE("Two members that share points out find the same centroids, and one member's up to rounding") {
    const Tensor samples = near_axes(1001);
    const linalg::KMeansParams params{.k = 20, .iterations = iterations};
    std::vector<Tensor> found(2);
    test::Members(2).run([&](base::Communicator& member) {
        const base::ThreadScope scope(1);
        found[static_cast<std::size_t>(member.rank())] =
            spherical_kmeans(samples.data(), samples.rows(), samples.columns(), params, member);
    });
    const Tensor alone = means_of(samples, 20);
    for (std::int64_t i = 0; i < alone.size(); ++i) {
        REQUIRE(found[0].data()[i] == found[1].data()[i]);
        REQUIRE(found[0].data()[i] == Approx(alone.data()[i]).margin(1e-5));
    }
}

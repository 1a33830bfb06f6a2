#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/neighbours.hpp"

#include "search/vectors.hpp"
#include "support/catch.hpp"

namespace {

using stackae::Metric;
using stackae::NeighbourIndex;
using stackae::Neighbours;
using stackae::Tensor;
using stackae::Vote;
using stackae::test::contains;
using stackae::test::naive_distance;
using stackae::test::random_vectors;
using stackae::test::table;

/// As local_scales() defines them.
std::vector<double> naive_scales(const Tensor& vectors, Metric metric) {
    const std::int64_t n = vectors.rows();
    const std::int64_t others = std::min<std::int64_t>(n, 10'000);
    std::vector<double> means;
    for (std::int64_t i = 0; i < n; ++i) {
        std::vector<double> distances;
        for (std::int64_t j = 0; j < others; ++j) {
            const std::int64_t row = j * n / others;
            if (row != i) {
                const double distance = naive_distance(vectors, i, vectors, row, metric);
                distances.push_back(metric == Metric::l2 ? distance : std::sqrt(std::max(distance, 0.0)));
            }
        }
        const auto nearest = distances.begin() + std::min<std::ptrdiff_t>(10, std::ssize(distances));
        std::partial_sort(distances.begin(), nearest, distances.end());
        means.push_back(std::accumulate(distances.begin(), nearest, 0.0) /
                        static_cast<double>(nearest - distances.begin()));
    }
    return means;
}

void check_scales(const Tensor& vectors, Metric metric) {
    NeighbourIndex index(vectors, metric, 2);
    std::vector<std::int64_t> rows(static_cast<std::size_t>(vectors.rows()));
    std::iota(rows.rbegin(), rows.rend(), 0);
    const std::vector<float> scales = index.local_scales(rows);
    const std::vector<double> expected = naive_scales(vectors, metric);
    REQUIRE(scales.size() == rows.size());
    double worst = 0.0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        worst = std::max(worst, std::abs(double{scales[i]} - expected[static_cast<std::size_t>(rows[i])]));
    }
    CHECK(worst < 1e-4);
}

}  // namespace

TEST_CASE("The vote goes to the most frequent label, and in a tie to the nearest") {
    const Neighbours found{3, 4, {0, 1, 2, 3, 3, 2, 1, 0, 2, 0, 1, 3}, std::vector<float>(12)};
    CHECK(stackae::vote(found, {7, 8, 8, 9}) == std::vector<std::int64_t>{8, 8, 8});
    CHECK(stackae::vote(found, {7, 7, 8, 8}) == std::vector<std::int64_t>{7, 8, 8});
    CHECK_THROWS_AS(stackae::vote(found, {1, 2}), stackae::InvalidArgument);
}

TEST_CASE("A vector's local scale is the mean distance to the ten nearest others") {
    const Metric metric = GENERATE(Metric::l2, Metric::cosine);
    check_scales(random_vectors(400, 6, 31), metric);
    check_scales(random_vectors(4, 3, 32), metric);
    Tensor some_alike = random_vectors(40, 3, 33);
    for (std::int64_t i = 0; i < 12; ++i) {
        std::copy_n(some_alike.row(20).begin(), 3, some_alike.row(i).begin());
    }
    check_scales(some_alike, metric);
}

TEST_CASE("Of many vectors, local scales are found among some of them, and the same in any portions") {
    const Tensor vectors = random_vectors(10'050, 2, 34, 1.0F);
    check_scales(vectors, GENERATE(Metric::l2, Metric::cosine));
    NeighbourIndex at_once(vectors, Metric::l2, 2);
    NeighbourIndex one_by_one(vectors, Metric::l2, 1);
    const std::vector<std::int64_t> rows = {7, 10'049, -1, 7, 5000};
    const std::vector<float> scales = at_once.local_scales(rows);
    CHECK(scales[2] == 0.0F);
    CHECK(scales[3] == scales[0]);
    for (std::size_t i = rows.size(); i-- > 0;) {
        CHECK(one_by_one.local_scales({rows[i]}).front() == scales[i]);
    }
}

TEST_CASE("Where no vector is apart from the others, all local scales are 0") {
    NeighbourIndex one(table(1, 2, {3, 4}), Metric::l2, 1);
    CHECK(one.local_scales({0, -1, 0}) == std::vector<float>{0, 0, 0});
    NeighbourIndex alike(table(3, 1, {5, 5, 5}), Metric::cosine, 1);
    CHECK(alike.local_scales({2, 0}) == std::vector<float>{0, 0});
    CHECK(alike.local_scales({}).empty());
    CHECK_THROWS_WITH(alike.local_scales({3}), contains("row 3 asked for, 0 to 2 there"));
    CHECK_THROWS_AS(alike.local_scales({-2}), stackae::InvalidArgument);
}

TEST_CASE("With local scales a neighbour counts for the more, the nearer it is in them") {
    const Metric metric = GENERATE(Metric::l2, Metric::cosine);
    const Tensor vectors = random_vectors(300, 5, 41);
    const Tensor queries = random_vectors(50, 5, 42);
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < vectors.rows(); ++i) {
        labels.push_back(i % 4);
    }
    const std::int64_t k = GENERATE(1, 7, 50);
    NeighbourIndex index(vectors, metric, 1);
    const Neighbours found = index.search(queries, k);
    const std::vector<float> scales = index.local_scales(found.rows);
    const auto winners = stackae::vote(found, labels, scales);
    for (std::int64_t query = 0; query < queries.rows(); ++query) {
        const auto euclidean = [&](std::int64_t j) {
            const double distance = naive_distance(
                queries, query, vectors, found.rows[static_cast<std::size_t>(query * k + j)], metric);
            return metric == Metric::l2 ? distance : std::sqrt(2.0 * std::max(distance, 0.0));
        };
        std::vector<double> weights(4);
        for (std::int64_t j = 0; j < k; ++j) {
            const auto place = static_cast<std::size_t>(query * k + j);
            const double ratio = double{scales[place]} / std::pow(euclidean(j), 2.0);
            weights[static_cast<std::size_t>(found.rows[place] % 4)] += std::pow(ratio, 8.0);
        }
        const auto most = std::max_element(weights.begin(), weights.end());
        CHECK(winners[static_cast<std::size_t>(query)] == most - weights.begin());
    }
}

TEST_CASE("However many entries are alike, each vector that is there is told by itself") {
    Tensor vectors = random_vectors(1000, 8, 51);
    std::vector<std::int64_t> labels(1000, -2);  // the crowd
    for (std::int64_t i = 100; i < 1000; ++i) {
        std::copy_n(vectors.row(0).begin(), 8, vectors.row(i).begin());
    }
    std::iota(labels.begin() + 1, labels.begin() + 100, 1);
    const Metric metric = GENERATE(Metric::l2, Metric::cosine);
    NeighbourIndex index(vectors, metric, 2);
    Tensor queries({99, 8});
    for (std::int64_t i = 0; i < 99; ++i) {
        std::copy_n(vectors.row(i + 1).begin(), 8, queries.row(i).begin());
    }
    const std::int64_t k = GENERATE(2, 50, 1000);
    const Neighbours found = index.search(queries, k);
    const auto winners = stackae::vote(found, labels, index.local_scales(found.rows));
    for (std::size_t i = 0; i < winners.size(); ++i) {
        CHECK(winners[i] == static_cast<std::int64_t>(i) + 1);
    }
}

TEST_CASE("A vector that is near to everything counts for less") {
    // The hub lies in a crowd of its own kind, the other by itself, a little farther from the query.
    std::vector<float> places(20, 0.0F);
    for (std::size_t i = 0; i < 20; ++i) {
        places[i] = 0.01F * static_cast<float>(i);
    }
    places.insert(places.end(), {2.115F, 3.4F, 4.5F});
    std::vector<std::int64_t> labels(20, 0);
    labels.insert(labels.end(), {1, 1, 1});
    NeighbourIndex index(table(23, 1, places), Metric::l2, 1);
    const Neighbours found = index.search(table(1, 1, {1.15F}), 5);
    REQUIRE(found.rows.front() == 19);
    CHECK(stackae::vote(found, labels) == std::vector<std::int64_t>{0});
    CHECK(stackae::vote(found, labels, index.local_scales(found.rows)) == std::vector<std::int64_t>{1});
}

TEST_CASE("Neighbours at a distance of 0 outvote all others") {
    const Neighbours found{2,
                           12,
                           {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -1},
                           std::vector<float>(24, 0.0F)};
    Neighbours apart = found;
    apart.distances[11] = 1.0F;
    std::fill(apart.distances.begin() + 13, apart.distances.end(), 0.5F);
    const std::vector<std::int64_t> labels = {3, 3, 3, 4, 4, 4, 4, 3, 3, 3, 3, 9};
    const std::vector<float> scales(24, 1.0F);
    CHECK(stackae::vote(found, labels, scales) == std::vector<std::int64_t>{3, 3});
    CHECK(stackae::vote(apart, {0, 0, 0, 1, 1, 1, 1, 0, 1, 1, 1, 2}, scales) ==
          std::vector<std::int64_t>{1, 0});
    CHECK_THROWS_WITH(stackae::vote(found, labels, {1.0F}), contains("1 scales found for 24 neighbours"));
}

TEST_CASE("Ways of voting are known by name") {
    CHECK(stackae::parse<Vote>("majority") == Vote::majority);
    CHECK(std::string(stackae::name(Vote::weighted)) == "weighted");
    CHECK_THROWS_WITH(stackae::parse<Vote>("most"), contains("weighted or majority expected"));
}

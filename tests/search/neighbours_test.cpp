#include "stackae/neighbours.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "stackae/error.hpp"

#include "search/vectors.hpp"
#include "support/catch.hpp"

namespace {

using stackae::Metric;
using stackae::NeighbourIndex;
using stackae::Neighbours;
using stackae::Tensor;
using stackae::test::contains;
using stackae::test::naive_distance;
using stackae::test::random_vectors;
using stackae::test::table;

using Ranking = std::vector<std::pair<double, std::int64_t>>;

/// All rows that are admitted, nearest first.
template <class Admit>
Ranking naive_ranking(const Tensor& queries, std::int64_t query, const Tensor& vectors, Metric metric,
                      Admit admit) {
    Ranking ranking;
    for (std::int64_t row = 0; row < vectors.rows(); ++row) {
        if (admit(row)) {
            ranking.emplace_back(naive_distance(queries, query, vectors, row, metric), row);
        }
    }
    std::sort(ranking.begin(), ranking.end());
    return ranking;
}

void check_query(const Neighbours& found, std::int64_t query, const Ranking& expected) {
    for (std::int64_t j = 0; j < found.k; ++j) {
        const auto place = static_cast<std::size_t>(query * found.k + j);
        CAPTURE(query, j);
        if (static_cast<std::size_t>(j) >= expected.size()) {
            REQUIRE(found.rows[place] == -1);
            REQUIRE(std::isinf(found.distances[place]));
            continue;
        }
        const auto& [distance, row] = expected[static_cast<std::size_t>(j)];
        REQUIRE(found.rows[place] == row);
        REQUIRE(found.distances[place] == Approx(distance).margin(2e-7));
    }
}

void check_search(const Tensor& vectors, const Tensor& queries, Metric metric, std::int64_t k,
                  int threads = 2) {
    NeighbourIndex index(vectors, metric, threads);
    const Neighbours found = index.search(queries, k);
    REQUIRE(found.queries == queries.rows());
    REQUIRE(found.k == std::min(k, vectors.rows()));
    REQUIRE(found.rows.size() == static_cast<std::size_t>(found.queries * found.k));
    for (std::int64_t query = 0; query < queries.rows(); ++query) {
        check_query(found, query,
                    naive_ranking(queries, query, vectors, metric, [](std::int64_t) { return true; }));
    }
}

}  // namespace

TEST_CASE("The neighbours are those of a naive search, at the blocks' edges too") {
    const auto metric = GENERATE(Metric::l2, Metric::cosine);
    const auto n = GENERATE(1, 3, 16, 17, 1023, 1024, 1025, 2100);
    const auto m = GENERATE(1, 16, 17, 258);
    CAPTURE(n, m);
    check_search(random_vectors(n, 9, 1), random_vectors(m, 9, 2), metric, 5);
}

TEST_CASE("Many queries of many vectors have the neighbours of a naive search, however alike these are") {
    const auto metric = GENERATE(Metric::l2, Metric::cosine);
    // From clear distances to ones that few digits cannot tell apart.
    const auto offset = GENERATE(0.0F, 3.0F, 100.0F);
    CAPTURE(offset);
    Tensor vectors = random_vectors(4500, 8, 21, offset);
    std::fill_n(vectors.row(4100).data(), 8, 0.0F);
    std::copy_n(vectors.row(7).data(), 8, vectors.row(4200).data());
    Tensor queries = random_vectors(600, 8, 22, offset);
    std::fill_n(queries.row(300).data(), 8, 0.0F);
    std::copy_n(vectors.row(7).data(), 8, queries.row(599).data());
    if (metric == Metric::cosine && offset == 100.0F) {
        // Cosines of a distance of 1e-5, of which float vectors of length 1 hold two digits.
        NeighbourIndex index(vectors, metric, 2);
        const Neighbours found = index.search(queries, 1);
        CHECK(found.rows[599] == 7);
        return;
    }
    check_search(vectors, queries, metric, 7);
}

TEST_CASE("Many vectors among themselves leave out the vector, and its group") {
    const Tensor vectors = random_vectors(4200, 6, 23);
    std::vector<std::int64_t> groups(4200);
    for (std::size_t i = 0; i < groups.size(); ++i) {
        groups[i] = static_cast<std::int64_t>(i / 3);
    }
    NeighbourIndex index(vectors, Metric::l2, 2);
    const Neighbours found = index.search_self(4, groups);
    for (std::int64_t query = 0; query < 4200; query += 7) {
        check_query(found, query, naive_ranking(vectors, query, vectors, Metric::l2, [&](std::int64_t row) {
                        return groups[static_cast<std::size_t>(row)] !=
                               groups[static_cast<std::size_t>(query)];
                    }));
    }
}

TEST_CASE("Vectors whose group holds the nearest of the first rows find others all the same") {
    constexpr std::int64_t group_size = 500;
    Tensor vectors = random_vectors(2500, 6, 24);
    std::vector<std::int64_t> groups(2500);
    for (std::int64_t i = 0; i < vectors.rows(); ++i) {
        groups[static_cast<std::size_t>(i)] = i / group_size;
        vectors.row(i)[0] += 20.0F * static_cast<float>(i / group_size);
    }
    const auto k = GENERATE(std::int64_t{1}, std::int64_t{64}, std::int64_t{65}, std::int64_t{2400});
    CAPTURE(k);
    NeighbourIndex index(vectors, Metric::l2, 2);
    const Neighbours found = index.search_self(k, groups);
    for (std::int64_t query = 0; query < 2500; query += 101) {
        check_query(found, query, naive_ranking(vectors, query, vectors, Metric::l2, [&](std::int64_t row) {
                        return row / group_size != query / group_size;
                    }));
    }
}

TEST_CASE("A vector's own score is no bound for those of others that roundings may confuse") {
    Tensor vectors({64, 1});
    std::fill_n(vectors.data(), 64, 100.0F);
    vectors.data()[0] = 1000.0F;
    vectors.data()[1] = 998.127075F;
    vectors.data()[2] = 1001.87299F;
    NeighbourIndex index(vectors, Metric::l2, 1);
    CHECK(index.search_self(1, {}, {0}).rows.front() == 1);
}

TEST_CASE("Any number of neighbours can be asked for, up to all") {
    const auto metric = GENERATE(Metric::l2, Metric::cosine);
    const auto k = GENERATE(1, 2, 7, 50, 1100, 5000);
    CAPTURE(k);
    check_search(random_vectors(1100, 5, 3), random_vectors(6, 5, 4), metric, k);
}

TEST_CASE("Vectors far from the origin keep their order and their distances") {
    // ‖x‖² is 16 million here and the distances are about 4: a float holds no more than the first digit.
    check_search(random_vectors(1500, 16, 5, 1000.0F), random_vectors(20, 16, 6, 1000.0F), Metric::l2, 10);
}

TEST_CASE("A vector that is in the index is found at distance exactly 0") {
    const auto metric = GENERATE(Metric::l2, Metric::cosine);
    const Tensor vectors = random_vectors(1300, 33, 7, 10.0F);
    NeighbourIndex index(vectors, metric, 2);
    const Neighbours found = index.search(vectors, 1);
    for (std::int64_t i = 0; i < vectors.rows(); ++i) {
        REQUIRE(found.rows[static_cast<std::size_t>(i)] == i);
        REQUIRE(found.distances[static_cast<std::size_t>(i)] == 0.0F);
    }
}

TEST_CASE("Equally near vectors come in the order of their rows") {
    const auto metric = GENERATE(Metric::l2, Metric::cosine);
    // Every vector three times, 700 rows apart.
    const Tensor part = random_vectors(700, 8, 8);
    Tensor vectors({2100, 8});
    for (std::int64_t copy = 0; copy < 3; ++copy) {
        std::copy_n(part.data(), part.size(), vectors.data() + copy * part.size());
    }
    NeighbourIndex index(vectors, metric, 2);
    const Neighbours found = index.search(part, 3);
    for (std::int64_t i = 0; i < 700; ++i) {
        for (std::int64_t copy = 0; copy < 3; ++copy) {
            REQUIRE(found.rows[static_cast<std::size_t>(3 * i + copy)] == i + 700 * copy);
        }
    }
}

TEST_CASE("A collection of nothing but duplicates is searched too") {
    Tensor vectors({1500, 4});
    for (float& value : vectors.values()) {
        value = 0.1F;
    }
    NeighbourIndex index(vectors, Metric::l2, 2);
    const Neighbours found = index.search_self(3);
    CHECK(found.rows[0] == 1);
    CHECK(found.rows[1] == 2);
    CHECK(found.rows[3] == 0);
    CHECK(found.rows[4] == 2);
    CHECK(std::all_of(found.distances.begin(), found.distances.end(), [](float d) { return d == 0.0F; }));
}

TEST_CASE("By cosine, vectors of zeros are alike, and at a distance of 1 from all others") {
    const Tensor vectors = table(5, 2, {0, 2, 1, 0, -1, 0, 0, 0, 0, 0});
    NeighbourIndex index(vectors, Metric::cosine, 1);
    const Neighbours found = index.search(table(2, 2, {3, 0, 0, 0}), 5);
    CHECK(found.rows == std::vector<std::int64_t>{1, 0, 3, 4, 2, 3, 4, 0, 1, 2});
    CHECK(found.distances == std::vector<float>{0, 1, 1, 1, 2, 0, 0, 1, 1, 1});
    const Neighbours own = index.search_self(1);
    CHECK(own.rows == std::vector<std::int64_t>{1, 0, 0, 4, 3});
    CHECK(own.distances == std::vector<float>{1, 1, 1, 0, 0});
    NeighbourIndex without(table(2, 2, {1, 0, 0, 1}), Metric::cosine, 1);
    CHECK(without.search(table(1, 2, {0, 0}), 2).distances == std::vector<float>{1, 1});
}

TEST_CASE("Vectors of zeros are found exactly among many, by few queries and by many") {
    const std::int64_t queries = GENERATE(3, 300);  // many are scanned coarsely first
    const auto with_zeros = [](Tensor vectors, std::int64_t step) {
        for (std::int64_t i = 0; i < vectors.rows(); i += step) {
            std::fill_n(vectors.row(i).data(), vectors.columns(), 0.0F);
        }
        return vectors;
    };
    check_search(with_zeros(random_vectors(4200, 16, 5), 700), with_zeros(random_vectors(queries, 16, 6), 50),
                 Metric::cosine, 5);
}

TEST_CASE("A search among the vectors themselves leaves out the vector, and its group") {
    const auto metric = GENERATE(Metric::l2, Metric::cosine);
    const auto n = GENERATE(2, 40, 1030);
    const bool grouped = GENERATE(false, true);
    CAPTURE(n, grouped);
    const Tensor vectors = random_vectors(n, 6, 9);
    std::vector<std::int64_t> groups;
    for (std::int64_t i = 0; grouped && i < n; ++i) {
        groups.push_back(i % 3 == 0 ? 70 : i % 5);
    }
    NeighbourIndex index(vectors, metric, 2);
    const Neighbours found = index.search_self(4, groups);
    CHECK(found.k == std::min(4, n - 1));
    for (std::int64_t query = 0; query < n; ++query) {
        const auto admit = [&](std::int64_t row) {
            return row != query && (!grouped || groups[static_cast<std::size_t>(row)] !=
                                                    groups[static_cast<std::size_t>(query)]);
        };
        check_query(found, query, naive_ranking(vectors, query, vectors, metric, admit));
    }
}

TEST_CASE("A search among the vectors themselves can be asked of some of them") {
    const Tensor vectors = random_vectors(1100, 6, 13);
    std::vector<std::int64_t> groups;
    for (std::int64_t i = 0; i < 1100; ++i) {
        groups.push_back(i % 4);
    }
    NeighbourIndex index(vectors, Metric::l2, 2);
    const Neighbours all = index.search_self(3, groups);
    const std::vector<std::int64_t> rows = {1099, 5, 5, 700};
    const Neighbours some = index.search_self(3, groups, rows);
    REQUIRE(some.queries == 4);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto place = 3 * static_cast<std::ptrdiff_t>(i);
        CHECK(std::equal(some.rows.begin() + place, some.rows.begin() + place + 3,
                         all.rows.begin() + 3 * rows[i]));
    }
    CHECK_THROWS_WITH(index.search_self(1, {}, {0, 1100}), contains("row 1100"));
}

TEST_CASE("A group that is the whole index has no neighbours") {
    NeighbourIndex index(random_vectors(5, 2, 10), Metric::l2, 1);
    const Neighbours found = index.search_self(2, {1, 1, 1, 1, 1});
    CHECK(std::all_of(found.rows.begin(), found.rows.end(), [](std::int64_t row) { return row == -1; }));
    CHECK(stackae::vote(found, {0, 0, 0, 0, 0}) == std::vector<std::int64_t>{-1, -1, -1, -1, -1});
}

TEST_CASE("A picture has the same neighbours alone and among others, at any number of threads") {
    const Tensor vectors = random_vectors(3000, 20, 11);
    const Tensor queries = random_vectors(300, 20, 12);
    NeighbourIndex one(vectors, Metric::l2, 1);
    NeighbourIndex two(vectors, Metric::l2, 2);
    const Neighbours all = one.search(queries, 4);
    const Neighbours threaded = two.search(queries, 4);
    CHECK(all.rows == threaded.rows);
    CHECK(all.distances == threaded.distances);
    for (const std::int64_t i : {0, 17, 299}) {
        Tensor single({1, 20});
        std::copy_n(queries.row(i).begin(), 20, single.data());
        const Neighbours alone = two.search(single, 4);
        CHECK(std::equal(alone.rows.begin(), alone.rows.end(), all.rows.begin() + 4 * i));
        CHECK(std::equal(alone.distances.begin(), alone.distances.end(), all.distances.begin() + 4 * i));
    }
}

TEST_CASE("An index still answers after it was moved") {
    NeighbourIndex first(table(2, 1, {0, 10}), Metric::l2, 1);
    NeighbourIndex second = std::move(first);
    CHECK(second.search(table(1, 1, {9}), 1).rows == std::vector<std::int64_t>{1});
    CHECK(second.size() == 2);
}

TEST_CASE("Searches that make no sense are refused") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_AS(NeighbourIndex(Tensor(), Metric::l2), stackae::InvalidArgument);
    CHECK_THROWS_WITH(NeighbourIndex(table(2, 1, {0, nan}), Metric::l2), contains("vector 1"));
    NeighbourIndex index(table(2, 1, {0, 1}), Metric::l2, 1);
    CHECK_THROWS_WITH(index.search(table(1, 2, {0, 0}), 1), contains("2 values found, 1 expected"));
    CHECK_THROWS_AS(index.search(table(1, 1, {0}), 0), stackae::InvalidArgument);
    CHECK_THROWS_WITH(index.search(table(1, 1, {nan}), 1), contains("query 0"));
    CHECK_THROWS_AS(index.search_self(1, {1, 2, 3}), stackae::InvalidArgument);
}

TEST_CASE("No queries give no neighbours") {
    NeighbourIndex index(table(2, 1, {0, 1}), Metric::l2, 1);
    const Neighbours found = index.search(Tensor({0, 1}), 2);
    CHECK(found.queries == 0);
    CHECK(found.rows.empty());
}

TEST_CASE("Metrics are known by name") {
    CHECK(stackae::parse<Metric>("l2") == Metric::l2);
    CHECK(stackae::parse<Metric>("cosine") == Metric::cosine);
    CHECK(std::string(stackae::name(Metric::cosine)) == "cosine");
    CHECK_THROWS_WITH(stackae::parse<Metric>("euclid"), contains("l2 or cosine expected"));
}

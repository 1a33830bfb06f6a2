#include "search/inverted_file.hpp"

#include <random>
#include <set>

#include "base/rows.hpp"
#include "support/catch.hpp"

namespace stackae::search {
namespace {

constexpr std::int64_t dimension = 16;

/// Of length 1, about some directions.
Tensor clustered(std::int64_t count, std::uint32_t seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    Tensor directions({40, dimension});
    for (float& value : directions.values()) {
        value = normal(generator);
    }
    Tensor vectors({count, dimension});
    for (std::int64_t i = 0; i < count; ++i) {
        const auto direction = directions.row(i % directions.rows());
        std::transform(direction.begin(), direction.end(), vectors.row(i).begin(),
                       [&](float value) { return value + 0.9F * normal(generator); });
        base::l2_normalize(vectors.row(i), vectors.row(i));
    }
    return vectors;
}

}  // namespace

TEST_CASE("An inverted file finds nearly all neighbours that there are, the vector itself first") {
    const Tensor vectors = clustered(6'000, 1);
    InvertedFile file(vectors, 2);
    NeighbourIndex all(vectors, Metric::cosine, 2);
    const Tensor queries = base::gather_rows(vectors, base::spread_rows(vectors.rows(), 300));
    constexpr std::int64_t k = 7;
    const Neighbours found = file.search(queries, k);
    const Neighbours expected = all.search(queries, k);
    CHECK(found.queries == 300);
    CHECK(found.metric == Metric::cosine);
    std::int64_t same = 0;
    for (std::size_t i = 0; i < 300; ++i) {
        const auto of = [&](const Neighbours& neighbours) {
            return std::set(neighbours.rows.begin() + static_cast<std::ptrdiff_t>(i * k),
                            neighbours.rows.begin() + static_cast<std::ptrdiff_t>((i + 1) * k));
        };
        const std::set<std::int64_t> right = of(expected);
        for (const std::int64_t row : of(found)) {
            same += right.contains(row) ? 1 : 0;
        }
        CHECK(found.rows[i * k] == expected.rows[i * k]);
        CHECK(double{found.distances[i * k]} == Approx(0.0).margin(1e-5));
        CHECK(std::is_sorted(found.distances.begin() + static_cast<std::ptrdiff_t>(i * k),
                             found.distances.begin() + static_cast<std::ptrdiff_t>((i + 1) * k)));
    }
    CHECK(same >= 300 * k * 9 / 10);
    CHECK(same < 300 * k);  // else all lists were looked at
    CHECK(InvertedFile(vectors, 1).search(queries, k).rows == found.rows);
}

TEST_CASE("An inverted file tells nothing that is less alike than asked for") {
    const Tensor vectors = clustered(3'000, 3);
    InvertedFile file(vectors, 1);
    const Neighbours all = file.search(vectors, 5);
    const Neighbours near = file.search(vectors, 5, 0.8);
    std::int64_t left_out = 0;
    for (std::size_t i = 0; i < all.rows.size(); ++i) {
        const bool is_near = double{all.distances[i]} < 0.2 - 1e-6;
        if (is_near || double{all.distances[i]} > 0.2 + 1e-6) {
            CHECK(near.rows[i] == (is_near ? all.rows[i] : -1));
            left_out += is_near ? 0 : 1;
        }
    }
    CHECK(left_out > 100);
    CHECK(left_out < 12'000);
}

TEST_CASE("An inverted file of few vectors has no more neighbours than there are") {
    const Tensor vectors = clustered(5, 2);
    const Neighbours found = InvertedFile(vectors, 1).search(vectors, 8);
    for (std::size_t i = 0; i < 5; ++i) {
        const auto row = found.rows.begin() + static_cast<std::ptrdiff_t>(i * 8);
        CHECK(std::set(row, row + 5) == std::set<std::int64_t>{0, 1, 2, 3, 4});
        CHECK(std::all_of(row + 5, row + 8, [](std::int64_t other) { return other == -1; }));
    }
}

}  // namespace stackae::search

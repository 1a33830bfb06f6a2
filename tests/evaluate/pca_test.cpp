#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"

#include "support/catch.hpp"

namespace {

using stackae::Pca;
using stackae::Tensor;
using stackae::test::contains;

/// Rows on a few random directions of falling weight, away from the origin, with a little noise.
Tensor correlated(std::int64_t n, std::int64_t d, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    constexpr int directions = 4;
    Tensor basis({directions, d});
    for (float& value : basis.values()) {
        value = normal(generator);
    }
    Tensor rows({n, d});
    for (std::int64_t i = 0; i < n; ++i) {
        for (float& value : rows.row(i)) {
            value = 5.0F + 0.01F * normal(generator);
        }
        for (int b = 0; b < directions; ++b) {
            const float weight = normal(generator) / static_cast<float>(1 + b);
            for (std::size_t j = 0; j < static_cast<std::size_t>(d); ++j) {
                rows.row(i)[j] += weight * basis.row(b)[j];
            }
        }
    }
    return rows;
}

double dot(std::span<const float> a, std::span<const float> b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += double{a[i]} * double{b[i]};
    }
    return sum;
}

void check_orthonormal(const Pca& pca) {
    for (std::int64_t i = 0; i < pca.components.rows(); ++i) {
        for (std::int64_t j = 0; j <= i; ++j) {
            CAPTURE(i, j);
            REQUIRE(dot(pca.components.row(i), pca.components.row(j)) ==
                    Approx(i == j ? 1.0 : 0.0).margin(1e-5));
        }
    }
}

double reconstruction_error(const Pca& pca, const Tensor& rows) {
    const Tensor decoded = pca.decode(pca.encode(rows));
    double sum = 0.0;
    for (std::int64_t i = 0; i < rows.size(); ++i) {
        const double difference = double{decoded.data()[i]} - double{rows.data()[i]};
        sum += difference * difference;
    }
    return sum / static_cast<double>(rows.rows());
}

}  // namespace

TEST_CASE("Principal components of points near a line are the line and its normal") {
    // Along (3, 4)/5 by −2, −1, 1, 2 and across by ∓0.1, ±0.1, around (10, 20).
    Tensor rows({4, 2});
    const std::vector<double> along = {-2, -1, 1, 2};
    const std::vector<double> across = {0.1, -0.2, -0.2, 0.1};
    for (std::size_t i = 0; i < 4; ++i) {
        rows.row(static_cast<std::int64_t>(i))[0] = static_cast<float>(10 + 0.6 * along[i] - 0.8 * across[i]);
        rows.row(static_cast<std::int64_t>(i))[1] = static_cast<float>(20 + 0.8 * along[i] + 0.6 * across[i]);
    }
    const Pca pca = Pca::fit(rows, 2);
    CHECK(pca.mean.data()[0] == Approx(10.04));
    CHECK(pca.mean.data()[1] == Approx(19.97));
    CHECK(pca.components.row(0)[0] == Approx(0.6).margin(1e-5));
    CHECK(pca.components.row(0)[1] == Approx(0.8).margin(1e-5));
    // The normal is (−0.8, 0.6) or its opposite: the larger entry is positive.
    CHECK(pca.components.row(1)[0] == Approx(0.8).margin(1e-5));
    CHECK(pca.components.row(1)[1] == Approx(-0.6).margin(1e-5));
    const Tensor codes = pca.encode(rows);
    CHECK(codes.row(3)[0] == Approx(2.0).margin(1e-4));
    CHECK(codes.row(3)[1] == Approx(-0.15).margin(1e-4));
}

TEST_CASE("Components are orthonormal and few of them explain correlated values") {
    // More rows than values, and fewer.
    const auto [n, d] = GENERATE(std::pair<int, int>{1500, 40}, std::pair<int, int>{60, 200});
    const Tensor rows = correlated(n, d, 1);
    const Pca four = Pca::fit(rows, 4);
    check_orthonormal(four);
    CHECK(four.components.shape() == std::vector<std::int64_t>{4, d});
    CHECK(reconstruction_error(four, rows) < 0.0001 * d);
    const double three = reconstruction_error(Pca::fit(rows, 3), rows);
    CHECK(three > 10.0 * reconstruction_error(four, rows));
    CHECK(reconstruction_error(Pca::fit(rows, 1), rows) > three);
}

TEST_CASE("All components together lose nothing") {
    const auto [n, d] = GENERATE(std::pair<int, int>{100, 12}, std::pair<int, int>{20, 50});
    const Tensor rows = correlated(n, d, 2);
    const Pca pca = Pca::fit(rows, std::min(n - 1, d));  // around their mean, n rows vary in n − 1 directions
    check_orthonormal(pca);
    CHECK(reconstruction_error(pca, rows) < 1e-7);
}

TEST_CASE("Past the directions in which rows vary, components are zeros, not NaN") {
    const auto [n, d] = GENERATE(std::pair<int, int>{10, 4}, std::pair<int, int>{4, 10});
    Tensor rows({n, d});
    for (float& value : rows.values()) {
        value = 0.3F;
    }
    const Pca pca = Pca::fit(rows, 4);
    CHECK(pca.components.rows() == 4);
    CHECK(reconstruction_error(pca, rows) < 1e-10);
    for (std::int64_t i = 1; i < 4; ++i) {
        CHECK(dot(pca.components.row(i), pca.components.row(i)) == 0.0);
    }
}

TEST_CASE("Many values are reduced as exactly as few") {
    // Rows ±a e_j: the components are the axes, the variances 2 a² / n. Large enough for the iteration.
    constexpr std::int64_t d = 1200;
    Tensor rows({2 * d, d});
    for (std::int64_t j = 0; j < d; ++j) {
        const float a = 10.0F / static_cast<float>(1 + (j * 7) % d);
        rows.row(2 * j)[static_cast<std::size_t>(j)] = a;
        rows.row(2 * j + 1)[static_cast<std::size_t>(j)] = -a;
    }
    const Pca pca = Pca::fit(rows, 10);
    check_orthonormal(pca);
    for (std::int64_t c = 0; c < 10; ++c) {
        const auto component = pca.components.row(c);
        const auto largest = std::max_element(component.begin(), component.end());
        CAPTURE(c);
        CHECK(((largest - component.begin()) * 7) % d == c);
        CHECK(*largest == Approx(1.0).margin(1e-3));
    }
    double rest = 0.0;
    for (std::int64_t c = 10; c < d; ++c) {
        rest += 2.0 * 100.0 / static_cast<double>((c + 1) * (c + 1)) / static_cast<double>(2 * d);
    }
    CHECK(reconstruction_error(pca, rows) == Approx(rest).epsilon(1e-4));
}

TEST_CASE("The same rows give the same components at any number of threads") {
    const Tensor rows = correlated(1100, 30, 3);
    const Pca one = Pca::fit(rows, 5, 1);
    const Pca two = Pca::fit(rows, 5, 2);
    CHECK(std::equal(one.components.values().begin(), one.components.values().end(),
                     two.components.values().begin(),
                     [](float a, float b) { return std::abs(a - b) < 1e-5F; }));
}

TEST_CASE("Principal components that cannot be are refused") {
    const Tensor rows = correlated(5, 3, 4);
    CHECK_THROWS_WITH(Pca::fit(rows, 4), contains("1 to 3 possible with 5 rows of 3 values"));
    CHECK_THROWS_AS(Pca::fit(rows, 0), stackae::InvalidArgument);
    CHECK_THROWS_AS(Pca::fit(Tensor(), 1), stackae::InvalidArgument);
    const Pca pca = Pca::fit(rows, 2);
    CHECK_THROWS_WITH(pca.encode(correlated(5, 4, 5)), contains("4 values found, 3 expected"));
    CHECK_THROWS_WITH(pca.decode(correlated(5, 3, 5)), contains("3 values found, 2 expected"));
}

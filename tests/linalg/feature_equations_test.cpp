#include "linalg/feature_equations.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "linalg/normal_equations.hpp"
#include "support/catch.hpp"

using namespace stackae;
using linalg::FeatureEquations;
using linalg::NormalEquations;
using linalg::StandardScaler;

namespace {

constexpr std::int64_t classes = 4;  // the last has no rows

/// Rows that vary far more in some directions than in others, of overlapping classes.
struct Data {
    Tensor rows;
    std::vector<std::int64_t> labels;
    StandardScaler scale;

    Data(std::int64_t n, std::int64_t d) : rows({n, d}) {
        std::mt19937 generator(4);
        std::normal_distribution<float> normal;
        for (std::int64_t i = 0; i < n; ++i) {
            const auto row = rows.row(i);
            labels.push_back(i % 11 % 3);
            const float common = normal(generator);
            for (std::size_t j = 0; j < row.size(); ++j) {
                row[j] = common + normal(generator) / static_cast<float>(1 + j % 17) +
                         (j % 3 == static_cast<std::size_t>(labels.back()) ? 0.3F : 0.0F);
            }
        }
        scale = StandardScaler::fit(rows);
    }

    [[nodiscard]] std::vector<std::int64_t> places(std::int64_t first, std::int64_t last) const {
        std::vector<std::int64_t> rows_of(static_cast<std::size_t>(last - first));
        std::iota(rows_of.begin(), rows_of.end(), first);
        return rows_of;
    }
};

/// Length of the difference as a share of the first's.
double apart(std::span<const float> a, std::span<const float> b) {
    double squares = 0.0;
    double all = 0.0;
    for (std::size_t j = 0; j < a.size(); ++j) {
        squares += std::pow(double{a[j]} - double{b[j]}, 2.0);
        all += double{a[j]} * double{a[j]};
    }
    return std::sqrt(squares / all);
}

}  // namespace

TEST_CASE("Conjugate gradients on the rows find what the normal equations have for a solution") {
    const Data data(500, 300);
    FeatureEquations found({data.rows, data.scale}, data.labels, classes, 2);
    NormalEquations expected({data.rows, data.scale}, data.labels, classes, 2);
    found.add(data.places(0, 400));
    expected.add(data.places(0, 400));
    // Rising, as they are meant to be, then back; then with rows that come later.
    for (const double c : {0.1, 1.0, 30.0, 3.0}) {
        CAPTURE(c);
        const Tensor weights = found.solve(c);
        const Tensor exact = expected.solve(c);
        for (std::int64_t k = 0; k < 3; ++k) {
            CHECK(apart(exact.row(k), weights.row(k)) < 0.05);
        }
        CHECK(std::all_of(weights.row(3).begin(), weights.row(3).end(), [](float w) { return w == 0.0F; }));
    }
    const Tensor before = found.solve(3.0);
    found.add(data.places(400, 500));
    expected.add(data.places(400, 500));
    const Tensor weights = found.solve(3.0);
    const Tensor exact = expected.solve(3.0);
    for (std::int64_t k = 0; k < 3; ++k) {
        CHECK(found.count(k) == expected.count(k));
        CHECK(apart(exact.row(k), weights.row(k)) < 0.05);
        CHECK(apart(exact.row(k), before.row(k)) > 0.05);
    }
    CHECK(found.count(3) == 0);
}

TEST_CASE("Conjugate gradients on the rows are the same at any number of threads") {
    const Data data(700, 90);
    FeatureEquations one({data.rows, data.scale}, data.labels, classes, 1);
    FeatureEquations two({data.rows, data.scale}, data.labels, classes, 2);
    one.add(data.places(0, 700));
    two.add(data.places(0, 700));
    const Tensor alone = one.solve(5.0);
    const Tensor together = two.solve(5.0);
    CHECK(std::equal(alone.data(), alone.data() + alone.size(), together.data()));
}

TEST_CASE("Wide rows of few classes suit conjugate gradients, and take memory with their width alone") {
    CHECK(FeatureEquations::suits(100'000, 32'769, 10));
    CHECK_FALSE(FeatureEquations::suits(100'000, 16'385, 10));
    CHECK_FALSE(FeatureEquations::suits(100'000, 8'193, 10));
    CHECK_FALSE(FeatureEquations::suits(100'000, 16'385, 100));
    CHECK_FALSE(FeatureEquations::suits(2'000, 32'769, 10));
    const std::int64_t bytes = FeatureEquations::memory_bytes(32'769, 10, 2);
    CHECK(bytes < std::int64_t{512} << 20);
    CHECK(FeatureEquations::memory_bytes(65'537, 10, 2) < 2 * bytes + (1 << 20));
}

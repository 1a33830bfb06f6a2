#include "linalg/normal_equations.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <linear.h>
#include <numeric>
#include <random>
#include <span>
#include <vector>

#include "support/catch.hpp"

namespace {

using stackae::Tensor;
using stackae::linalg::NormalEquations;
using stackae::linalg::StandardisedRows;
using stackae::linalg::StandardScaler;

using Labels = std::vector<std::int64_t>;

struct Data {
    Tensor rows;
    Labels labels;
    std::int64_t classes;
    StandardScaler scale = StandardScaler::fit(rows);

    [[nodiscard]] std::int64_t size() const { return std::ssize(labels); }
    [[nodiscard]] StandardisedRows standardised() const { return {rows, scale}; }
    [[nodiscard]] std::vector<float> z(std::int64_t i) const {
        std::vector<float> values(static_cast<std::size_t>(scale.width()));
        standardised().copy(i, values.data());
        return values;
    }
    [[nodiscard]] double y(std::int64_t i, std::int64_t of_class) const {
        return labels[static_cast<std::size_t>(i)] == of_class ? 1.0 : -1.0;
    }
};

/// Clouds of deviation 1 around random centres, that overlap; column j is scaled by 1 to 3.
Data overlapping(std::int64_t n, std::int64_t d, std::int64_t classes, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    const float spread = 2.0F / std::sqrt(static_cast<float>(d));
    Tensor centres({classes, d});
    std::generate(centres.values().begin(), centres.values().end(),
                  [&] { return spread * normal(generator); });
    Tensor rows({n, d});
    Labels labels;
    for (std::int64_t i = 0; i < n; ++i) {
        // The first class is the largest, the last the smallest.
        const std::int64_t label = std::min(i % classes, (i / classes) % classes);
        const auto row = rows.row(i);
        for (std::int64_t j = 0; j < d; ++j) {
            const auto place = static_cast<std::size_t>(j);
            row[place] = static_cast<float>(1 + j % 3) * (centres.row(label)[place] + normal(generator));
        }
        labels.push_back(label);
    }
    return {std::move(rows), std::move(labels), classes};
}

std::vector<std::int64_t> places(std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(last - first));
    std::iota(rows.begin(), rows.end(), first);
    return rows;
}

Tensor solve(const Data& data, double c, int threads = 1) {
    NormalEquations equations(data.standardised(), data.labels, data.classes, threads);
    equations.add(places(0, data.size()));
    return equations.solve(c);
}

void ignore(const char* /*text*/) {}

/// LIBLINEAR's `-s 11` (support vector regression of squared loss) without a margin, which is the same, with
/// C = c / n.
Tensor solve_by_liblinear(const Data& data, double c) {
    const std::int64_t width = data.scale.width();
    std::vector<std::vector<feature_node>> nodes;
    std::vector<feature_node*> starts;
    for (std::int64_t i = 0; i < data.size(); ++i) {
        auto& row = nodes.emplace_back();
        const std::vector<float> z = data.z(i);
        for (std::int64_t j = 0; j < width; ++j) {
            row.push_back({static_cast<int>(j + 1), double{z[static_cast<std::size_t>(j)]}});
        }
        row.push_back({-1, 0.0});
    }
    std::transform(nodes.begin(), nodes.end(), std::back_inserter(starts),
                   [](std::vector<feature_node>& row) { return row.data(); });
    set_print_string_function(ignore);
    Tensor weights({data.classes, width});
    for (std::int64_t k = 0; k < data.classes; ++k) {
        std::vector<double> signs;
        for (std::int64_t i = 0; i < data.size(); ++i) {
            signs.push_back(data.y(i, k));
        }
        problem what{};
        what.l = static_cast<int>(data.size());
        what.n = static_cast<int>(width);
        what.y = signs.data();
        what.x = starts.data();
        what.bias = -1.0;
        parameter how{};
        how.solver_type = L2R_L2LOSS_SVR;
        how.p = 0.0;
        how.C = c / static_cast<double>(data.size());
        how.eps = 1e-6;
        model* trained = train(&what, &how);
        std::transform(trained->w, trained->w + width, weights.row(k).begin(),
                       [](double value) { return static_cast<float>(value); });
        free_and_destroy_model(&trained);
    }
    return weights;
}

double dot(std::span<const float> a, std::span<const float> b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0, std::plus<>{},
                              [](float x, float y) { return double{x} * double{y}; });
}

/// ½ ‖w‖² + c / n Σ (y − w · z)²
double objective(const Data& data, std::int64_t of_class, double c, std::span<const float> w) {
    double loss = 0.0;
    for (std::int64_t i = 0; i < data.size(); ++i) {
        const double miss = data.y(i, of_class) - dot(w, data.z(i));
        loss += miss * miss;
    }
    return 0.5 * dot(w, w) + c / static_cast<double>(data.size()) * loss;
}

std::int64_t best_class(const Tensor& weights, std::span<const float> row) {
    std::vector<double> scores;
    for (std::int64_t k = 0; k < weights.rows(); ++k) {
        scores.push_back(dot(weights.row(k), row));
    }
    return std::max_element(scores.begin(), scores.end()) - scores.begin();
}

/// Length of the objective's gradient in so many of its values, as a share of their length at w = 0.
double left_over(const Data& data, std::int64_t of_class, double c, std::span<const float> w,
                 std::int64_t values) {
    std::vector<double> gradient(w.begin(), w.end());
    std::vector<double> at_zero(w.size());
    const double each = 2.0 * c / static_cast<double>(data.size());
    for (std::int64_t i = 0; i < data.size(); ++i) {
        const std::vector<float> z = data.z(i);
        const double y = data.y(i, of_class);
        const double miss = y - dot(w, z);
        for (std::size_t j = 0; j < w.size(); ++j) {
            gradient[j] -= each * miss * double{z[j]};
            at_zero[j] -= each * y * double{z[j]};
        }
    }
    const auto length = [values](const std::vector<double>& v) {
        return std::sqrt(std::inner_product(v.begin(), v.begin() + values, v.begin(), 0.0));
    };
    return length(gradient) / length(at_zero);
}

}  // namespace

TEST_CASE("Normal equations give what LIBLINEAR finds, with many rows and with few") {
    struct Shape {
        std::int64_t n;
        std::int64_t d;
        std::int64_t classes;
    };
    const auto shape = GENERATE(Shape{60, 5, 2}, Shape{700, 20, 4}, Shape{40, 60, 3}, Shape{1000, 9, 11});
    const double c = GENERATE(0.01, 1.0, 30.0, 1000.0);
    CAPTURE(shape.n, shape.d, shape.classes, c);
    const Data data = overlapping(shape.n, shape.d, shape.classes, 1);
    const Tensor ours = solve(data, c);
    const Tensor theirs = solve_by_liblinear(data, c);
    for (std::int64_t k = 0; k < shape.classes; ++k) {
        CAPTURE(k);
        CHECK(objective(data, k, c, ours.row(k)) ==
              Approx(objective(data, k, c, theirs.row(k))).epsilon(1e-3));
    }
    std::int64_t same = 0;
    for (std::int64_t i = 0; i < data.size(); ++i) {
        same += static_cast<std::int64_t>(best_class(ours, data.z(i)) == best_class(theirs, data.z(i)));
    }
    CHECK(static_cast<double>(same) >= 0.99 * static_cast<double>(data.size()));
}

TEST_CASE("Normal equations of several panels leave next to no gradient") {
    // Rows by columns: panels of values, more than a block of rows; panels of rows.
    const Data data = GENERATE(overlapping(1300, 1100, 3, 2), overlapping(600, 900, 3, 2));
    const double c = GENERATE(0.1, 30.0);
    const Tensor weights = solve(data, c, 2);
    for (std::int64_t k = 0; k < 3; ++k) {
        CAPTURE(data.size(), c, k);
        CHECK(left_over(data, k, c, weights.row(k), data.rows.columns()) < 0.01);
    }
}

TEST_CASE("Rows that were not added change nothing, and rows may be added in turn") {
    const std::int64_t columns = GENERATE(12, 700);
    const Data all = overlapping(600, columns, 3, 3);
    NormalEquations some(all.standardised(), all.labels, 3, 1);
    some.add(places(200, 600));
    CHECK(some.count(0) == std::count(all.labels.begin() + 200, all.labels.end(), 0));
    const Tensor without = some.solve(5.0);
    // As if there were no others, but for the scale, which is of all.
    const Data rest{Tensor(), Labels(all.labels.begin() + 200, all.labels.end()), 3, all.scale};
    Tensor rows({400, columns});
    std::copy_n(all.rows.row(200).data(), rows.size(), rows.data());
    NormalEquations alone({rows, all.scale}, rest.labels, 3, 1);
    alone.add(places(0, 400));
    const Tensor expected = alone.solve(5.0);
    some.add(places(0, 200));
    const Tensor in_turn = some.solve(5.0);
    const Tensor at_once = solve(all, 5.0);
    for (std::int64_t i = 0; i < expected.size(); ++i) {
        REQUIRE(without.data()[i] == Approx(expected.data()[i]).margin(2e-3));
        REQUIRE(in_turn.data()[i] == Approx(at_once.data()[i]).margin(2e-3));
    }
    CHECK(without.row(1)[0] != Approx(in_turn.row(1)[0]).margin(2e-3));
}

TEST_CASE("Weights are the same to the last bit at any number of threads, and the next time") {
    const Data data = GENERATE(overlapping(1500, 1200, 5, 4), overlapping(700, 800, 5, 4));
    const Tensor one = solve(data, 0.1, 1);
    for (const int threads : {1, 2, 3}) {
        const Tensor again = solve(data, 0.1, threads);
        CHECK(std::equal(one.values().begin(), one.values().end(), again.values().begin()));
    }
}

TEST_CASE("A class without rows has weights of zero") {
    Data data = overlapping(90, 4, 3, 5);
    data.classes = 5;
    const Tensor weights = solve(data, 1.0);
    REQUIRE(weights.rows() == 5);
    const auto zero = [](std::span<const float> row) {
        return std::all_of(row.begin(), row.end(), [](float w) { return w == 0.0F; });
    };
    CHECK(zero(weights.row(3)));
    CHECK(zero(weights.row(4)));
    CHECK_FALSE(zero(weights.row(2)));
}

TEST_CASE("What tells a rare class apart is found, though its right side is nearly all bias") {
    // 1,000 classes of 5 rows each, in 600 columns that are the more alike the more of them there are.
    constexpr std::int64_t classes = 1000;
    std::mt19937 generator(6);
    std::normal_distribution<float> normal;
    Tensor centres({classes, 600});
    std::generate(centres.values().begin(), centres.values().end(), [&] { return normal(generator); });
    Tensor rows({5 * classes, 600});
    Labels labels;
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        labels.push_back(i % classes);
        const auto row = rows.row(i);
        std::transform(row.begin(), row.end(), centres.row(labels.back()).begin(), row.begin(),
                       [&](float, float centre) { return centre + 0.5F * normal(generator); });
        std::partial_sum(row.begin(), row.end(), row.begin());
    }
    const Data data{std::move(rows), std::move(labels), classes};
    constexpr double c = 100.0;
    const Tensor weights = solve(data, c, 2);
    for (const std::int64_t k : {0, 500, 999}) {
        // Without the bias's part of the gradient, which dwarfs all others where weights are 0.
        CHECK(left_over(data, k, c, weights.row(k), 600) < 0.02);
    }
}

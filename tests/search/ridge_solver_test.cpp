#include "search/ridge_solver.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <linear.h>
#include <random>
#include <span>
#include <vector>

#include "nn/principal_axes.hpp"
#include "support/catch.hpp"

namespace {

using stackae::Tensor;
using stackae::search::RidgeProblem;
using stackae::search::RidgeSolver;
using stackae::search::RowProducts;

constexpr double tolerance = 1e-5;

using Labels = std::vector<std::int64_t>;

struct Data {
    Tensor rows;  // padded as RowProducts asks
    Labels labels;

    [[nodiscard]] std::int64_t size() const { return std::ssize(labels); }
    [[nodiscard]] RowProducts products(int threads) const { return {rows, size(), threads}; }
};

/// Clouds of deviation 1 around random centres, that overlap; column j is scaled by 1 to 3, the last is 1.
Data overlapping(std::int64_t n, std::int64_t d, std::int64_t classes, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    const float spread = 2.0F / std::sqrt(static_cast<float>(d));
    Tensor centres({classes, d});
    std::generate(centres.values().begin(), centres.values().end(),
                  [&] { return spread * normal(generator); });
    Data data{Tensor({RowProducts::block_count(n) * RowProducts::block_rows(n), d}), {}};
    for (std::int64_t i = 0; i < n; ++i) {
        // The first class is the largest, the last the smallest.
        const std::int64_t label = std::min(i % classes, (i / classes) % classes);
        const auto row = data.rows.row(i);
        for (std::int64_t j = 0; j < d; ++j) {
            const auto place = static_cast<std::size_t>(j);
            row[place] = static_cast<float>(1 + j % 3) * (centres.row(label)[place] + normal(generator));
        }
        row.back() = 1.0F;
        data.labels.push_back(label);
    }
    return data;
}

std::vector<RidgeProblem> each_class(std::int64_t classes) {
    std::vector<RidgeProblem> problems;
    for (std::int64_t k = 0; k < classes; ++k) {
        problems.push_back({k});
    }
    return problems;
}

Tensor solve(const Data& data, const Labels& parts, std::vector<RidgeProblem> problems, double c,
             int threads = 1, const stackae::nn::PrincipalAxes* axes = nullptr) {
    const RowProducts rows = data.products(threads);
    for (RidgeProblem& problem : problems) {
        problem.c = c;
    }
    RidgeSolver::describe(data.labels, parts, problems);
    return RidgeSolver(rows, data.labels, parts, problems, axes).solve(tolerance);
}

void ignore(const char* /*text*/) {}

/// LIBLINEAR's `-s 11` (support vector regression of squared loss) without a margin, which is the same, with
/// C = c / n.
Tensor solve_by_liblinear(const Data& data, std::int64_t classes, double c) {
    const std::int64_t d = data.rows.columns();
    std::vector<std::vector<feature_node>> nodes;
    std::vector<feature_node*> starts;
    for (std::int64_t i = 0; i < data.size(); ++i) {
        auto& row = nodes.emplace_back();
        for (std::int64_t j = 0; j < d; ++j) {
            row.push_back({static_cast<int>(j + 1), double{data.rows.row(i)[static_cast<std::size_t>(j)]}});
        }
        row.push_back({-1, 0.0});
    }
    std::transform(nodes.begin(), nodes.end(), std::back_inserter(starts),
                   [](std::vector<feature_node>& row) { return row.data(); });
    set_print_string_function(ignore);
    Tensor weights({classes, d});
    for (std::int64_t k = 0; k < classes; ++k) {
        std::vector<double> signs;
        std::transform(data.labels.begin(), data.labels.end(), std::back_inserter(signs),
                       [k](std::int64_t label) { return label == k ? 1.0 : -1.0; });
        problem what{};
        what.l = static_cast<int>(data.size());
        what.n = static_cast<int>(d);
        what.y = signs.data();
        what.x = starts.data();
        what.bias = -1.0;
        parameter how{};
        how.solver_type = L2R_L2LOSS_SVR;
        how.p = 0.0;
        how.C = c / static_cast<double>(data.size());
        how.eps = 1e-6;
        model* trained = train(&what, &how);
        std::transform(trained->w, trained->w + d, weights.row(k).begin(),
                       [](double value) { return static_cast<float>(value); });
        free_and_destroy_model(&trained);
    }
    return weights;
}

double dot(std::span<const float> a, std::span<const float> b) {
    double sum = 0.0;
    for (std::size_t j = 0; j < a.size(); ++j) {
        sum += double{a[j]} * double{b[j]};
    }
    return sum;
}

double objective(const Data& data, std::int64_t of_class, double c, std::span<const float> w) {
    double loss = 0.0;
    for (std::int64_t i = 0; i < data.size(); ++i) {
        const double y = data.labels[static_cast<std::size_t>(i)] == of_class ? 1.0 : -1.0;
        const double miss = y - dot(w, data.rows.row(i));
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

}  // namespace

TEST_CASE("the solver of the linear classifier finds what LIBLINEAR finds") {
    struct Shape {
        std::int64_t n;
        std::int64_t d;
        std::int64_t classes;
    };
    const auto shape = GENERATE(Shape{60, 5, 2}, Shape{700, 20, 4}, Shape{400, 60, 3}, Shape{1000, 9, 11});
    const double c = GENERATE(0.01, 1.0, 30.0, 1000.0);
    CAPTURE(shape.n, shape.d, shape.classes, c);
    const Data data = overlapping(shape.n, shape.d, shape.classes, 1);
    const Tensor ours = solve(data, Labels(data.labels.size(), 0), each_class(shape.classes), c);
    const Tensor theirs = solve_by_liblinear(data, shape.classes, c);
    for (std::int64_t k = 0; k < shape.classes; ++k) {
        CAPTURE(k);
        CHECK(objective(data, k, c, ours.row(k)) ==
              Approx(objective(data, k, c, theirs.row(k))).epsilon(1e-3));
    }
    std::int64_t same = 0;
    for (std::int64_t i = 0; i < data.size(); ++i) {
        same += static_cast<std::int64_t>(best_class(ours, data.rows.row(i)) ==
                                          best_class(theirs, data.rows.row(i)));
    }
    CHECK(static_cast<double>(same) >= 0.99 * static_cast<double>(data.size()));
}

TEST_CASE("a part that is held out changes nothing: as if its rows were not there") {
    const Data all = overlapping(600, 12, 3, 2);
    Labels parts(600, 0);
    Data rest{Tensor({400, 12}), {}};
    for (std::int64_t i = 0; i < 600; ++i) {
        parts[static_cast<std::size_t>(i)] = i % 3;
        if (i % 3 != 0) {
            const auto row = all.rows.row(i);
            std::copy(row.begin(), row.end(), rest.rows.row(rest.size()).begin());
            rest.labels.push_back(all.labels[static_cast<std::size_t>(i)]);
        }
    }
    const Tensor without = solve(all, parts, {{0, 0}, {1, 0}, {1, -1}}, 5.0);
    const Tensor alone = solve(rest, Labels(400, 0), {{0}, {1}}, 5.0);
    for (std::int64_t k = 0; k < 2; ++k) {
        for (std::size_t j = 0; j < 12; ++j) {
            CHECK(without.row(k)[j] == Approx(alone.row(k)[j]).margin(2e-3));
        }
    }
    CHECK(without.row(1)[0] != without.row(2)[0]);
}

TEST_CASE("the solver's weights are the same to the last bit at any number of threads, and the next time") {
    const Data data = overlapping(3000, 1008, 5, 3);
    const Labels parts(3000, 0);
    const Tensor one = solve(data, parts, each_class(5), 0.1, 1);
    for (const int threads : {1, 2, 3}) {
        const Tensor again = solve(data, parts, each_class(5), 0.1, threads);
        CHECK(std::equal(one.values().begin(), one.values().end(), again.values().begin()));
    }
}

TEST_CASE("scores are those of the weights, also of rows that are held out") {
    const Data data = overlapping(500, 16, 3, 4);
    Labels parts(500, 0);
    parts[7] = 1;
    const RowProducts rows = data.products(1);
    std::vector<RidgeProblem> problems{{0, 1, 10.0}, {1, 1, 0.1}, {2, -1, 1.0}};
    RidgeSolver::describe(data.labels, parts, problems);
    CHECK(problems[0].rows == 499);
    CHECK(problems[2].rows == 500);
    CHECK(problems[2].positive == std::count(data.labels.begin(), data.labels.end(), 2));
    RidgeSolver solver(rows, data.labels, parts, problems);
    const Tensor weights = solver.solve(tolerance);
    for (std::int64_t p = 0; p < 3; ++p) {
        for (const std::int64_t i : {0, 7, 499}) {
            CHECK(double{solver.score(i, p)} == Approx(dot(weights.row(p), data.rows.row(i))).margin(1e-4));
        }
    }
}

TEST_CASE("principal axes change the solver's way, not where it ends") {
    // One direction varies a thousand times more than the others.
    Data data = overlapping(600, 32, 3, 5);
    for (std::int64_t i = 0; i < data.size(); ++i) {
        const auto row = data.rows.row(i);
        const float common = static_cast<float>((i * 7919) % 101 - 50);
        std::transform(row.begin(), row.end() - 1, row.begin(), [common](float v) { return v + common; });
    }
    const stackae::nn::ThreadScope scope(1);
    stackae::nn::Context context(1);
    const auto axes = stackae::nn::principal_axes(context, data.rows.data(), data.size(), 32, 4);
    const Labels parts(600, 0);
    const double c = GENERATE(0.1, 10.0);
    const Tensor plain = solve(data, parts, each_class(3), c);
    const Tensor with_axes = solve(data, parts, each_class(3), c, 1, &axes);
    for (std::int64_t k = 0; k < 3; ++k) {
        CAPTURE(c, k);
        CHECK(objective(data, k, c, with_axes.row(k)) ==
              Approx(objective(data, k, c, plain.row(k))).epsilon(1e-4));
    }
    CHECK(with_axes.row(0)[0] != plain.row(0)[0]);
}

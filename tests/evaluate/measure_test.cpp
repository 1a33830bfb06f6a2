#include "evaluate/measure.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "stackae/error.hpp"

#include "evaluate/linear_probe.hpp"
#include "support/catch.hpp"

namespace {

using stackae::EvaluateOptions;
using stackae::Evaluation;
using stackae::Tensor;
using stackae::evaluation::EncodedSet;

/// Pictures of two values on a line; the code is the first of them.
EncodedSet part(const std::vector<float>& places, const std::vector<std::int64_t>& labels,
                const std::vector<double>& errors) {
    const auto n = static_cast<std::int64_t>(places.size());
    EncodedSet result{Tensor({n, 2}), Tensor({n, 1}), errors, labels};
    for (std::int64_t i = 0; i < n; ++i) {
        const float place = places[static_cast<std::size_t>(i)];
        result.pictures.row(i)[0] = place;
        result.pictures.row(i)[1] = 2.0F * place;
        result.codes.row(i)[0] = place;
    }
    return result;
}

}  // namespace

TEST_CASE("A half holds whole groups") {
    std::vector<std::int64_t> labels;
    std::vector<std::int64_t> groups;
    for (std::int64_t i = 0; i < 120; ++i) {
        labels.push_back(i / 3 % 2);
        groups.push_back(i / 3);
    }
    const auto halves = stackae::evaluation::split_in_halves(labels, 5, 0, groups);
    CHECK(halves.train.size() == 60);
    std::set<std::int64_t> train;
    for (const std::int64_t row : halves.train) {
        train.insert(row / 3);
    }
    for (const std::int64_t row : halves.test) {
        REQUIRE_FALSE(train.contains(row / 3));
    }
    CHECK(stackae::evaluation::split_in_halves(labels, 5, 1, groups).train != halves.train);
}

TEST_CASE("A half holds half of every class, and the other half the rest") {
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < 101; ++i) {
        labels.push_back(i < 40 ? 0 : i < 70 ? 1 : i < 99 ? 2 : -1);
    }
    const int split = GENERATE(0, 1, 19);
    const auto halves = stackae::evaluation::split_in_halves(labels, 5, split);
    CHECK(halves.train.size() == 51);
    CHECK(halves.test.size() == 50);
    std::set<std::int64_t> all(halves.train.begin(), halves.train.end());
    all.insert(halves.test.begin(), halves.test.end());
    CHECK(all.size() == 101);
    std::map<std::int64_t, std::int64_t> balance;
    for (const std::int64_t row : halves.train) {
        ++balance[labels[static_cast<std::size_t>(row)]];
    }
    for (const std::int64_t row : halves.test) {
        --balance[labels[static_cast<std::size_t>(row)]];
    }
    for (const auto& [label, difference] : balance) {
        CAPTURE(label);
        CHECK(std::abs(difference) <= 1);
    }
    CHECK(stackae::evaluation::split_in_halves(labels, 5, split).train == halves.train);
    CHECK(stackae::evaluation::split_in_halves(labels, 5, split + 1).train != halves.train);
    CHECK(stackae::evaluation::split_in_halves(labels, 6, split).train != halves.train);
}

TEST_CASE("Figures on tensors are those found by hand") {
    const EncodedSet train = part({0, 1, 10, 11}, {0, 0, 1, 1}, {0, 0, 0, 0});
    const EncodedSet test = part({0.5F, 9, 4, 12}, {0, 0, 1, 1}, {1, 2, 3, 10});
    EvaluateOptions options;
    options.k = 1;
    const auto metrics = stackae::evaluation::measure(train, test, 2, options);
    CHECK(metrics.sse == 4.0);
    // The mean picture is (5.5, 11): Σ 5 (x − 5.5)² / 4 over 0.5, 9, 4 and 12.
    CHECK(metrics.mean_sse == Approx(5.0 * (25.0 + 12.25 + 2.25 + 42.25) / 4.0));
    CHECK(metrics.pca_components == 1);
    CHECK(metrics.pca_sse == Approx(0.0).margin(1e-8));
    CHECK(metrics.labelled);
    CHECK(metrics.knn == 0.5);
    CHECK(metrics.raw_knn == 0.5);
    CHECK(metrics.pca_knn == 0.5);
    CHECK(metrics.confusion == std::vector<std::vector<std::int64_t>>{{1, 1}, {1, 1}});
}

TEST_CASE("Principal components are charged with what they leave out of the test pictures") {
    EncodedSet train = part({0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0});
    train.pictures.row(0)[0] = -2.0F;
    train.pictures.row(1)[0] = 2.0F;
    train.pictures.row(2)[1] = -1.0F;
    train.pictures.row(3)[1] = 1.0F;
    EncodedSet test = part({0, 0}, {0, 0}, {0, 0});
    test.pictures.row(0)[0] = 3.0F;
    test.pictures.row(0)[1] = 2.0F;
    test.pictures.row(1)[1] = 4.0F;
    const auto metrics = stackae::evaluation::measure(train, test, 1, EvaluateOptions{});
    CHECK(metrics.pca_sse == Approx((4.0 + 16.0) / 2.0));
    CHECK(metrics.mean_sse == Approx((13.0 + 16.0) / 2.0));
}

TEST_CASE("Pictures without a label count for reconstruction alone") {
    const EncodedSet train = part({0, 9, 10, 11}, {0, -1, 1, 1}, {0, 0, 0, 0});
    const EncodedSet test = part({8, 100, 0}, {1, -1, 0}, {1, 4, 1});
    EvaluateOptions options;
    options.k = 1;
    const auto metrics = stackae::evaluation::measure(train, test, 2, options);
    CHECK(metrics.sse == 2.0);
    CHECK(metrics.knn == 1.0);
    CHECK(metrics.confusion == std::vector<std::vector<std::int64_t>>{{1, 0}, {0, 1}});

    const EncodedSet unlabelled = part({1, 2}, {-1, -1}, {1, 1});
    const Evaluation evaluation = stackae::evaluation::summarise(
        {stackae::evaluation::measure(train, unlabelled, 2, options)}, {"a", "b"});
    CHECK(!evaluation.labelled);
    CHECK(evaluation.classes.empty());
    CHECK(evaluation.sse_per_image.mean == 1.0);
}

TEST_CASE("A code wider than the pictures are many leaves principal components possible") {
    EncodedSet train = part({0, 1}, {0, 1}, {0, 0});
    train.codes = Tensor({2, 5});
    EncodedSet test = part({0.5F}, {0}, {0});
    test.codes = Tensor({1, 5});
    CHECK(stackae::evaluation::measure(train, test, 2, EvaluateOptions{}).pca_components == 2);
}

TEST_CASE("A linear classifier is trained where it is asked for, on the labelled training pictures") {
    const EncodedSet train = part({0, 1, 2, 10, 11, 12, 5}, {0, 0, 0, 2, 2, 2, -1}, {0, 0, 0, 0, 0, 0, 0});
    const EncodedSet test = part({0.5F, 9, 4, 12, 1}, {0, 0, 2, 2, -1}, {0, 0, 0, 0, 0});
    EvaluateOptions options;
    options.k = 1;
    CHECK(!stackae::evaluation::summarise({stackae::evaluation::measure(train, test, 3, options)},
                                          {"a", "b", "c"})
               .linear);
    options.linear = true;
    const auto metrics = stackae::evaluation::measure(train, test, 3, options);
    CHECK(metrics.linear == 0.5);
    CHECK(metrics.linear_folds == 5);
    const Evaluation evaluation = stackae::evaluation::summarise({metrics}, {"a", "b", "c"}, true);
    REQUIRE(evaluation.linear);
    CHECK(evaluation.linear->accuracy.mean == 0.5);
    CHECK(evaluation.linear->c == metrics.linear_c);
    CHECK(std::count(evaluation.linear->grid.begin(), evaluation.linear->grid.end(), metrics.linear_c) == 1);
    options.memory = stackae::evaluation::LinearProbe::memory_bytes({6, 1, 3}, options.threads) - 1;
    CHECK_THROWS_AS(stackae::evaluation::measure(train, test, 3, options), stackae::InvalidArgument);
}

TEST_CASE("The linear classifier's c is chosen without a look at the test pictures") {
    // Two close lines of codes, which only a large c tells apart, in the training part; noise in the test
    // part.
    std::mt19937 generator(3);
    std::normal_distribution<float> normal;
    const auto make = [&](bool clean) {
        EncodedSet result{Tensor({200, 2}), Tensor({200, 2}), std::vector<double>(200, 0.0), {}};
        for (std::int64_t i = 0; i < 200; ++i) {
            const float place = normal(generator);
            const float side = i % 2 == 0 ? 0.02F : -0.02F;
            result.codes.row(i)[0] = place;
            result.codes.row(i)[1] = place + (clean ? side : -side);
            result.labels.push_back(i % 2);
        }
        return result;
    };
    const EncodedSet train = make(true);
    EvaluateOptions options;
    options.linear = true;
    const auto right = stackae::evaluation::measure(train, make(true), 2, options);
    const auto wrong = stackae::evaluation::measure(train, make(false), 2, options);
    CHECK(right.linear > 0.95);
    CHECK(wrong.linear < 0.05);
    CHECK(right.linear_c == wrong.linear_c);
    CHECK(right.linear_c > stackae::evaluation::LinearProbe::grid().front());
}

TEST_CASE("Figures over splits have mean and sample deviation, class by class from the summed confusion") {
    stackae::evaluation::SplitMetrics one;
    one.labelled = true;
    one.knn = 0.5;
    one.sse = 1.0;
    one.confusion = {{3, 1, 0}, {0, 2, 0}, {0, 0, 0}};
    stackae::evaluation::SplitMetrics two = one;
    two.knn = 1.0;
    two.sse = 4.0;
    two.confusion = {{0, 0, 0}, {3, 0, 0}, {0, 0, 0}};
    const Evaluation evaluation = stackae::evaluation::summarise({one, two}, {"a", "b", "c"});
    CHECK(evaluation.splits == 2);
    CHECK(evaluation.knn_accuracy.mean == 0.75);
    CHECK(evaluation.knn_accuracy.deviation == Approx(std::sqrt(0.125)));
    CHECK(evaluation.sse_per_image.deviation == Approx(std::sqrt(4.5)));
    CHECK(evaluation.confusion == std::vector<std::vector<std::int64_t>>{{3, 1, 0}, {3, 2, 0}, {0, 0, 0}});
    REQUIRE(evaluation.classes.size() == 3);
    CHECK(evaluation.classes[0].name == "a");
    CHECK(evaluation.classes[0].pictures == 4);
    CHECK(evaluation.classes[0].precision == 0.5);
    CHECK(evaluation.classes[0].recall == 0.75);
    CHECK(evaluation.classes[0].f1 == 0.6);
    CHECK(evaluation.classes[1].precision == Approx(2.0 / 3.0));
    CHECK(evaluation.classes[1].recall == 0.4);
    CHECK(evaluation.classes[2].pictures == 0);
    CHECK(std::isnan(evaluation.classes[2].precision));
    CHECK(std::isnan(evaluation.classes[2].recall));
    CHECK(std::isnan(evaluation.classes[2].f1));
    CHECK(stackae::evaluation::summarise({one}, {"a", "b", "c"}).knn_accuracy.deviation == 0.0);
}

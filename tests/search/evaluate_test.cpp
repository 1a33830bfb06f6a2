#include "stackae/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "stackae/error.hpp"

#include "evaluate/linear_probe.hpp"
#include "evaluate/measure.hpp"
#include "support/catch.hpp"

namespace {

using stackae::EvaluateOptions;
using stackae::Evaluation;
using stackae::Tensor;
using stackae::search::Part;
using stackae::test::contains;

/// Pictures of two values on a line; the code is the first of them.
Part part(const std::vector<float>& places, const std::vector<std::int64_t>& labels,
          const std::vector<double>& errors) {
    const auto n = static_cast<std::int64_t>(places.size());
    Part result{Tensor({n, 2}), Tensor({n, 1}), errors, labels};
    for (std::int64_t i = 0; i < n; ++i) {
        const float place = places[static_cast<std::size_t>(i)];
        result.pictures.row(i)[0] = place;
        result.pictures.row(i)[1] = 2.0F * place;
        result.codes.row(i)[0] = place;
    }
    return result;
}

/// h = W x, x̂ = V h: the code is the first value, the reconstruction has 0 for the others.
stackae::Model first_value_model(int width) {
    stackae::Model model;
    model.recipe.height = 1;
    model.recipe.width = width;
    stackae::DenseLayer layer;
    layer.activation = stackae::Activation::linear;
    layer.decoder = stackae::Activation::linear;
    layer.weights = Tensor({1, width});
    layer.weights.data()[0] = 1.0F;
    layer.bias = Tensor({1});
    layer.decoder_weights = Tensor({width, 1});
    layer.decoder_weights.data()[0] = 1.0F;
    layer.decoder_bias = Tensor({width});
    model.layers.push_back(std::move(layer));
    return model;
}

/// Pictures of 1 × 2 values (place, 0.5), one a label.
stackae::Pictures pictures(const std::vector<float>& places, const std::vector<std::string>& labels) {
    Tensor tensor({static_cast<std::int64_t>(places.size()), 1, 2});
    for (std::size_t i = 0; i < places.size(); ++i) {
        tensor.data()[2 * i] = places[i];
        tensor.data()[2 * i + 1] = 0.5F;
    }
    return stackae::Pictures::from_tensor(std::move(tensor), labels);
}

}  // namespace

TEST_CASE("a half holds half of every class, and the other half the rest") {
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < 101; ++i) {
        labels.push_back(i < 40 ? 0 : i < 70 ? 1 : i < 99 ? 2 : -1);
    }
    const int split = GENERATE(0, 1, 19);
    const auto halves = stackae::search::split_in_halves(labels, 5, split);
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
    CHECK(stackae::search::split_in_halves(labels, 5, split).train == halves.train);
    CHECK(stackae::search::split_in_halves(labels, 5, split + 1).train != halves.train);
    CHECK(stackae::search::split_in_halves(labels, 6, split).train != halves.train);
}

TEST_CASE("figures on tensors are those found by hand") {
    const Part train = part({0, 1, 10, 11}, {0, 0, 1, 1}, {0, 0, 0, 0});
    const Part test = part({0.5F, 9, 4, 12}, {0, 0, 1, 1}, {1, 2, 3, 10});
    EvaluateOptions options;
    options.k = 1;
    const auto figures = stackae::search::measure(train, test, 2, options);
    CHECK(figures.sse == 4.0);
    // The mean picture is (5.5, 11): Σ 5 (x − 5.5)² / 4 over 0.5, 9, 4 and 12.
    CHECK(figures.mean_sse == Approx(5.0 * (25.0 + 12.25 + 2.25 + 42.25) / 4.0));
    CHECK(figures.pca_components == 1);
    CHECK(figures.pca_sse == Approx(0.0).margin(1e-8));
    CHECK(figures.labelled);
    CHECK(figures.knn == 0.5);
    CHECK(figures.raw_knn == 0.5);
    CHECK(figures.pca_knn == 0.5);
    CHECK(figures.confusion == std::vector<std::vector<std::int64_t>>{{1, 1}, {1, 1}});
}

TEST_CASE("principal components are charged with what they leave out of the test pictures") {
    Part train = part({0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0});
    train.pictures.row(0)[0] = -2.0F;
    train.pictures.row(1)[0] = 2.0F;
    train.pictures.row(2)[1] = -1.0F;
    train.pictures.row(3)[1] = 1.0F;
    Part test = part({0, 0}, {0, 0}, {0, 0});
    test.pictures.row(0)[0] = 3.0F;
    test.pictures.row(0)[1] = 2.0F;
    test.pictures.row(1)[1] = 4.0F;
    const auto figures = stackae::search::measure(train, test, 1, EvaluateOptions{});
    CHECK(figures.pca_sse == Approx((4.0 + 16.0) / 2.0));
    CHECK(figures.mean_sse == Approx((13.0 + 16.0) / 2.0));
}

TEST_CASE("pictures without a label count for reconstruction alone") {
    const Part train = part({0, 9, 10, 11}, {0, -1, 1, 1}, {0, 0, 0, 0});
    const Part test = part({8, 100, 0}, {1, -1, 0}, {1, 4, 1});
    EvaluateOptions options;
    options.k = 1;
    const auto figures = stackae::search::measure(train, test, 2, options);
    CHECK(figures.sse == 2.0);
    CHECK(figures.knn == 1.0);
    CHECK(figures.confusion == std::vector<std::vector<std::int64_t>>{{1, 0}, {0, 1}});

    const Part unlabelled = part({1, 2}, {-1, -1}, {1, 1});
    const Evaluation evaluation =
        stackae::search::summarise({stackae::search::measure(train, unlabelled, 2, options)}, {"a", "b"});
    CHECK(!evaluation.labelled);
    CHECK(evaluation.classes.empty());
    CHECK(evaluation.sse_per_image.mean == 1.0);
}

TEST_CASE("a code wider than the pictures are many leaves principal components possible") {
    Part train = part({0, 1}, {0, 1}, {0, 0});
    train.codes = Tensor({2, 5});
    Part test = part({0.5F}, {0}, {0});
    test.codes = Tensor({1, 5});
    CHECK(stackae::search::measure(train, test, 2, EvaluateOptions{}).pca_components == 2);
}

TEST_CASE("a linear classifier is trained where it is asked for, on the labelled training pictures") {
    const Part train = part({0, 1, 2, 10, 11, 12, 5}, {0, 0, 0, 2, 2, 2, -1}, {0, 0, 0, 0, 0, 0, 0});
    const Part test = part({0.5F, 9, 4, 12, 1}, {0, 0, 2, 2, -1}, {0, 0, 0, 0, 0});
    EvaluateOptions options;
    options.k = 1;
    CHECK(!stackae::search::summarise({stackae::search::measure(train, test, 3, options)}, {"a", "b", "c"})
               .linear);
    options.linear = true;
    const auto figures = stackae::search::measure(train, test, 3, options);
    CHECK(figures.linear == 0.5);
    CHECK(figures.linear_folds == 5);
    const Evaluation evaluation = stackae::search::summarise({figures}, {"a", "b", "c"}, true);
    REQUIRE(evaluation.linear);
    CHECK(evaluation.linear->accuracy.mean == 0.5);
    CHECK(evaluation.linear->c == figures.linear_c);
    CHECK(std::count(evaluation.linear->grid.begin(), evaluation.linear->grid.end(), figures.linear_c) == 1);
    options.memory = stackae::search::LinearProbe::memory_bytes({6, 1, 3}, options.threads) - 1;
    CHECK_THROWS_AS(stackae::search::measure(train, test, 3, options), stackae::InvalidArgument);
}

TEST_CASE("the linear classifier's c is chosen without a look at the test pictures") {
    // Two close lines of codes, which only a large c tells apart, in the training part; noise in the test
    // part.
    std::mt19937 generator(3);
    std::normal_distribution<float> normal;
    const auto make = [&](bool clean) {
        Part result{Tensor({200, 2}), Tensor({200, 2}), std::vector<double>(200, 0.0), {}};
        for (std::int64_t i = 0; i < 200; ++i) {
            const float place = normal(generator);
            const float side = i % 2 == 0 ? 0.02F : -0.02F;
            result.codes.row(i)[0] = place;
            result.codes.row(i)[1] = place + (clean ? side : -side);
            result.labels.push_back(i % 2);
        }
        return result;
    };
    const Part train = make(true);
    EvaluateOptions options;
    options.linear = true;
    const auto right = stackae::search::measure(train, make(true), 2, options);
    const auto wrong = stackae::search::measure(train, make(false), 2, options);
    CHECK(right.linear > 0.95);
    CHECK(wrong.linear < 0.05);
    CHECK(right.linear_c == wrong.linear_c);
    CHECK(right.linear_c > stackae::search::LinearProbe::grid().front());
}

TEST_CASE("figures over splits have mean and sample deviation, class by class from the summed confusion") {
    stackae::search::SplitFigures one;
    one.labelled = true;
    one.knn = 0.5;
    one.sse = 1.0;
    one.confusion = {{3, 1, 0}, {0, 2, 0}, {0, 0, 0}};
    stackae::search::SplitFigures two = one;
    two.knn = 1.0;
    two.sse = 4.0;
    two.confusion = {{0, 0, 0}, {3, 0, 0}, {0, 0, 0}};
    const Evaluation evaluation = stackae::search::summarise({one, two}, {"a", "b", "c"});
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
    CHECK(stackae::search::summarise({one}, {"a", "b", "c"}).knn_accuracy.deviation == 0.0);
}

TEST_CASE("a model is measured on pictures, classes by their names") {
    const stackae::Model model = first_value_model(2);
    const auto train = pictures({0.1F, 0.2F, 0.8F, 0.9F}, {"dog", "dog", "cat", "cat"});
    // "bird" is in the test part alone: the numbers of the others must not shift.
    const auto test = pictures({0.15F, 0.85F, 0.84F}, {"dog", "cat", "bird"});
    EvaluateOptions options;
    options.k = 1;
    const Evaluation evaluation = stackae::evaluate(model, train, test, options);
    CHECK(evaluation.train_pictures == 4);
    CHECK(evaluation.test_pictures == 3);
    CHECK(evaluation.splits == 1);
    CHECK(evaluation.code_size == 1);
    CHECK(evaluation.k == 1);
    CHECK(evaluation.labelled);
    CHECK(evaluation.knn_accuracy.mean == Approx(2.0 / 3.0));
    CHECK(evaluation.raw_knn_accuracy.mean == Approx(2.0 / 3.0));
    // The second value, 0.5, is rebuilt as 0; principal components keep it as the mean.
    CHECK(evaluation.sse_per_image.mean == Approx(0.25));
    CHECK(evaluation.pca_sse_per_image.mean == Approx(0.0).margin(1e-9));
    REQUIRE(evaluation.classes.size() == 3);
    CHECK(evaluation.classes[0].name == "bird");
    CHECK(evaluation.classes[0].recall == 0.0);
    CHECK(evaluation.classes[1].name == "cat");
    CHECK(evaluation.classes[1].recall == 1.0);
    CHECK(evaluation.classes[1].precision == 0.5);
    CHECK(evaluation.confusion == std::vector<std::vector<std::int64_t>>{{0, 1, 0}, {0, 1, 0}, {0, 0, 1}});
}

TEST_CASE("codes of length 1 are compared, but reconstructed as they are") {
    const stackae::Model model = first_value_model(2);
    const auto train = pictures({0.1F, 0.9F}, {"a", "b"});
    const auto test = pictures({0.85F, 0.8F}, {"b", "b"});
    EvaluateOptions options;
    options.k = 1;
    options.l2_normalize = true;
    const Evaluation evaluation = stackae::evaluate(model, train, test, options);
    CHECK(evaluation.knn_accuracy.mean == 0.0);  // all codes are 1 now, and the first row wins
    CHECK(evaluation.sse_per_image.mean == Approx(0.25));
}

TEST_CASE("mirrored training pictures are learnt from, test pictures stay as they are") {
    // The code is the upper left value. Only the mirror image of "a" is near the test picture.
    stackae::Model model = first_value_model(4);
    model.recipe.height = 2;
    model.recipe.width = 2;
    const auto set = [](const std::vector<float>& values, const std::vector<std::string>& labels) {
        Tensor tensor({static_cast<std::int64_t>(labels.size()), 2, 2});
        std::copy(values.begin(), values.end(), tensor.data());
        return stackae::Pictures::from_tensor(std::move(tensor), labels);
    };
    const auto train = set({0.1F, 0.9F, 0.0F, 0.0F, 0.7F, 0.7F, 0.0F, 0.0F}, {"a", "b"});
    const auto test = set({0.9F, 0.1F, 0.0F, 0.0F}, {"a"});
    EvaluateOptions options;
    options.k = 1;
    CHECK(stackae::evaluate(model, train, test, options).knn_accuracy.mean == 0.0);
    options.mirror = true;
    const Evaluation mirrored = stackae::evaluate(model, train, test, options);
    CHECK(mirrored.knn_accuracy.mean == 1.0);
    CHECK(mirrored.raw_knn_accuracy.mean == 1.0);
    CHECK(mirrored.train_pictures == 2);

    // Of a set that is split, mirror images go where their pictures go: the other half is as it was.
    const auto twins = set({0.1F, 0.9F, 0.0F, 0.0F, 0.9F, 0.1F, 0.0F, 0.0F}, {"a", "a"});
    options.splits = 3;
    const Evaluation halves = stackae::evaluate(model, twins, options);
    CHECK(halves.train_pictures == 1);
    CHECK(halves.test_pictures == 1);
    CHECK(halves.sse_per_image.mean == stackae::evaluate(model, twins, {.splits = 3}).sse_per_image.mean);

    // Values that are standardised one by one are so in their new place: (0.9 − 0.5) / 2 is what the test
    // picture shows too.
    model.recipe.mean = {0.5F, 0.0F, 0.0F, 0.0F};
    model.recipe.deviation = {2.0F, 1.0F, 1.0F, 1.0F};
    CHECK(stackae::evaluate(model, set({0.1F, 0.9F, 0.0F, 0.0F, 0.8F, 0.8F, 0.0F, 0.0F}, {"a", "b"}), test,
                            options)
              .knn_accuracy.mean == 1.0);

    const stackae::Model numbers = first_value_model(2);
    CHECK_THROWS_WITH(stackae::evaluate(numbers, pictures({0.1F}, {"a"}), pictures({0.2F}, {"a"}), options),
                      contains("rows of numbers"));
}

TEST_CASE("accuracies that say nothing are marked: one class to learn from, one code for all") {
    const stackae::Model model = first_value_model(2);
    EvaluateOptions options;
    options.k = 50;
    options.linear = true;
    const auto test = pictures({0.1F, 0.9F}, {"left", "right"});
    const Evaluation one = stackae::evaluate(model, pictures({0.1F, 0.2F}, {"left", "left"}), test, options);
    CHECK(one.train_classes == 1);
    CHECK(!one.codes_alike);
    CHECK(one.k == 2);
    CHECK(one.linear->c == 0.0);
    const Evaluation same =
        stackae::evaluate(model, pictures({0.5F, 0.5F}, {"left", "right"}), test, options);
    CHECK(same.train_classes == 2);
    CHECK(same.codes_alike);
    for (const auto& figure : {same.knn_accuracy, same.pca_knn_accuracy, same.linear->accuracy}) {
        CHECK(std::isfinite(figure.mean));
    }
}

TEST_CASE("one set is split in halves, the same way every time") {
    const stackae::Model model = first_value_model(2);
    std::mt19937 generator(1);
    std::normal_distribution<float> normal(0.0F, 0.15F);
    std::vector<float> places;
    std::vector<std::string> labels;
    for (int i = 0; i < 60; ++i) {
        places.push_back(std::clamp((i % 2 == 0 ? 0.35F : 0.65F) + normal(generator), 0.0F, 1.0F));
        labels.emplace_back(i % 2 == 0 ? "left" : "right");
    }
    const auto set = pictures(places, labels);
    EvaluateOptions options;
    options.splits = 6;
    const Evaluation evaluation = stackae::evaluate(model, set, options);
    CHECK(evaluation.splits == 6);
    CHECK(evaluation.train_pictures == 30);
    CHECK(evaluation.test_pictures == 30);
    CHECK(evaluation.knn_accuracy.mean > 0.7);
    CHECK(evaluation.knn_accuracy.mean < 1.0);
    CHECK(evaluation.knn_accuracy.deviation > 0.0);
    CHECK(evaluation.classes.at(0).pictures + evaluation.classes.at(1).pictures == 6 * 30);
    const Evaluation again = stackae::evaluate(model, set, options);
    CHECK(again.knn_accuracy.mean == evaluation.knn_accuracy.mean);
    CHECK(again.confusion == evaluation.confusion);
    options.seed = 1;
    CHECK(stackae::evaluate(model, set, options).confusion != evaluation.confusion);
}

TEST_CASE("a set without labels is measured by its reconstruction") {
    const Evaluation evaluation =
        stackae::evaluate(first_value_model(2), pictures({0.1F, 0.5F, 0.7F}, {}), {});
    CHECK(!evaluation.labelled);
    CHECK(evaluation.sse_per_image.mean == Approx(0.25));
    CHECK(evaluation.mean_sse_per_image.mean > 0.0);
}

TEST_CASE("Errors of pictures that were standardised are in their own units") {
    stackae::Recipe recipe;
    recipe.height = 1;
    recipe.width = 2;
    stackae::Tensor pictures({2, 2});
    stackae::Tensor rebuilt({2, 2});
    rebuilt.row(0)[0] = 3.0F;
    rebuilt.row(1)[0] = rebuilt.row(1)[1] = -1.0F;
    CHECK(stackae::squared_errors(recipe, pictures, rebuilt) == std::vector<double>{9.0, 2.0});
    recipe.mean = {5.0F, 5.0F};
    recipe.deviation = {2.0F, 10.0F};
    CHECK(stackae::squared_errors(recipe, pictures, rebuilt) == std::vector<double>{36.0, 104.0});
    CHECK_THROWS_AS(stackae::squared_errors(recipe, pictures, stackae::Tensor({2, 3})),
                    stackae::InvalidArgument);
}

TEST_CASE("evaluations that make no sense are refused") {
    const stackae::Model model = first_value_model(2);
    const auto one = pictures({0.1F}, {"a"});
    CHECK_THROWS_WITH(stackae::evaluate(model, one, EvaluateOptions{}), contains("at least 2 expected"));
    EvaluateOptions options;
    options.k = 0;
    CHECK_THROWS_AS(stackae::evaluate(model, one, one, options), stackae::InvalidArgument);
    options = {};
    options.splits = 0;
    CHECK_THROWS_AS(stackae::evaluate(model, one, options), stackae::InvalidArgument);
    options = {};
    options.layer = 2;
    CHECK_THROWS_AS(stackae::evaluate(model, one, one, options), stackae::InvalidArgument);
}

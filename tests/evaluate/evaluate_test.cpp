#include "stackae/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "stackae/error.hpp"

#include "model/sample_model.hpp"
#include "support/catch.hpp"

using namespace stackae;
using test::contains;

namespace {

const Shape rows{1, 2, 1};

/// h = x₁, x̂ = (h, 0, …): the code is the first value, the reconstruction has 0 for the others.
Model first_value_model(const Shape& picture, const std::string& above = "",
                        std::vector<NamedOutput> outputs = {}) {
    Model model =
        test::sample_model("dense:1:activation=linear:output=linear" + above, picture, std::move(outputs));
    for (const char* tensor : {"weights", "decoder_weights"}) {
        test::set_tensor(model, 0, tensor, {1.0F});
    }
    for (const char* tensor : {"bias", "decoder_bias"}) {
        test::set_tensor(model, 0, tensor, {});
    }
    return model;
}

/// Uniform in [0, 1).
Tensor random_values(std::int64_t n, std::int64_t d) {
    Tensor values = test::random_rows(n, d, 5);
    for (float& value : values.values()) {
        value = 0.5F + 0.5F * value;
    }
    return values;
}

/// Rows of numbers.
ImageDataset rows_of(const Tensor& values, const std::vector<std::string>& labels) {
    Tensor tensor({values.rows(), 1, values.columns()});
    std::copy_n(values.data(), values.size(), tensor.data());
    return ImageDataset::from_tensor(std::move(tensor), labels);
}

/// Pictures of two values (place, 0.5), one a label.
ImageDataset pictures(const std::vector<float>& places, const std::vector<std::string>& labels,
                      const Shape& shape = rows) {
    Tensor tensor({static_cast<std::int64_t>(places.size()), shape.height, shape.width});
    for (std::size_t i = 0; i < places.size(); ++i) {
        tensor.data()[2 * i] = places[i];
        tensor.data()[2 * i + 1] = 0.5F;
    }
    return ImageDataset::from_tensor(std::move(tensor), labels);
}

}  // namespace

TEST_CASE("A model is measured on pictures, classes by their names") {
    const Model model = first_value_model(rows);
    const auto train = pictures({0.1F, 0.2F, 0.8F, 0.9F}, {"dog", "dog", "cat", "cat"});
    // "bird" is in the test part alone: the numbers of the others must not shift.
    const auto test = pictures({0.15F, 0.85F, 0.84F}, {"dog", "cat", "bird"});
    EvaluateOptions options;
    options.k = 1;
    const Evaluation evaluation = evaluate(model, train, test, options);
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

TEST_CASE("Codes of length 1 are compared, but reconstructed as they are") {
    const Model model = first_value_model(rows);
    const auto train = pictures({0.1F, 0.9F}, {"a", "b"});
    const auto test = pictures({0.85F, 0.8F}, {"b", "b"});
    EvaluateOptions options;
    options.k = 1;
    options.l2_normalize = true;
    const Evaluation evaluation = evaluate(model, train, test, options);
    CHECK(evaluation.knn_accuracy.mean == 0.0);  // all codes are 1 now, and the first row wins
    CHECK(evaluation.sse_per_image.mean == Approx(0.25));
}

TEST_CASE("Mirrored training pictures are learnt from, test pictures stay as they are") {
    // The code is the upper left value. Only the mirror image of "a" is near the test picture.
    Model model = first_value_model({2, 2, 1});
    const auto set = [](const std::vector<float>& values, const std::vector<std::string>& labels) {
        Tensor tensor({static_cast<std::int64_t>(labels.size()), 2, 2});
        std::copy(values.begin(), values.end(), tensor.data());
        return ImageDataset::from_tensor(std::move(tensor), labels);
    };
    const auto train = set({0.1F, 0.9F, 0.0F, 0.0F, 0.7F, 0.7F, 0.0F, 0.0F}, {"a", "b"});
    const auto test = set({0.9F, 0.1F, 0.0F, 0.0F}, {"a"});
    EvaluateOptions options;
    options.k = 1;
    CHECK(evaluate(model, train, test, options).knn_accuracy.mean == 0.0);
    options.mirror = true;
    const Evaluation mirrored = evaluate(model, train, test, options);
    CHECK(mirrored.knn_accuracy.mean == 1.0);
    CHECK(mirrored.raw_knn_accuracy.mean == 1.0);
    CHECK(mirrored.train_pictures == 2);

    // Of a set that is split, mirror images go where their pictures go: the other half is as it was.
    const auto twins = set({0.1F, 0.9F, 0.0F, 0.0F, 0.9F, 0.1F, 0.0F, 0.0F}, {"a", "a"});
    options.splits = 3;
    const Evaluation halves = evaluate(model, twins, options);
    CHECK(halves.train_pictures == 1);
    CHECK(halves.test_pictures == 1);
    CHECK(halves.sse_per_image.mean == evaluate(model, twins, {.splits = 3}).sse_per_image.mean);

    // Values that are standardised one by one are so in their new place: (0.9 − 0.5) / 2 is what the test
    // picture shows too.
    model.preprocessing.mean = {0.5F, 0.0F, 0.0F, 0.0F};
    model.preprocessing.deviation = {2.0F, 1.0F, 1.0F, 1.0F};
    CHECK(evaluate(model, set({0.1F, 0.9F, 0.0F, 0.0F, 0.8F, 0.8F, 0.0F, 0.0F}, {"a", "b"}), test, options)
              .knn_accuracy.mean == 1.0);

    const Model numbers = first_value_model(rows);
    CHECK_THROWS_WITH(evaluate(numbers, pictures({0.1F}, {"a"}), pictures({0.2F}, {"a"}), options),
                      contains("rows of numbers"));
}

TEST_CASE("Accuracies that say nothing are marked: one class to learn from, one code for all") {
    const Model model = first_value_model(rows);
    EvaluateOptions options;
    options.k = 50;
    options.linear = true;
    const auto test = pictures({0.1F, 0.9F}, {"left", "right"});
    const Evaluation one = evaluate(model, pictures({0.1F, 0.2F}, {"left", "left"}), test, options);
    CHECK(one.train_classes == 1);
    CHECK(!one.codes_alike);
    CHECK(one.k == 2);
    CHECK(one.linear->c == 0.0);
    const Evaluation same = evaluate(model, pictures({0.5F, 0.5F}, {"left", "right"}), test, options);
    CHECK(same.train_classes == 2);
    CHECK(same.codes_alike);
    for (const auto& figure : {same.knn_accuracy, same.pca_knn_accuracy, same.linear->accuracy}) {
        CHECK(std::isfinite(figure.mean));
    }
}

TEST_CASE("One set is split in halves, the same way every time") {
    const Model model = first_value_model(rows);
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
    const Evaluation evaluation = evaluate(model, set, options);
    CHECK(evaluation.splits == 6);
    CHECK(evaluation.train_pictures == 30);
    CHECK(evaluation.test_pictures == 30);
    CHECK(evaluation.knn_accuracy.mean > 0.7);
    CHECK(evaluation.knn_accuracy.mean < 1.0);
    CHECK(evaluation.knn_accuracy.deviation > 0.0);
    CHECK(evaluation.classes.at(0).pictures + evaluation.classes.at(1).pictures == 6 * 30);
    const Evaluation again = evaluate(model, set, options);
    CHECK(again.knn_accuracy.mean == evaluation.knn_accuracy.mean);
    CHECK(again.confusion == evaluation.confusion);
    options.seed = 1;
    CHECK(evaluate(model, set, options).confusion != evaluation.confusion);
}

TEST_CASE("Groups are never parted, and those in both sets are counted") {
    // Each group is a place of its own; its class is chance. Within a group a neighbour knows it.
    const Model model = first_value_model(rows);
    std::vector<float> places;
    std::vector<std::string> labels;
    std::vector<PictureLabel> grouped;
    for (int i = 0; i < 80; ++i) {
        places.push_back(static_cast<float>(i / 4) / 20.0F);
        labels.emplace_back(i / 4 * 7 % 5 % 2 == 0 ? "a" : "b");
        grouped.push_back({labels.back(), std::to_string(i / 4)});
    }
    const auto set = pictures(places, labels);
    const auto groups = set.with_labels(grouped);
    const EvaluateOptions options{.k = 1, .splits = 5, .linear = true};
    CHECK(evaluate(model, set, options).knn_accuracy.mean > 0.95);
    const Evaluation whole = evaluate(model, groups, options);
    CHECK(whole.knn_accuracy.mean < 0.8);
    CHECK(whole.groups == 20);
    CHECK(whole.shared_groups == 0);
    CHECK(evaluate(model, set, options).groups == 0);
    const std::vector<std::int64_t> some{0, 1, 4, 5, 79};
    const Evaluation both = evaluate(model, groups, groups.subset(some), options);
    CHECK(both.groups == 20);
    CHECK(both.shared_groups == 3);
    CHECK_THROWS_WITH(evaluate(model, groups.subset(std::vector<std::int64_t>{0, 1, 2}), options),
                      contains("all pictures are of one group"));
}

TEST_CASE("What each channel's statistics tell is a baseline, whatever a model makes of the pictures") {
    // Two pixels of two channels; the code is the first value, which tells nothing. The second channel's
    // deviation does.
    Model model = first_value_model({2, 1, 2});
    model.preprocessing.measured = true;
    const auto set = [](const std::vector<float>& values, const std::vector<std::string>& labels) {
        Tensor tensor({static_cast<std::int64_t>(labels.size()), 2, 1, 2});
        std::copy(values.begin(), values.end(), tensor.data());
        return ImageDataset::from_tensor(std::move(tensor), labels);
    };
    const auto train = set({0.5F, 0.2F, 0.5F, 0.8F, 0.5F, 0.5F, 0.5F, 0.5F}, {"mixed", "even"});
    const auto test = set({0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.8F, 0.5F, 0.2F}, {"even", "mixed"});
    EvaluateOptions options;
    options.k = 1;
    const Evaluation evaluation = evaluate(model, train, test, options);
    CHECK(evaluation.statistics == 8);
    CHECK(evaluation.statistics_knn_accuracy.mean == 1.0);
    CHECK(evaluation.knn_accuracy.mean == 0.5);
    const std::string json = to_json(evaluation, options).text();
    CHECK_THAT(json, contains("\"channel_statistics\""));
    model.preprocessing.mean = {0.1F, 0.2F, 0.3F, 0.4F};
    model.preprocessing.deviation = {2.0F, 5.0F, 0.5F, 1.0F};
    CHECK(evaluate(model, train, test, options).statistics_knn_accuracy.mean == 1.0);
}

TEST_CASE("A set without labels is measured by its reconstruction") {
    const Evaluation evaluation = evaluate(first_value_model(rows), pictures({0.1F, 0.5F, 0.7F}, {}), {});
    CHECK(!evaluation.labelled);
    CHECK(evaluation.sse_per_image.mean == Approx(0.25));
    CHECK(evaluation.mean_sse_per_image.mean > 0.0);
}

TEST_CASE("Without an output named the linear classifier sees the last one, all else the first") {
    const bool mirrored = GENERATE(false, true);
    const Shape shape = mirrored ? Shape{2, 1, 1} : rows;
    const Model model =
        first_value_model(shape, ", dense:3:activation=tanh", {{"embedding", 1}, {"wide", 2}});
    const auto train = pictures({0.1F, 0.2F, 0.8F, 0.9F}, {"a", "a", "b", "b"}, shape);
    const auto test = pictures({0.15F, 0.85F}, {"a", "b"}, shape);
    EvaluateOptions options;
    options.k = 1;
    options.linear = true;
    options.mirror = mirrored;
    const bool one_set = GENERATE(false, true);
    const auto run = [&](const std::string& output) {
        options.output = output;
        return one_set ? evaluate(model, train, options) : evaluate(model, train, test, options);
    };
    const Evaluation unnamed = run("");
    const Evaluation embedding = run("embedding");
    const Evaluation wide = run("2");
    CHECK(unnamed.code_size == 1);
    CHECK(unnamed.knn_accuracy.mean == embedding.knn_accuracy.mean);
    CHECK(unnamed.confusion == embedding.confusion);
    CHECK(unnamed.sse_per_image.mean == embedding.sse_per_image.mean);
    CHECK(unnamed.linear->output == "wide");
    CHECK(unnamed.linear->code_size == 3);
    CHECK(unnamed.linear->accuracy.mean == wide.linear->accuracy.mean);
    CHECK(unnamed.linear->c == wide.linear->c);
    CHECK(embedding.linear->output.empty());
    CHECK(embedding.linear->code_size == 1);
    CHECK(wide.code_size == 3);
    CHECK(wide.linear->output.empty());
}

TEST_CASE("Pictures are rebuilt as training says, or from the output that is named") {
    Model model =
        test::sample_model("dense:5, pca:3, l2_norm, nystroem:4", {1, 6, 1}, {{"embedding", 3}, {"wide", 4}});
    const Tensor values = random_values(7, 6);
    const auto set = rows_of(values, {});
    const auto error = [&](const Tensor& rebuilt) {
        const auto errors = squared_errors(model.preprocessing, values, rebuilt);
        return Approx(std::accumulate(errors.begin(), errors.end(), 0.0) / 7.0);
    };
    for (const std::size_t depth : {1U, 2U, 3U}) {
        model.reconstruction.depth = depth;
        CHECK(evaluate(model, set, set, {}).sse_per_image.mean == error(Encoder(model).reconstruct(values)));
    }
    for (const char* output : {"1", "embedding", "wide"}) {
        Encoder encoder(model, {.output = output});
        CHECK(evaluate(model, set, set, {.output = output}).sse_per_image.mean ==
              error(encoder.decode(encoder.encode(values))));
    }
    model.reconstruction.depth = 2;
    model.reconstruction.head = test::filled_stack("ridge_decoder:1:width=6", {1, 1, 3});
    CHECK(evaluate(model, set, set, {}).sse_per_image.mean == error(Encoder(model).reconstruct(values)));
}

TEST_CASE("A model that cannot rebuild pictures is measured by its codes alone") {
    const Model model = test::sample_model("contrast_norm, dense:3", {1, 6, 1});
    const std::vector<std::string> labels{"a", "a", "a", "b", "b", "b"};
    const auto set = rows_of(random_values(6, 6), labels);
    const Evaluation evaluation = evaluate(model, set, set, {.k = 1});
    CHECK(std::isnan(evaluation.sse_per_image.mean));
    CHECK(evaluation.mean_sse_per_image.mean > 0.0);
    CHECK(evaluation.knn_accuracy.mean == 1.0);
    CHECK(std::isnan(evaluate(model, set, {}).sse_per_image.mean));
}

TEST_CASE("What evaluating would take is counted before it is taken") {
    const Model model = first_value_model(rows, ", dense:3", {{"embedding", 1}, {"wide", 2}});
    const auto set = pictures({0.1F, 0.2F, 0.8F, 0.9F}, {"a", "a", "b", "b"});
    EvaluateOptions options;
    options.memory = 100;
    CHECK_THROWS_WITH(evaluate(model, set, set, options),
                      contains("8 pictures of 2 values with codes of 1, 100 bytes allowed"));
    options.linear = true;
    CHECK_THROWS_WITH(evaluate(model, set, set, options),
                      contains("8 pictures of 2 values with codes of 1 and 3 (wide), 100 bytes allowed"));
}

TEST_CASE("Errors of pictures that were standardised are in their own units") {
    Preprocessing preprocessing;
    preprocessing.height = 1;
    preprocessing.width = 2;
    Tensor pictures({2, 2});
    Tensor rebuilt({2, 2});
    rebuilt.row(0)[0] = 3.0F;
    rebuilt.row(1)[0] = rebuilt.row(1)[1] = -1.0F;
    CHECK(squared_errors(preprocessing, pictures, rebuilt) == std::vector<double>{9.0, 2.0});
    preprocessing.mean = {5.0F, 5.0F};
    preprocessing.deviation = {2.0F, 10.0F};
    CHECK(squared_errors(preprocessing, pictures, rebuilt) == std::vector<double>{36.0, 104.0});
    CHECK_THROWS_AS(squared_errors(preprocessing, pictures, Tensor({2, 3})), InvalidArgument);
}

TEST_CASE("Evaluations that make no sense are refused") {
    const Model model = first_value_model(rows);
    const auto one = pictures({0.1F}, {"a"});
    CHECK_THROWS_WITH(evaluate(model, one, EvaluateOptions{}), contains("at least 2 expected"));
    EvaluateOptions options;
    options.k = 0;
    CHECK_THROWS_AS(evaluate(model, one, one, options), InvalidArgument);
    options = {};
    options.splits = 0;
    CHECK_THROWS_AS(evaluate(model, one, options), InvalidArgument);
    options = {};
    options.output = "wide";
    CHECK_THROWS_WITH(evaluate(model, one, one, options), contains("output: \"wide\" found"));
}

#include <algorithm>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"

#include "base/random.hpp"
#include "base/rows.hpp"
#include "model/sample_model.hpp"
#include "model/split.hpp"
#include "support/catch.hpp"

using namespace stackae;

namespace {

constexpr std::int64_t pictures_count = 240;
constexpr std::int64_t side = 6;

float uniform(std::int64_t i) {
    return base::Random::uniform(
        base::Random(9, base::RandomStream::plan).block(static_cast<std::uint32_t>(i))[0]);
}

/// Three classes that differ in one bright column, under much noise.
Tensor pixels() {
    Tensor tensor({pictures_count, side, side});
    for (std::int64_t i = 0; i < pictures_count; ++i) {
        for (std::int64_t p = 0; p < side * side; ++p) {
            const bool bright = p % side == i % 3;
            tensor.row(i)[static_cast<std::size_t>(p)] =
                0.8F * uniform(i * side * side + p) + (bright ? 0.2F : 0.0F);
        }
    }
    return tensor;
}

std::vector<std::string> labels() {
    std::vector<std::string> names;
    for (std::int64_t i = 0; i < pictures_count; ++i) {
        names.emplace_back(1, static_cast<char>('a' + i % 3));
    }
    return names;
}

/// Random layers whose codes are told apart at depths of 20, 9 and 3 values and, where there are Nyström
/// features, of their 8.
Model random_stack(bool nystroem = false, const std::string& pooled = {}) {
    std::string text = "conv2d:5:kernel=2, pool2d:grid=2, " + pooled +
                       "dense:9:activation=sigmoid, dense:3:activation=linear, l2_norm";
    const std::size_t depth = pooled.empty() ? 5 : 6;
    std::vector<NamedOutput> outputs{{"embedding", depth}};
    if (nystroem) {
        text += ", nystroem:8";
        outputs.push_back({"wide", depth + 1});
    }
    Model model = test::sample_model(text, {side, side, 1}, outputs);
    model.record.config.seed = 3;
    model.record.config.validation = 0.25;
    model.record.pictures = pictures_count;
    return model;
}

/// What depth_accuracies() is to give where nothing is left out: each depth on its own, all pictures at once.
double expected(const Model& model, std::size_t depth, Metric metric, std::int64_t k) {
    const Tensor all = pixels();
    const auto names = labels();
    const Split split = split_pictures(model.record.config, pictures_count);
    Encoder encoder(model, {.output = std::to_string(depth)});
    NeighbourIndex index(encoder.encode(base::gather_rows(all, split.train)), metric);
    const Neighbours found = index.search(encoder.encode(base::gather_rows(all, split.held_out)), k);
    std::vector<std::int64_t> known;
    for (const std::int64_t row : split.train) {
        known.push_back(names[static_cast<std::size_t>(row)][0]);
    }
    const auto given = vote(found, known);
    double right = 0.0;
    for (std::size_t i = 0; i < given.size(); ++i) {
        right += given[i] == names[static_cast<std::size_t>(split.held_out[i])][0] ? 1.0 : 0.0;
    }
    return right / static_cast<double>(given.size());
}

}  // namespace

TEST_CASE("A depth's accuracy is that of its codes on what training held out") {
    const bool nystroem = GENERATE(false, true);
    const Model model = random_stack(nystroem);
    const ImageDataset pictures = ImageDataset::from_tensor(pixels(), labels());
    DepthComparisonOptions options;
    options.k = GENERATE(1, 5);
    options.memory = GENERATE(std::int64_t{1} << 30, std::int64_t{1} << 15);  // one block, and many
    std::int64_t done = 0;
    const auto found = depth_accuracies(model, pictures, options, [&](std::int64_t now, std::int64_t of) {
        CHECK(of == pictures_count);
        done = now;
    });
    CHECK(done == pictures_count);
    std::vector<std::size_t> depths;
    for (const DepthAccuracy& accuracy : found) {
        depths.push_back(accuracy.depth);
        CHECK(accuracy.pictures == 60);
        CHECK(accuracy.neighbours == 180);
        CHECK(accuracy.k == options.k);
        CHECK(accuracy.l2 == expected(model, accuracy.depth, Metric::l2, options.k));
        CHECK(accuracy.cosine == expected(model, accuracy.depth, Metric::cosine, options.k));
    }
    CHECK(depths == (nystroem ? std::vector<std::size_t>{2, 3, 5, 6} : std::vector<std::size_t>{2, 3, 5}));
}

TEST_CASE("Depths above layers that pool over turns are compared by what all turns give") {
    const Model model = random_stack(true, "group_pool:rotate90, ");
    const auto found = depth_accuracies(model, ImageDataset::from_tensor(pixels(), labels()), {.k = 5});
    std::vector<std::size_t> depths;
    for (const DepthAccuracy& accuracy : found) {
        depths.push_back(accuracy.depth);
        CHECK(accuracy.l2 == expected(model, accuracy.depth, Metric::l2, 5));
    }
    CHECK(depths == std::vector<std::size_t>{3, 4, 6, 7});
}

TEST_CASE("Pictures without a label are left out, and the numbers are bounded") {
    const Model model = random_stack();
    DepthComparisonOptions options;
    options.max_pictures = 10;
    options.max_neighbours = 50;
    const auto some = depth_accuracies(model, ImageDataset::from_tensor(pixels(), labels()), options);
    REQUIRE(some.size() == 3);
    CHECK(some.front().pictures == 10);
    CHECK(some.front().neighbours == 50);
    CHECK(depth_accuracies(model, ImageDataset::from_tensor(pixels())).empty());
    const std::vector<std::string> one_class(pictures_count, "a");
    CHECK(depth_accuracies(model, ImageDataset::from_tensor(pixels(), one_class)).empty());
}

TEST_CASE("Codes that are too long to be compared are left out, but for the first output's") {
    const Model model = random_stack();
    const auto depths = [&](std::int64_t max_values) {
        std::vector<std::size_t> found;
        DepthComparisonOptions options;
        options.max_values = max_values;
        for (const DepthAccuracy& accuracy :
             depth_accuracies(model, ImageDataset::from_tensor(pixels(), labels()), options)) {
            found.push_back(accuracy.depth);
        }
        return found;
    };
    CHECK(depths(9) == std::vector<std::size_t>{3, 5});
    CHECK(depths(1) == std::vector<std::size_t>{5});
}

TEST_CASE("A depth that gives every picture one code has no accuracy") {
    Model model = random_stack();
    test::set_tensor(model, 3, "weights", {});
    const auto measured = depth_accuracies(model, ImageDataset::from_tensor(pixels(), labels()));
    REQUIRE(measured.size() == 2);
    CHECK(measured.back().depth == 3);
}

TEST_CASE("Without a part held out there is nothing to measure on") {
    Model model = random_stack();
    model.record.config.validation = 0.0;
    CHECK(depth_accuracies(model, ImageDataset::from_tensor(pixels(), labels())).empty());
    CHECK(recommended_depth(model) == 0);
}

TEST_CASE("Other pictures than those trained on are refused") {
    Model model = random_stack();
    model.record.pictures = pictures_count + 1;
    CHECK_THROWS_AS(depth_accuracies(model, ImageDataset::from_tensor(pixels(), labels())), InvalidArgument);
}

TEST_CASE("The depth of the best accuracy is recommended, the shorter code among equals") {
    Model model = random_stack();  // codes of 20, 9 and 3 values
    model.record.accuracies = {
        {2, 0.5, 0.7, 60, 180, 5}, {3, 0.6, 0.6, 60, 180, 5}, {5, 0.1, 0.2, 60, 180, 5}};
    CHECK(recommended_depth(model) == 2);
    model.record.accuracies[1].l2 = 0.7;
    CHECK(recommended_depth(model) == 3);
    model.record.accuracies[2].cosine = 0.71;
    CHECK(recommended_depth(model) == 5);
}

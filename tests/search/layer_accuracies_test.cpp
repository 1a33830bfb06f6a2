#include <algorithm>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"

#include "base/random.hpp"
#include "base/rows.hpp"
#include "model/split.hpp"
#include "support/catch.hpp"

using namespace stackae;

namespace {

constexpr std::int64_t pictures_count = 240;
constexpr std::int64_t side = 6;

float uniform(std::int64_t i) {
    return base::Random::uniform(base::Random(9, base::Stream::plan).block(static_cast<std::uint32_t>(i))[0]);
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

Tensor random_tensor(std::vector<std::int64_t> shape, std::int64_t salt) {
    Tensor tensor(std::move(shape));
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
        tensor.data()[i] = uniform(1'000'000 + salt * 10'000 + i) - 0.5F;
    }
    return tensor;
}

DenseLayer dense(std::int64_t inputs, std::int64_t units, Activation activation) {
    return {activation,      Activation::linear,      random_tensor({units, inputs}, units),
            Tensor({units}), Tensor({inputs, units}), Tensor({inputs})};
}

/// A convolutional layer, a dense one and a code, all of random weights.
Model random_stack() {
    Model model;
    model.recipe.height = side;
    model.recipe.width = side;
    ConvolutionLayer layer;
    layer.shape.height = side;
    layer.shape.width = side;
    layer.shape.kernel = 2;
    layer.shape.whitened = 4;
    layer.shape.units = 5;
    layer.shape.pool_size = 0;
    layer.shape.pool_stride = 0;
    layer.shape.grid = 2;
    layer.whitening = random_tensor({4, 4}, 1);
    layer.patch_mean = Tensor({4});
    layer.weights = random_tensor({5, 4}, 2);
    layer.bias = Tensor({5});
    layer.decoder_weights = Tensor({4, 5});
    layer.decoder_bias = Tensor({4});
    layer.offset = Tensor({side * side});
    model.convolutions.push_back(std::move(layer));
    model.layers.push_back(dense(20, 9, Activation::sigmoid));
    model.layers.push_back(dense(9, 3, Activation::linear));
    model.l2_normalize = true;
    model.options.seed = 3;
    model.options.validation = 0.25;
    model.pictures = pictures_count;
    return model;
}

/// What layer_accuracies() is to give where nothing is left out: each layer on its own, all at once.
double expected(const Model& model, int layer, Metric metric, std::int64_t k) {
    const Tensor all = pixels();
    const auto names = labels();
    const Split split = split_pictures(model.options, pictures_count);
    Encoder encoder(model,
                    {.layer = layer, .l2_normalize = layer == model.code_layer() && model.l2_normalize});
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

TEST_CASE("each layer's accuracy is that of its codes on what training held out") {
    Model model = random_stack();
    const bool radial = GENERATE(false, true);
    if (radial) {
        model.radial = RadialLayer{Tensor({3}), random_tensor({8, 3}, 7), random_tensor({8, 4}, 8)};
        std::fill_n(model.radial->scale.data(), 3, 0.5F);
        for (float& value : model.radial->centres.values()) {
            value *= 0.1F;
        }
    }
    const Pictures pictures = Pictures::from_tensor(pixels(), labels());
    LayerComparisonOptions options;
    options.k = GENERATE(1, 5);
    options.memory = GENERATE(std::int64_t{1} << 30, std::int64_t{1} << 15);  // one block, and many
    std::int64_t done = 0;
    const auto found = layer_accuracies(model, pictures, options, [&](std::int64_t now, std::int64_t of) {
        CHECK(of == pictures_count);
        done = now;
    });
    CHECK(done == pictures_count);
    REQUIRE(found.size() == (radial ? 4 : 3));
    for (const LayerAccuracy& accuracy : found) {
        CHECK(accuracy.pictures == 60);
        CHECK(accuracy.neighbours == 180);
        CHECK(accuracy.k == options.k);
        CHECK(accuracy.l2 == expected(model, accuracy.layer, Metric::l2, options.k));
        CHECK(accuracy.cosine == expected(model, accuracy.layer, Metric::cosine, options.k));
    }
}

TEST_CASE("pictures without a label are left out, and the numbers are bounded") {
    const Model model = random_stack();
    LayerComparisonOptions options;
    options.most_pictures = 10;
    options.most_neighbours = 50;
    const auto some = layer_accuracies(model, Pictures::from_tensor(pixels(), labels()), options);
    REQUIRE(some.size() == 3);
    CHECK(some.front().pictures == 10);
    CHECK(some.front().neighbours == 50);
    CHECK(layer_accuracies(model, Pictures::from_tensor(pixels())).empty());
    const std::vector<std::string> one_class(pictures_count, "a");
    CHECK(layer_accuracies(model, Pictures::from_tensor(pixels(), one_class)).empty());
}

TEST_CASE("a layer that gives every picture one code has no accuracy") {
    Model model = random_stack();
    std::fill_n(model.layers.back().weights.data(), model.layers.back().weights.size(), 0.0F);
    const auto measured = layer_accuracies(model, Pictures::from_tensor(pixels(), labels()));
    REQUIRE(measured.size() == 2);
    CHECK(measured.back().layer == 2);
}

TEST_CASE("without a part held out there is nothing to measure on") {
    Model model = random_stack();
    model.options.validation = 0.0;
    CHECK(layer_accuracies(model, Pictures::from_tensor(pixels(), labels())).empty());
    CHECK(recommended_layer(model) == 0);
}

TEST_CASE("other pictures than those trained on are refused") {
    Model model = random_stack();
    model.pictures = pictures_count + 1;
    CHECK_THROWS_AS(layer_accuracies(model, Pictures::from_tensor(pixels(), labels())), InvalidArgument);
}

TEST_CASE("the layer of the best accuracy is recommended, the shorter code among equals") {
    Model model = random_stack();  // codes of 20, 9 and 3 values
    model.layer_accuracies = {
        {1, 0.5, 0.7, 60, 180, 5}, {2, 0.6, 0.6, 60, 180, 5}, {3, 0.1, 0.2, 60, 180, 5}};
    CHECK(recommended_layer(model) == 1);
    model.layer_accuracies[1].l2 = 0.7;
    CHECK(recommended_layer(model) == 2);
    model.layer_accuracies[2].cosine = 0.71;
    CHECK(recommended_layer(model) == 3);
}

#include "stackae/error.hpp"
#include "stackae/visualize.hpp"

#include "support/catch.hpp"
#include "support/tensor.hpp"

namespace stackae {
namespace {

using test::tensor;

/// One convolutional layer of two units on patches of 2 × 2 pixels, whitened by 2 I: the first looks for the
/// upper left pixel, the second for the lower right one less the upper left.
Model corners() {
    Model model;
    model.recipe.height = 4;
    model.recipe.width = 5;
    ConvolutionLayer layer;
    layer.shape.height = 4;
    layer.shape.width = 5;
    layer.shape.kernel = 2;
    layer.shape.whitened = 4;
    layer.shape.units = 2;
    layer.shape.contrast = false;
    layer.shape.pool_size = 0;
    layer.shape.pool_stride = 0;
    layer.shape.grid = 1;
    layer.whitening = tensor({4, 4}, {2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2});
    layer.patch_mean = Tensor({4});
    layer.weights = tensor({2, 4}, {1, 0, 0, 0, -1, 0, 0, 1});
    layer.bias = Tensor({2});
    layer.decoder_weights = tensor({4, 2}, {8, -2, 0, 0, 0, 0, 0, 4});
    layer.decoder_bias = Tensor({4});
    layer.offset = Tensor({20});
    model.convolutions.push_back(std::move(layer));
    return model;
}

/// Dark pictures of 4 × 5 with one bright pixel each.
Pictures spots(const std::vector<std::size_t>& places) {
    Tensor pictures({static_cast<std::int64_t>(places.size()), 4, 5});
    for (std::size_t i = 0; i < places.size(); ++i) {
        pictures.row(static_cast<std::int64_t>(i))[places[i]] = 1.0F;
    }
    return Pictures::from_tensor(std::move(pictures));
}

}  // namespace

TEST_CASE("A unit of the lowest convolutional layer is drawn as its patch, without the whitening") {
    const Filters filters = weight_filters(corners(), 1, 1);
    CHECK(filters.units == 2);
    CHECK(filters.height == 2);
    CHECK(filters.width == 2);
    REQUIRE(filters.tiles.size() == 2);
    CHECK(filters.tiles[0] == std::vector<float>{1.0F, 0.5F, 0.5F, 0.5F});
    CHECK(filters.tiles[1] == std::vector<float>{0.25F, 0.5F, 0.5F, 1.0F});
}

TEST_CASE("What excites a unit is cut out where its activation was the largest") {
    std::int64_t done = 0;
    const Filters filters =
        receptive_fields(corners(), 1, spots({0, 7, 13}), 1, [&](std::int64_t pictures) { done = pictures; });
    CHECK(done == 3);
    CHECK(filters.skipped.empty());
    REQUIRE(filters.tiles.size() == 2);
    CHECK(filters.tiles[0] == std::vector<float>{1.0F, 0.0F, 0.0F, 0.0F});
    // The spot in the corner is nobody's lower right; the others are.
    CHECK(filters.tiles[1] == std::vector<float>{0.0F, 0.0F, 0.0F, 1.0F});
}

TEST_CASE("A unit that no picture excites is gray") {
    const Filters filters = receptive_fields(corners(), 1, spots({19}), 1);  // nobody's upper left
    REQUIRE(filters.tiles.size() == 2);
    CHECK(filters.tiles[0] == std::vector<float>(4, 0.5F));
}

TEST_CASE("A unit of a layer above is drawn as what it decodes to, cut to where units differ") {
    Model model = corners();
    DenseLayer code;
    code.activation = Activation::linear;
    code.decoder = Activation::linear;
    code.weights = tensor({1, 2}, {1, 0});
    code.bias = Tensor({1});
    code.decoder_weights = tensor({2, 1}, {1, 0});
    code.decoder_bias = tensor({2}, {3, 4});
    model.layers.push_back(std::move(code));
    const Filters filters = weight_filters(model, 2, 1);
    CHECK(filters.units == 1);
    // The patch's upper left pixel at 3 × 4 places: the last row and column see nothing of it.
    CHECK(filters.height == 3);
    CHECK(filters.width == 4);
    REQUIRE(filters.tiles.size() == 1);
    CHECK(filters.tiles[0].size() == 12);
    CHECK(filters.tiles[0][0] == 1.0F);
}

TEST_CASE("A layer that is not there has no filters") {
    for (const int layer : {0, 2}) {
        CHECK_THROWS_AS(weight_filters(corners(), layer), InvalidArgument);
        CHECK_THROWS_AS(receptive_fields(corners(), layer, spots({0})), InvalidArgument);
    }
}

}  // namespace stackae

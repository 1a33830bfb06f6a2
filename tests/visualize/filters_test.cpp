#include <numeric>

#include "stackae/error.hpp"
#include "stackae/visualize.hpp"

#include "model/sample_model.hpp"
#include "support/catch.hpp"

namespace stackae {
namespace {

/// Pictures of 4 × 5 under a convolution of two units on patches of 2 × 2 pixels, whitened by 2 I: the first
/// looks for the upper left pixel, the second for the lower right one less the upper left. Then other layers.
Model corners(const std::string& fields = "", const std::string& above = "") {
    Model model = test::sample_model("conv2d:2:kernel=2:contrast_norm=false:whitening_dim=4" + fields + above,
                                     {4, 5, 1});
    test::set_tensor(model, 0, "whitening", {2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2});
    test::set_tensor(model, 0, "patch_mean", {});
    test::set_tensor(model, 0, "weights", {1, 0, 0, 0, -1, 0, 0, 1});
    test::set_tensor(model, 0, "bias", {});
    test::set_tensor(model, 0, "decoder_weights", {8, -2, 0, 0, 0, 0, 0, 4});
    test::set_tensor(model, 0, "decoder_bias", {});
    test::set_tensor(model, 0, "gain", {1});
    test::set_tensor(model, 0, "offset", {});
    return model;
}

/// Dark pictures of 4 × 5 with one bright pixel each.
ImageDataset spots(const std::vector<std::size_t>& places) {
    Tensor pictures({static_cast<std::int64_t>(places.size()), 4, 5});
    for (std::size_t i = 0; i < places.size(); ++i) {
        pictures.row(static_cast<std::int64_t>(i))[places[i]] = 1.0F;
    }
    return ImageDataset::from_tensor(std::move(pictures));
}

/// A dark tile of that size with one bright pixel.
Tile spot(std::size_t size, std::size_t place) {
    Tile tile(size, 0.0F);
    tile[place] = 1.0F;
    return tile;
}

}  // namespace

TEST_CASE("A unit of the lowest convolutional layer is drawn as its patch, without the whitening") {
    const Filters filters = weight_filters(corners(), "1", 1);
    CHECK(filters.units == 2);
    CHECK(filters.height == 2);
    CHECK(filters.width == 2);
    REQUIRE(filters.tiles.size() == 2);
    CHECK(filters.tiles[0] == std::vector<float>{1.0F, 0.5F, 0.5F, 0.5F});
    CHECK(filters.tiles[1] == std::vector<float>{0.25F, 0.5F, 0.5F, 1.0F});
}

TEST_CASE("A unit of the lowest dense layer is drawn as its weights, as large as a picture") {
    Model model = test::sample_model("dense:2, dense:3", {2, 3, 1});
    test::set_tensor(model, 0, "weights", {0, 1, 2, -2, -1, 0, 0, 0, 0, 0, 0, 0});
    const Filters filters = weight_filters(model, "1", 1);
    CHECK(filters.height == 2);
    CHECK(filters.width == 3);
    REQUIRE(filters.tiles.size() == 2);
    CHECK(filters.tiles[0] == std::vector<float>{0.5F, 0.75F, 1.0F, 0.0F, 0.25F, 0.5F});
    CHECK(filters.tiles[1] == std::vector<float>(6, 0.5F));
}

TEST_CASE("Of very many units those of the largest weights are drawn, in their order") {
    Model model = test::sample_model("dense:402", {1, 2, 1});
    std::vector<float> weights(804);
    std::iota(weights.begin(), weights.end(), -2.0F);  // of the second unit zeros and ones
    test::set_tensor(model, 0, "weights", weights);
    const Filters filters = weight_filters(model, "", 1);
    CHECK(filters.units == 402);
    REQUIRE(filters.tiles.size() == max_filters);
    CHECK(filters.tiles[0][0] < filters.tiles[399][0]);
    CHECK(filters.tiles[0][0] == 0.5F + 0.5F * 2.0F / 3.0F);  // the third unit's
}

TEST_CASE("What excites a unit is cut out where its activation was the largest") {
    std::int64_t done = 0;
    const Filters filters = receptive_fields(corners(), "1", spots({0, 7, 13}), 1,
                                             [&](std::int64_t pictures) { done = pictures; });
    CHECK(done == 3);
    CHECK(filters.skipped.empty());
    REQUIRE(filters.tiles.size() == 2);
    CHECK(filters.tiles[0] == std::vector<float>{1.0F, 0.0F, 0.0F, 0.0F});
    // The spot in the corner is nobody's lower right; the others are.
    CHECK(filters.tiles[1] == std::vector<float>{0.0F, 0.0F, 0.0F, 1.0F});
}

TEST_CASE("A unit that no picture excites is gray") {
    const Filters filters = receptive_fields(corners(), "1", spots({19}), 1);  // nobody's upper left
    REQUIRE(filters.tiles.size() == 2);
    CHECK(filters.tiles[0] == std::vector<float>(4, 0.5F));
}

TEST_CASE("A unit of pooled maps sees all that its positions see") {
    const Model model = corners("", ", pool2d:2, power_norm");
    for (const char* output : {"2", "3"}) {
        const Filters filters = receptive_fields(model, output, spots({8}), 1);
        CHECK(filters.height == 3);
        CHECK(filters.width == 3);
        CHECK(filters.units == 2);
        // In row 1 and column 3 of the picture: of the second cell, which begins at column 2.
        CHECK(filters.tiles.at(0) == spot(9, 4));
    }
}

TEST_CASE("A unit of a grid's cell sees the cell in pictures that are no squares") {
    const Model model = corners("", ", pool2d:grid=3");  // of 3 × 4 positions, so that cells differ
    const Filters filters = receptive_fields(model, "2", spots({13}), 1);
    CHECK(filters.height == 2);
    CHECK(filters.width == 3);
    CHECK(filters.tiles.at(0) == spot(6, 1));  // row 2 and column 3: of the last cell, from row 2, column 2
}

TEST_CASE("What a unit sees of the padding is left out") {
    const Filters filters = receptive_fields(corners(":pad=1"), "1", spots({0}), 1);
    CHECK(filters.height == 2);
    CHECK(filters.width == 2);
    CHECK(filters.tiles.at(0) == spot(4, 0));
    CHECK(filters.tiles.at(1) == spot(4, 0));  // whose own patch begins above and beside the picture
}

TEST_CASE("A unit of a dense layer sees the whole picture, whatever is below it") {
    const Model model = corners("", ", pool2d:grid=2, dense:3:activation=sigmoid");
    const Filters filters = receptive_fields(model, "", spots({13}), 1);
    CHECK(filters.height == 4);
    CHECK(filters.width == 5);
    CHECK(filters.units == 3);
    CHECK(filters.tiles.at(2) == spot(20, 13));
}

TEST_CASE("A unit of a layer above is drawn as what it decodes to, cut to where units differ") {
    Model model = corners("", ", pool2d:grid=1, dense:1:activation=linear:output=linear");
    test::set_tensor(model, 2, "decoder_weights", {1, 0});
    test::set_tensor(model, 2, "decoder_bias", {3, 4});
    const Filters filters = weight_filters(model, "3", 1);
    CHECK(filters.units == 1);
    // The patch's upper left pixel at 3 × 4 places: the last row and column see nothing of it.
    CHECK(filters.height == 3);
    CHECK(filters.width == 4);
    REQUIRE(filters.tiles.size() == 1);
    CHECK(filters.tiles[0].size() == 12);
    CHECK(filters.tiles[0][0] == 1.0F);
}

TEST_CASE("A unit of maps above the lowest layer is drawn as it decodes in their middle") {
    const Filters filters = weight_filters(corners("", ", pool2d:1"), "2", 1);
    CHECK(filters.units == 2);
    // In row 1 and column 2 of the positions: a patch's upper left pixel, and its corners.
    CHECK(filters.height == 2);
    CHECK(filters.width == 2);
    CHECK(filters.tiles.at(0).front() == 1.0F);
}

TEST_CASE("An output that is not there has no filters") {
    for (const char* output : {"0", "2", "wide"}) {
        CHECK_THROWS_AS(weight_filters(corners(), output), InvalidArgument);
        CHECK_THROWS_AS(receptive_fields(corners(), output, spots({0})), InvalidArgument);
    }
}

TEST_CASE("Layers that cannot be inverted have no filters above them, and say so") {
    const Model model = test::sample_model("contrast_norm, dense:3", {4, 5, 1});
    CHECK_THROWS_WITH(weight_filters(model, "2", 1), test::contains("contrast_norm found"));
    CHECK(receptive_fields(model, "2", spots({3}), 1).tiles.size() == 3);
}

}  // namespace stackae

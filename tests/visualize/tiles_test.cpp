#include "stackae/visualize.hpp"

#include "support/catch.hpp"
#include "support/tensor.hpp"

namespace stackae {
namespace {

TEST_CASE("Tiles lie in rows on gray, a pixel apart") {
    const Tensor picture = draw_tiles({{0.0F, 1.0F}, {0.25F, 0.75F}, {1.0F, 0.0F}},
                                      {.height = 1, .width = 2, .channels = 1, .columns = 2, .scale = 1});
    REQUIRE(picture.shape() == std::vector<std::int64_t>{5, 7, 1});
    const float g = 0.5F;
    const std::vector<float> expected{g, g,    g,    g, g,     g,     g,  //
                                      g, 0.0F, 1.0F, g, 0.25F, 0.75F, g,  //
                                      g, g,    g,    g, g,     g,     g,  //
                                      g, 1.0F, 0.0F, g, g,     g,     g,  //
                                      g, g,    g,    g, g,     g,     g};
    CHECK(std::vector<float>(picture.values().begin(), picture.values().end()) == expected);
}

TEST_CASE("A pixel is drawn as a square, with its channels together") {
    const Tensor picture =
        draw_tiles({{0.1F, 0.2F, 0.3F}}, {.height = 1, .width = 1, .channels = 3, .columns = 9, .scale = 2});
    REQUIRE(picture.shape() == std::vector<std::int64_t>{4, 4, 3});
    const auto row = picture.values().subspan(4 * 3, 12);
    const std::vector<float> expected{0.5F, 0.5F, 0.5F, 0.1F, 0.2F, 0.3F, 0.1F, 0.2F, 0.3F, 0.5F, 0.5F, 0.5F};
    CHECK(std::vector<float>(row.begin(), row.end()) == expected);
}

TEST_CASE("Two channels are drawn in false colours, more than three beside each other") {
    Filters two;
    two.height = 1;
    two.width = 2;
    two.channels = 2;
    two.tiles = {{0.1F, 0.2F, 0.3F, 0.4F}};
    const Filters coloured = in_colours(two);
    CHECK(coloured.channels == 3);
    CHECK(coloured.tiles[0] == std::vector<float>{0.1F, 0.2F, 0.1F, 0.3F, 0.4F, 0.3F});
    Filters four = two;
    four.channels = 4;
    four.tiles = {{1, 2, 3, 4, 5, 6, 7, 8}};
    const Filters beside = in_colours(four);
    CHECK(beside.channels == 1);
    CHECK(beside.height == 1);
    CHECK(beside.width == 11);
    CHECK(beside.tiles[0] == std::vector<float>{1, 5, 0.5F, 2, 6, 0.5F, 3, 7, 0.5F, 4, 8});
    Filters many;
    many.height = many.width = 1;
    many.channels = 10;
    many.tiles = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}};
    const Filters rows = in_colours(many);
    CHECK(rows.height == 5);
    CHECK(rows.width == 7);
    const Tile& tile = rows.tiles[0];
    CHECK(std::vector<float>(tile.begin(), tile.begin() + 7) ==
          std::vector<float>{0, 0.5F, 1, 0.5F, 2, 0.5F, 3});
    CHECK(tile[28] == 8.0F);
    CHECK(tile[34] == 0.5F);
    CHECK(draw(many).shape().back() == 1);
}

TEST_CASE("Numbers are those of the files again") {
    Preprocessing preprocessing;
    preprocessing.height = preprocessing.width = 1;
    preprocessing.channels = 2;
    preprocessing.measured = true;
    preprocessing.ranges = {{0.0F, 100.0F}, {-10.0F, 10.0F}};
    preprocessing.mean = {0.5F, 0.25F};
    preprocessing.deviation = {0.5F, 0.25F};
    Tensor picture({1, 2});
    picture.data()[0] = 1.0F;
    const Tensor numbers = to_numbers(preprocessing, picture);
    CHECK(numbers.data()[0] == 100.0F);
    CHECK(numbers.data()[1] == -5.0F);
}

TEST_CASE("Small pictures are enlarged, large ones are not") {
    CHECK(visible_scale(28, 28) == 2);
    CHECK(visible_scale(8, 4) == 8);
    CHECK(visible_scale(64, 10) == 1);
    CHECK(visible_scale(500, 500) == 1);
}

TEST_CASE("Originals lie above what is rebuilt of them, and are brought to black and white together") {
    Preprocessing preprocessing;
    preprocessing.height = preprocessing.width = 1;
    const Tensor picture =
        draw_reconstructions(preprocessing, {{0.0F}, {2.0F}, {1.0F}}, {{1.0F}, {2.0F}, {0.0F}}, 2, 1);
    REQUIRE(picture.shape() == std::vector<std::int64_t>{9, 5, 1});
    const auto at = [&](std::int64_t row, std::size_t column) { return picture.row(row)[column]; };
    CHECK(std::vector{at(1, 1), at(1, 3), at(3, 1), at(3, 3)} == std::vector{0.0F, 1.0F, 0.5F, 1.0F});
    CHECK(std::vector{at(5, 1), at(5, 3), at(7, 1), at(7, 3)} == std::vector{0.5F, 0.5F, 0.0F, 0.5F});
}

TEST_CASE("Standardised pictures become pixels again") {
    Preprocessing preprocessing;
    preprocessing.height = 1;
    preprocessing.width = 2;
    preprocessing.mean = {0.5F, 0.25F};
    preprocessing.deviation = {2.0F, 0.5F};
    const Tensor pixels = to_pixels(preprocessing, test::tensor({1, 2}, {0.1F, -0.5F}));
    CHECK(pixels.values()[0] == Approx(0.7F));
    CHECK(pixels.values()[1] == Approx(0.0F).margin(1e-6));
}

TEST_CASE("Pictures whose contrast was normalised are drawn from black to white, each on its own") {
    Preprocessing preprocessing;
    preprocessing.height = 1;
    preprocessing.width = 3;
    preprocessing.contrast = true;
    const Tensor pixels = to_pixels(preprocessing, test::tensor({2, 3}, {-1, 1, 0, 5, 5, 7}));
    const std::vector<float> expected{0.0F, 1.0F, 0.5F, 0.0F, 0.0F, 1.0F};
    CHECK(std::vector<float>(pixels.values().begin(), pixels.values().end()) == expected);
    CHECK_THROWS_WITH(to_pixels(preprocessing, Tensor({1, 4})), test::contains("4 values found, 3 expected"));
}

}  // namespace
}  // namespace stackae

#include "stackae/sprite_sheet.hpp"

#include "stackae/error.hpp"

#include "support/catch.hpp"

namespace stackae {
namespace {

/// The values of a pixel.
std::vector<float> pixel(const SpriteSheet& sheet, std::int64_t y, std::int64_t x) {
    const float* const values = sheet.picture().data() + (y * sheet.picture().shape()[1] + x) * 3;
    return {values, values + 3};
}

std::vector<float> filled(const SpriteSheet& sheet, std::int64_t channels, float value) {
    return std::vector<float>(static_cast<std::size_t>(sheet.thumbnail() * sheet.thumbnail() * channels),
                              value);
}

}  // namespace

TEST_CASE("Thumbnails lie in a square grid, one row after the other") {
    SpriteSheet sheet(5);
    CHECK(sheet.thumbnail() == 64);
    CHECK(sheet.picture().shape() == std::vector<std::int64_t>{192, 192, 3});
    Preprocessing like;
    like.height = 10;
    like.width = 20;
    like.resize = ResizeMode::squash;
    like.contrast = true;
    const Preprocessing gray = sheet.preprocessing(like);
    CHECK(gray.shape() == Shape{64, 64, 1});
    CHECK(gray.resize == ResizeMode::border);
    CHECK(gray.unit_range());
    sheet.put(0, filled(sheet, 1, 0.25F), gray);
    sheet.put(4, filled(sheet, 1, 0.5F), gray);
    CHECK(pixel(sheet, 0, 0) == std::vector{0.25F, 0.25F, 0.25F});
    CHECK(pixel(sheet, 63, 63) == std::vector{0.25F, 0.25F, 0.25F});
    CHECK(pixel(sheet, 64, 64) == std::vector{0.5F, 0.5F, 0.5F});
    CHECK(pixel(sheet, 0, 64) == std::vector{1.0F, 1.0F, 1.0F});  // nothing was put there
    CHECK(pixel(sheet, 191, 191) == std::vector{1.0F, 1.0F, 1.0F});
}

TEST_CASE("Colours stay, and measured channels are in gray") {
    SpriteSheet sheet(1);
    Preprocessing colours;
    colours.channels = 3;
    std::vector<float> picture = filled(sheet, 3, 0.0F);
    picture[0] = 0.75F;
    sheet.put(0, picture, sheet.preprocessing(colours));
    CHECK(pixel(sheet, 0, 0) == std::vector{0.75F, 0.0F, 0.0F});
    colours.measured = true;
    sheet.put(0, picture, sheet.preprocessing(colours));
    CHECK(pixel(sheet, 0, 0) == std::vector{0.25F, 0.25F, 0.25F});
}

TEST_CASE("Many pictures have small thumbnails, too many none") {
    CHECK(SpriteSheet(10'000).thumbnail() == 40);
    CHECK(SpriteSheet(262'144).thumbnail() == 8);
    CHECK(SpriteSheet(262'145).thumbnail() == 0);
    CHECK_THROWS_AS(SpriteSheet(0), InvalidArgument);
    SpriteSheet sheet(1);
    CHECK_THROWS_AS(sheet.put(1, filled(sheet, 1, 0.0F), sheet.preprocessing({})), InvalidArgument);
    CHECK_THROWS_AS(sheet.put(0, filled(sheet, 3, 0.0F), sheet.preprocessing({})), InvalidArgument);
}

}  // namespace stackae

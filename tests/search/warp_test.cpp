#include "search/warp.hpp"

#include <numeric>

#include "support/catch.hpp"

namespace stackae::search {
namespace {

constexpr std::int64_t side = Thumbnails::side;

/// 2 x + 3 y at each pixel.
Image plane() {
    Image image(static_cast<std::size_t>(Thumbnails::size));
    for (std::int64_t i = 0; i < Thumbnails::size; ++i) {
        image[static_cast<std::size_t>(i)] = static_cast<float>(2 * (i % side) + 3 * (i / side));
    }
    return image;
}

}  // namespace

TEST_CASE("A row of an image is seen as it is through the identity, whole or at every fourth place") {
    const std::int64_t step = GENERATE(1, 4);
    WarpedRow row{};
    warp_row(plane(), Affine{}, 5, step, 0.0F, row);
    for (std::int64_t i = 0; i < side / step; ++i) {
        const auto k = static_cast<std::size_t>(i);
        CAPTURE(i);
        CHECK(double{row.value[k]} == Approx(static_cast<double>(2 * i * step + 15)).margin(1e-3));
        CHECK(double{row.dx[k]} == Approx(2.0).margin(1e-3));
        CHECK(double{row.dy[k]} == Approx(3.0).margin(1e-3));
        CHECK(row.inside[k] == 1.0F);
    }
}

TEST_CASE("Places between pixels are interpolated, and those beyond the edge or its border are left out") {
    constexpr double pixel = 1.0 / static_cast<double>(side);
    const Affine moved{1.0, 0.0, 0.0, 1.0, {0.5 + 1.5 * pixel, 0.5 + 0.25 * pixel}};
    const float border = GENERATE(0.0F, 2.0F);
    WarpedRow row{};
    warp_row(plane(), moved, 10, 1, border, row);
    for (std::int64_t x = 0; x < side; ++x) {
        const auto k = static_cast<std::size_t>(x);
        const double there = static_cast<double>(x) + 1.5;
        const bool inside =
            there >= double{border} && there <= static_cast<double>(side - 1) - double{border};
        CAPTURE(x);
        CHECK(row.inside[k] == (inside ? 1.0F : 0.0F));
        CHECK(double{row.value[k]} == Approx(inside ? 2.0 * there + 3.0 * 10.25 : 0.0).margin(1e-3));
        CHECK((row.dx[k] != 0.0F) == inside);
    }
}

TEST_CASE("A turned and sheared row is seen where its map says") {
    const Affine map{0.5, -0.2, 0.3, 0.6, {0.5, 0.45}};
    WarpedRow row{};
    warp_row(plane(), map, 20, 2, 0.0F, row);
    constexpr auto pixels = static_cast<double>(side);
    for (std::int64_t i = 0; i < side / 2; ++i) {
        const Point there = map({(2.0 * static_cast<double>(i) + 0.5) / pixels, 20.5 / pixels});
        const double expected = 2.0 * (there.x * pixels - 0.5) + 3.0 * (there.y * pixels - 0.5);
        CAPTURE(i);
        CHECK(double{row.value[static_cast<std::size_t>(i)]} == Approx(expected).margin(1e-2));
        CHECK(row.inside[static_cast<std::size_t>(i)] == 1.0F);
    }
}

TEST_CASE("A blur keeps one colour, and spreads a point by its window") {
    Image half(static_cast<std::size_t>(Thumbnails::size));
    Image image(half.size(), 0.7F);
    blur(image, 2.0, half, image);
    for (const float value : image) {
        REQUIRE(double{value} == Approx(0.7).margin(1e-5));
    }
    Image point(half.size(), 0.0F);
    point[static_cast<std::size_t>(20 * side + 30)] = 1.0F;
    blur(point, 1.0, half, point);
    const auto at = [&](std::int64_t y, std::int64_t x) {
        return double{point[static_cast<std::size_t>(y * side + x)]};
    };
    CHECK(std::accumulate(point.begin(), point.end(), 0.0) == Approx(1.0).margin(1e-5));
    CHECK(at(20, 31) / at(20, 30) == Approx(std::exp(-0.5)).margin(1e-4));
    CHECK(at(19, 30) / at(20, 30) == Approx(std::exp(-0.5)).margin(1e-4));
    CHECK(at(22, 31) / at(20, 30) == Approx(std::exp(-2.5)).margin(1e-4));
}

}  // namespace stackae::search

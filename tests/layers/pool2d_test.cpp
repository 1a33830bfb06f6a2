#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "stackae/layer.hpp"

#include "layers/chain.hpp"
#include "support/catch.hpp"
#include "support/reference.hpp"

namespace stackae {
namespace {

/// A pooling of some kind, as text and as numbers: size 0 of a grid.
struct Case {
    const char* fields;
    std::int64_t size;
    std::int64_t stride;
    std::int64_t grid;
};

/// Pairs, overlapping squares, squares that leave positions out, single positions, grids that divide the
/// positions and grids that don't.
const std::vector<Case>& cases() {
    static const std::vector<Case> all{{"2", 2, 2, 0},     {"3:stride=2", 3, 2, 0}, {"3", 3, 3, 0},
                                       {"1", 1, 1, 0},     {"grid=1", 0, 0, 1},     {"grid=2", 0, 0, 2},
                                       {"grid=3", 0, 0, 3}};
    return all;
}

constexpr Shape map{7, 5, 2};

/// [first, last) of the positions that a cell pools, along one side.
std::pair<std::int64_t, std::int64_t> positions_of(const Case& c, std::int64_t positions, std::int64_t cell) {
    return c.grid > 0 ? std::pair(cell * positions / c.grid, (cell + 1) * positions / c.grid)
                      : std::pair(cell * c.stride, cell * c.stride + c.size);
}

std::int64_t cells_of(const Case& c, std::int64_t positions) {
    return c.grid > 0 ? c.grid : (positions - c.size) / c.stride + 1;
}

/// Calls body(cell, position) for every position of every cell.
template <class Body>
void each_pair(const Case& c, const Body& body) {
    const std::int64_t down = cells_of(c, map.height);
    const std::int64_t across = cells_of(c, map.width);
    for (std::int64_t cell = 0; cell < down * across; ++cell) {
        const auto ys = positions_of(c, map.height, cell / across);
        const auto xs = positions_of(c, map.width, cell % across);
        for (std::int64_t y = ys.first; y < ys.second; ++y) {
            for (std::int64_t x = xs.first; x < xs.second; ++x) {
                body(cell, y * map.width + x);
            }
        }
    }
}

layers::Chain chain_of(const Case& c, bool maximum, layers::Direction direction) {
    const std::string text = std::string("pool2d:") + c.fields + (maximum ? ":mode=maximum" : "");
    return {bind(parse_stack(text), map).layers(), direction, 1};
}

}  // namespace

TEST_CASE("Pooling takes the mean or the maximum of each cell, exactly on whole numbers") {
    const Case& c = cases()[GENERATE(range(std::size_t{0}, std::size_t{7}))];
    const bool maximum = GENERATE(false, true);
    CAPTURE(c.fields, maximum);
    const Tensor rows = reference::whole_numbers({2, map.size()}, 9, 1);
    const Tensor pooled = chain_of(c, maximum, layers::Direction::encode).run(rows);
    const std::int64_t cells = cells_of(c, map.height) * cells_of(c, map.width);
    REQUIRE(pooled.columns() == cells * map.channels);
    for (std::int64_t row = 0; row < rows.rows(); ++row) {
        std::vector<float> sum(static_cast<std::size_t>(pooled.columns()), 0.0F);
        std::vector<float> most(sum.size(), -10.0F);
        std::vector<float> count(sum.size(), 0.0F);
        each_pair(c, [&](std::int64_t cell, std::int64_t position) {
            for (std::int64_t channel = 0; channel < map.channels; ++channel) {
                const auto to = static_cast<std::size_t>(cell * map.channels + channel);
                const float value =
                    rows.row(row)[static_cast<std::size_t>(position * map.channels + channel)];
                sum[to] += value;
                most[to] = std::max(most[to], value);
                count[to] += 1.0F;
            }
        });
        for (std::size_t i = 0; i < sum.size(); ++i) {
            CAPTURE(row, i);
            REQUIRE(pooled.row(row)[i] == Approx(maximum ? most[i] : sum[i] / count[i]).epsilon(1e-6));
        }
    }
}

TEST_CASE("Decoded, a position has the mean of the cells that it was in, and 0 where it was in none") {
    const Case& c = cases()[GENERATE(range(std::size_t{0}, std::size_t{7}))];
    CAPTURE(c.fields);
    const std::int64_t cells = cells_of(c, map.height) * cells_of(c, map.width);
    const Tensor codes = reference::whole_numbers({2, cells * map.channels}, 9, 2);
    const Tensor maps = chain_of(c, GENERATE(false, true), layers::Direction::decode).run(codes);
    for (std::int64_t row = 0; row < codes.rows(); ++row) {
        std::vector<float> sum(static_cast<std::size_t>(map.size()), 0.0F);
        std::vector<float> count(sum.size(), 0.0F);
        each_pair(c, [&](std::int64_t cell, std::int64_t position) {
            for (std::int64_t channel = 0; channel < map.channels; ++channel) {
                const auto to = static_cast<std::size_t>(position * map.channels + channel);
                sum[to] += codes.row(row)[static_cast<std::size_t>(cell * map.channels + channel)];
                count[to] += 1.0F;
            }
        });
        for (std::size_t i = 0; i < sum.size(); ++i) {
            CAPTURE(row, i);
            REQUIRE(maps.row(row)[i] == Approx(count[i] > 0.0F ? sum[i] / count[i] : 0.0F).epsilon(1e-6));
        }
    }
}

namespace {

/// The weight of a position in a cell of a triangular window, along one side, by the formula.
double triangle(std::int64_t positions, std::int64_t cells, std::int64_t cell, std::int64_t position) {
    const double width = static_cast<double>(positions) / static_cast<double>(cells);
    const auto height = [&](std::int64_t p) {
        const double from_centre =
            std::abs(static_cast<double>(p) + 0.5 - (static_cast<double>(cell) + 0.5) * width);
        return std::max(0.0, 1.0 - from_centre / width);
    };
    double sum = 0.0;
    for (std::int64_t p = 0; p < positions; ++p) {
        sum += height(p);
    }
    return height(position) / sum;
}

layers::Chain triangular(std::int64_t grid, layers::Direction direction) {
    const std::string text = "pool2d:grid=" + std::to_string(grid) + ":window=triangular";
    return {bind(parse_stack(text), map).layers(), direction, 1};
}

}  // namespace

TEST_CASE("A triangular window weighs positions by their distance from the cell's centre") {
    const std::int64_t grid = GENERATE(1, 2, 3, 5);
    CAPTURE(grid);
    const Tensor rows = reference::whole_numbers({2, map.size()}, 9, 3);
    const Tensor pooled = triangular(grid, layers::Direction::encode).run(rows);
    REQUIRE(pooled.columns() == grid * grid * map.channels);
    for (std::int64_t i = 0; i < pooled.columns(); ++i) {
        const std::int64_t cell = i / map.channels;
        for (std::int64_t row = 0; row < rows.rows(); ++row) {
            double sum = 0.0;
            for (std::int64_t p = 0; p < map.height * map.width; ++p) {
                const double weight = triangle(map.height, grid, cell / grid, p / map.width) *
                                      triangle(map.width, grid, cell % grid, p % map.width);
                sum += weight *
                       double{rows.row(row)[static_cast<std::size_t>(p * map.channels + i % map.channels)]};
            }
            CAPTURE(row, i);
            REQUIRE(pooled.row(row)[static_cast<std::size_t>(i)] == Approx(sum).epsilon(1e-5).margin(1e-5));
        }
    }
}

TEST_CASE("Maps of one value stay so through triangular windows, there and back") {
    const std::int64_t grid = GENERATE(1, 2, 3, 5);
    Tensor rows({1, map.size()});
    std::fill_n(rows.data(), rows.size(), 3.0F);
    const Tensor pooled = triangular(grid, layers::Direction::encode).run(rows);
    for (const float value : pooled.values()) {
        REQUIRE(value == Approx(3.0F).epsilon(1e-5));
    }
    const Tensor maps = triangular(grid, layers::Direction::decode).run(pooled);
    for (const float value : maps.values()) {
        REQUIRE(value == Approx(3.0F).epsilon(1e-5));
    }
}

TEST_CASE("Maps of one value stay so through triangular windows, of any side and grid") {
    for (std::int64_t side = 1; side <= 30; ++side) {
        for (std::int64_t grid = 1; grid <= side; ++grid) {
            CAPTURE(side, grid);
            const std::string text = "pool2d:grid=" + std::to_string(grid) + ":window=triangular";
            layers::Chain chain(bind(parse_stack(text), {side, side, 1}).layers(), layers::Direction::encode,
                                1);
            Tensor row({1, side * side});
            std::fill_n(row.data(), row.size(), 1.0F);
            const Tensor pooled = chain.run(row);
            CHECK(std::all_of(pooled.data(), pooled.data() + pooled.size(),
                              [](float value) { return std::abs(value - 1.0F) < 1e-4F; }));
        }
    }
}

TEST_CASE("A triangular window is of the average over a grid") {
    for (const char* text : {"pool2d:2:window=triangular", "pool2d:grid=2:mode=maximum:window=triangular"}) {
        CAPTURE(text);
        REQUIRE_THROWS_WITH(
            bind(parse_stack(text), map),
            test::contains("window: triangular found, box but for the average over a grid expected"));
    }
}

}  // namespace stackae

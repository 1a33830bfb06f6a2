#include "search/patch_encoder.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "stackae/error.hpp"
#include "stackae/train.hpp"

#include "base/random.hpp"
#include "support/catch.hpp"

using namespace stackae;

namespace {

/// Noise that is smoothed a little, height × width.
Tensor noise(std::int64_t height, std::int64_t width) {
    const base::Random random(5, base::RandomStream::patches);
    Tensor picture({1, height * width});
    float before = 0.5F;
    for (std::int64_t i = 0; i < picture.size(); ++i) {
        before = 0.6F * before + 0.4F * base::Random::uniform(random.block(static_cast<std::uint32_t>(i))[0]);
        picture.data()[i] = before;
    }
    return picture;
}

/// A part of it, from a row and a column on.
Tensor cut(const Tensor& picture, std::int64_t width_of, const Shape& part, std::int64_t top,
           std::int64_t left) {
    Tensor out({1, part.size()});
    for (std::int64_t y = 0; y < part.height; ++y) {
        std::copy_n(picture.data() + (top + y) * width_of + left, part.width, out.data() + y * part.width);
    }
    return out;
}

Model model_of(const std::string& stack, std::int64_t side) {
    Tensor tiles({20, side, side, 1});
    const Tensor values = noise(20 * side, side);
    std::copy_n(values.data(), values.size(), tiles.data());
    Preprocessing preprocessing;
    preprocessing.height = static_cast<int>(side);
    preprocessing.width = static_cast<int>(side);
    TrainConfig config;
    config.stack = parse_stack(stack);
    config.validation = 0.0;
    TrainObserver nobody;
    return train(ImageDataset::from_tensor(std::move(tiles)), preprocessing, config, {}, nobody);
}

/// The largest difference of what is said of the same places of a picture, cut in two ways, so that tiles
/// begin elsewhere: of `apart` pixels between, two positions of every size. Positions near the border are
/// left out.
float largest_difference(const Model& model, std::int64_t levels) {
    constexpr std::int64_t apart = 16;
    constexpr std::int64_t border = 5;
    const Shape part{160, 144, 1};
    const std::int64_t width = part.width + apart;
    const Tensor picture = noise(part.height + apart, width);
    search::PatchEncoder encoder(model, model.layers.size(), part, levels, 8, 1);
    const Tensor one = encoder.encode(cut(picture, width, part, 0, 0));
    const Tensor other = encoder.encode(cut(picture, width, part, apart, apart));
    CHECK(encoder.levels() == levels);
    const std::int64_t shift = apart / encoder.stride();
    float most = 0.0F;
    float spread = 0.0F;
    for (std::int64_t y = border; y + border + shift < encoder.height(); ++y) {
        for (std::int64_t x = border; x + border + shift < encoder.width(); ++x) {
            const auto a = one.row((y + shift) * encoder.width() + x + shift);
            const auto b = other.row(y * encoder.width() + x);
            const auto c = one.row(y * encoder.width() + x);
            for (std::size_t i = 0; i < a.size(); ++i) {
                most = std::max(most, std::abs(a[i] - b[i]));
                spread = std::max(spread, std::abs(a[i] - c[i]));
            }
        }
    }
    CHECK(spread > 0.05F);
    return most;
}

}  // namespace

TEST_CASE("A position says the same wherever tiles begin", "[search]") {
    const Model model = model_of("conv2d:8:kernel=5:patches=2000,pool2d:2", 36);
    CHECK(largest_difference(model, 1) < 1e-4F);
    CHECK(largest_difference(model, 3) < 1e-4F);
}

TEST_CASE("A picture of several bands of tiles is encoded as its parts are", "[search]") {
    const Model model = model_of("conv2d:8:kernel=5:patches=2000,pool2d:2", 36);
    constexpr std::int64_t side = 1500;
    constexpr std::int64_t part_side = 360;
    const Tensor picture = noise(side, side);
    search::PatchEncoder whole(model, 2, {side, side, 1}, 1, 4, 2);
    const Tensor all = whole.encode(picture);
    // Rows of tiles are 32 pixels high; in the first band are 43 of them.
    for (const std::int64_t top : {0, 1140}) {
        Tensor part({1, part_side * part_side});
        for (std::int64_t y = 0; y < part_side; ++y) {
            std::copy_n(picture.data() + (top + y) * side, part_side, part.data() + y * part_side);
        }
        search::PatchEncoder encoder(model, 2, {part_side, part_side, 1}, 1, 4, 2);
        const Tensor descriptors = encoder.encode(part);
        float largest = 0.0F;
        // Away from the part's borders.
        for (std::int64_t y = 4; y < encoder.height() - 4; ++y) {
            for (std::int64_t x = 4; x < encoder.width() - 4; ++x) {
                const auto a = descriptors.row(y * encoder.width() + x);
                const auto b = all.row((top / 4 + y) * whole.width() + x);
                for (std::size_t i = 0; i < a.size(); ++i) {
                    largest = std::max(largest, std::abs(a[i] - b[i]));
                }
            }
        }
        CHECK(largest < 1e-4F);
    }
}

TEST_CASE("What depends on padding is left out", "[search]") {
    const Model model =
        model_of("conv2d:8:kernel=5:pad=2:patches=2000,pool2d:2,conv2d:8:kernel=3:pad=1:patches=2000", 40);
    const search::TileGeometry geometry(model, model.layers.size());
    CHECK(geometry.stride == 2);
    // Two pixels by the first layer, and two more by the second's one position: two positions on each side.
    CHECK(geometry.down.first == 2);
    CHECK(geometry.down.count == 16);
    CHECK(geometry.down.margin == 4);
    CHECK(largest_difference(model, 1) < 1e-4F);
}

TEST_CASE("Cells of a pooling grid that are not of one size cover a picture all the same", "[search]") {
    // 32 positions in 5 cells a side, of 6 and of 7.
    const Model model = model_of("conv2d:8:kernel=5:patches=2000,pool2d:grid=5", 36);
    const search::TileGeometry geometry(model, model.layers.size());
    CHECK(geometry.map.width == 5);
    CHECK(geometry.stride == 6);
    const Shape picture{50, 60, 1};
    search::PatchEncoder encoder(model, 2, picture, 1, 0, 1);
    CHECK(encoder.stride() == 6);
    CHECK(encoder.height() == 9);
    CHECK(encoder.width() == 10);
    Tensor one({1, picture.size()});
    std::iota(one.values().begin(), one.values().end(), 0.0F);
    for (float& value : one.values()) {
        value /= static_cast<float>(picture.size());
    }
    const Tensor descriptors = encoder.encode(one);
    CHECK(descriptors.rows() == 90);
    CHECK(descriptors.columns() == encoder.dimension());
    CHECK(std::all_of(descriptors.values().begin(), descriptors.values().end(),
                      [](float x) { return std::isfinite(x); }));
    // The mean of the pixels rises with the rows, whatever the cells.
    const std::int64_t mean = geometry.map.channels;
    for (std::int64_t y = 1; y < encoder.height(); ++y) {
        CHECK(descriptors.row(y * encoder.width())[static_cast<std::size_t>(mean)] >
              descriptors.row((y - 1) * encoder.width())[static_cast<std::size_t>(mean)]);
    }
}

TEST_CASE("Positions are as far apart as is asked for", "[search]") {
    const Model model = model_of("conv2d:8:kernel=5:patches=2000,pool2d:2", 36);
    const Shape picture{50, 60, 1};
    CHECK(search::PatchEncoder(model, 2, picture, 1, 0, 1).stride() == 4);
    CHECK(search::PatchEncoder(model, 2, {50, 160, 1}, 1, 0, 1).stride() == 8);
    const search::PatchEncoder wide(model, 2, picture, 1, 16, 1);
    CHECK(wide.width() == 4);
    CHECK(wide.height() == 4);
    CHECK_THROWS_AS(search::PatchEncoder(model, 2, picture, 1, 1, 1), InvalidArgument);
}

TEST_CASE("Small pictures give as many tiles as they have", "[search]") {
    const Shape picture{28, 28, 1};
    const Tensor pictures({3, picture.size()});
    CHECK(search::PatchEncoder::tiles(pictures, picture, {70, 70, 1}, 3, 900, 0).rows() == 3);
    CHECK(search::PatchEncoder::tiles(pictures, picture, {20, 28, 1}, 1, 900, 0).rows() == 27);
    CHECK(search::PatchEncoder::tiles(pictures, picture, {14, 14, 1}, 1, 100, 0).rows() == 100);
}

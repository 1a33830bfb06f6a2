#include "nn/winograd.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/reference.hpp"

using namespace stackae;

namespace {

struct Case {
    std::int64_t channels, height, width, kernel, filters;
};

nn::PatchShape shape_of(const Case& sizes) {
    return {sizes.channels, sizes.height, sizes.width, sizes.kernel};
}

/// Σ f x of a filter and the patch at (y, x), and Σ |f x|.
std::pair<double, double> product_of(const nn::PatchShape& s, const float* filter, const float* map,
                                     std::int64_t y, std::int64_t x) {
    const std::int64_t line = s.kernel * s.channels;
    double sum = 0.0;
    double size = 0.0;
    for (std::int64_t i = 0; i < s.patch_size(); ++i) {
        const float* row = map + ((y + i / line) * s.width + x) * s.channels;
        const double term = double{filter[i]} * double{row[i % line]};
        sum += term;
        size += std::abs(term);
    }
    return {sum, size};
}

}  // namespace

TEST_CASE("Winograd's products are those of every filter with every patch, scaled, biased and cut off") {
    // Filters that are and are not whole segments; rows that fill their bands and rows that do not; blocks
    // that divide a map's width and blocks that do not; more filters than one product takes; sums so long
    // that they are made of several, which end within a segment.
    const auto sizes = GENERATE(Case{1, 4, 5, 3, 1}, Case{3, 14, 9, 3, 33}, Case{2, 13, 8, 5, 7},
                                Case{3, 32, 32, 6, 40}, Case{1, 30, 140, 6, 270}, Case{4, 17, 12, 7, 20},
                                Case{1, 12, 20, 9, 6}, Case{40, 13, 13, 3, 300}, Case{2, 9, 9, 4, 3},
                                Case{70, 9, 9, 3, 40}, Case{30, 12, 9, 5, 35});
    const float least = GENERATE(0.0F, std::numeric_limits<float>::lowest());
    CAPTURE(sizes.channels, sizes.height, sizes.width, sizes.kernel, sizes.filters, least);
    const nn::PatchShape s = shape_of(sizes);
    const std::int64_t count = sizes.filters;
    linalg::Context context(1);
    Tensor filters = reference::uniform({count, s.patch_size()}, -1, 1, 1);
    const Tensor kept = filters;
    nn::WinogradConv product(context, s, filters.data(), count);
    std::fill_n(filters.data(), filters.size(), 1e6F);  // may not be looked at again
    const Tensor bias = reference::uniform({count}, -1, 1, 2);
    const Tensor map = reference::uniform({s.height * s.width * s.channels}, -1, 1, 3);
    const Tensor scale = reference::uniform({product.rows(), product.columns()}, 0.5F, 2, 4);
    Tensor dst({product.rows() * product.columns(), count});
    double worst = 0.0;
    for (std::int64_t y = 0; y < s.oh(); y += product.rows()) {
        for (std::int64_t x = 0; x < s.ow(); x += product.columns()) {
            std::fill_n(dst.data(), dst.size(), 1e9F);
            product.run(map.data(), y, x, 0.0F, {scale.data(), bias.data(), least}, dst.data());
            const std::int64_t down = std::min(product.rows(), s.oh() - y);
            const std::int64_t across = std::min(product.columns(), s.ow() - x);
            for (std::int64_t i = 0; i < down; ++i) {
                for (std::int64_t j = 0; j < across; ++j) {
                    const std::int64_t position = i * product.columns() + j;
                    for (std::int64_t n = 0; n < count; ++n) {
                        const auto [sum, size] = product_of(s, kept.row(n).data(), map.data(), y + i, x + j);
                        const double by = double{scale.data()[position]};
                        const double expected = std::max(double{least}, by * sum + double{bias.data()[n]});
                        const double found = double{dst.row(position)[static_cast<std::size_t>(n)]};
                        REQUIRE(std::isfinite(found));
                        worst = std::max(worst, std::abs(found - expected) / (1.0 + by * size));
                    }
                }
            }
        }
    }
    CHECK(worst < 1e-6);
}

TEST_CASE("Winograd's way pays where it saves multiplications that are worth it") {
    const auto is_profitable = [](const Case& sizes) {
        return nn::WinogradConv::is_profitable(shape_of(sizes), sizes.filters);
    };
    CHECK(is_profitable({3, 32, 32, 6, 400}));
    CHECK(is_profitable({3, 32, 32, 7, 256}));
    CHECK(is_profitable({256, 13, 13, 3, 512}));
    CHECK_FALSE(is_profitable({3, 32, 32, 4, 400}));  // 12 for 16
    CHECK_FALSE(is_profitable({1, 32, 32, 3, 400}));  // products of 3 values are all reading and writing
    CHECK_FALSE(is_profitable({3, 32, 32, 2, 400}));
    CHECK_FALSE(is_profitable({3, 32, 32, 6, 8}));
    CHECK_FALSE(is_profitable({3, 6, 32, 6, 400}));  // one row of positions, of four that would be made
}

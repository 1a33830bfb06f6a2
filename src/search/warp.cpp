#include "search/warp.hpp"

#include <algorithm>
#include <cmath>

#include "base/vectorized.hpp"

namespace stackae::search {
namespace {

constexpr std::int64_t side = Thumbnails::side;
constexpr std::int64_t lanes = 16;

/// Between which pixels the places of a row lie.
struct Places {
    alignas(
        64) std::array<std::int32_t, static_cast<std::size_t>(side)> corner;  ///< the upper left one of four
    WarpedRow::Values u;  ///< how far towards the right ones
    WarpedRow::Values v;  ///< and the lower ones
};

/// x, y: the first place in pixels of the image; by_x, by_y: to the next one.
STACKAE_VECTORIZED
void place(float x, float y, float by_x, float by_y, float border, std::int32_t count, Places& to,
           float* inside) {
    constexpr auto last = static_cast<float>(side - 1);
    for (std::int32_t i = 0; i < count; ++i) {
        const float here_x = x + static_cast<float>(i) * by_x;
        const float here_y = y + static_cast<float>(i) * by_y;
        // By references, as std::clamp takes them, this would not be vectorised.
        const float held_x = here_x < 0.0F ? 0.0F : here_x > last ? last : here_x;
        const float held_y = here_y < 0.0F ? 0.0F : here_y > last ? last : here_y;
        const auto left = static_cast<std::int32_t>(held_x < last ? held_x : last - 1.0F);
        const auto top = static_cast<std::int32_t>(held_y < last ? held_y : last - 1.0F);
        const auto k = static_cast<std::size_t>(i);
        to.corner[k] = top * static_cast<std::int32_t>(side) + left;
        to.u[k] = held_x - static_cast<float>(left);
        to.v[k] = held_y - static_cast<float>(top);
        inside[i] =
            (here_x >= border) & (here_x <= last - border) & (here_y >= border) & (here_y <= last - border)
                ? 1.0F
                : 0.0F;
    }
}

STACKAE_VECTORIZED
void interpolate(const float* __restrict image, const Places& __restrict places, std::int32_t count,
                 const float* __restrict inside, float* __restrict value, float* __restrict dx,
                 float* __restrict dy) {
    for (std::int32_t i = 0; i < count; ++i) {
        const auto k = static_cast<std::size_t>(i);
        const std::int32_t at = places.corner[k];
        const float upper = image[at];
        const float lower = image[at + side];
        const float across_upper = image[at + 1] - upper;
        const float across_lower = image[at + side + 1] - lower;
        const float from_upper = upper + places.u[k] * across_upper;
        const float from_lower = lower + places.u[k] * across_lower;
        value[i] = inside[i] * (from_upper + places.v[k] * (from_lower - from_upper));
        dx[i] = inside[i] * (across_upper + places.v[k] * (across_lower - across_upper));
        dy[i] = inside[i] * (from_lower - from_upper);
    }
}

/// to = Σ window[i] · from[i · step], a row of `side` values.
STACKAE_VECTORIZED
void weigh(const float* from, std::int64_t step, const float* window, std::int64_t taps, float* to) {
    std::array<float, static_cast<std::size_t>(side)> sum{};
    for (std::int64_t i = 0; i < taps; ++i) {
#pragma omp simd
        for (std::int64_t x = 0; x < side; ++x) {
            sum[static_cast<std::size_t>(x)] += window[i] * from[i * step + x];
        }
    }
    std::copy(sum.begin(), sum.end(), to);
}

STACKAE_VECTORIZED
void fill_terms(const WarpedRow& row, const float* onto, float v, std::int32_t step,
                const std::array<float*, products_of>& to) {
    float* const __restrict dx_u = to[0];
    float* const __restrict dx_v = to[1];
    float* const __restrict dx = to[2];
    float* const __restrict dy_u = to[3];
    float* const __restrict dy_v = to[4];
    float* const __restrict dy = to[5];
    float* const __restrict value = to[6];
    float* const __restrict one = to[7];
    float* const __restrict made = to[8];
    const float* const __restrict inside = row.inside.data();
    const auto count = static_cast<std::int32_t>(side) / step;
    for (std::int32_t i = 0; i < count; ++i) {
        const auto k = static_cast<std::size_t>(i);
        const float u = (static_cast<float>(i * step) + 0.5F) / static_cast<float>(side) - 0.5F;
        const float by_x = row.dx[k] * static_cast<float>(side);
        const float by_y = row.dy[k] * static_cast<float>(side);
        dx_u[i] = by_x * u;
        dx_v[i] = by_x * v;
        dx[i] = by_x;
        dy_u[i] = by_y * u;
        dy_v[i] = by_y * v;
        dy[i] = by_y;
        value[i] = row.value[k];
        one[i] = inside[i];
        made[i] = inside[i] * onto[i * step];
    }
}

STACKAE_VECTORIZED
double dot(const float* a, const float* b, std::int64_t count) {
    std::array<float, static_cast<std::size_t>(lanes)> sums{};
    for (std::int64_t i = 0; i < count; i += lanes) {
#pragma omp simd
        for (std::int64_t k = 0; k < lanes; ++k) {
            sums[static_cast<std::size_t>(k)] += a[i + k] * b[i + k];
        }
    }
    double sum = 0.0;
    for (const float part : sums) {
        sum += double{part};
    }
    return sum;
}

}  // namespace

void warp_row(const Image& image, const Affine& map, std::int64_t y, std::int64_t step, float border,
              WarpedRow& row) {
    constexpr auto pixels = static_cast<double>(side);
    const Point first = map({0.5 / pixels, (static_cast<double>(y) + 0.5) / pixels});
    const auto count = static_cast<std::int32_t>((side + step - 1) / step);
    Places places;
    place(static_cast<float>(first.x * pixels - 0.5), static_cast<float>(first.y * pixels - 0.5),
          static_cast<float>(map.xx * static_cast<double>(step)),
          static_cast<float>(map.yx * static_cast<double>(step)), border, count, places, row.inside.data());
    interpolate(image.data(), places, count, row.inside.data(), row.value.data(), row.dx.data(),
                row.dy.data());
}

void blur(const Image& from, double sigma, Image& half, Image& to) {
    constexpr std::int64_t most = 16;
    const auto reach = std::min(most, static_cast<std::int64_t>(std::ceil(3.0 * sigma)));
    const std::int64_t taps = 2 * reach + 1;
    std::array<float, static_cast<std::size_t>(2 * most + 1)> window{};
    double sum = 0.0;
    const auto weight = [&](std::int64_t i) {
        return std::exp(-0.5 * static_cast<double>((i - reach) * (i - reach)) / (sigma * sigma));
    };
    for (std::int64_t i = 0; i < taps; ++i) {
        sum += weight(i);
    }
    for (std::int64_t i = 0; i < taps; ++i) {
        window[static_cast<std::size_t>(i)] = static_cast<float>(weight(i) / sum);
    }
    // Across, then down. A line has its border repeated on both sides.
    std::array<float, static_cast<std::size_t>(side + 2 * most)> line{};
    for (std::int64_t y = 0; y < side; ++y) {
        const float* const row = from.data() + y * side;
        std::fill_n(line.begin(), reach, row[0]);
        std::copy_n(row, side, line.begin() + reach);
        std::fill_n(line.begin() + reach + side, reach, row[side - 1]);
        weigh(line.data(), 1, window.data(), taps, half.data() + y * side);
    }
    std::array<float, static_cast<std::size_t>(side * (2 * most + 1))> rows{};
    for (std::int64_t y = 0; y < side; ++y) {
        if (y >= reach && y < side - reach) {
            weigh(half.data() + (y - reach) * side, side, window.data(), taps, to.data() + y * side);
        } else {
            for (std::int64_t i = 0; i < taps; ++i) {
                const std::int64_t of = std::clamp<std::int64_t>(y + i - reach, 0, side - 1);
                std::copy_n(half.data() + of * side, side, rows.data() + i * side);
            }
            weigh(rows.data(), side, window.data(), taps, to.data() + y * side);
        }
    }
}

void align_terms(const WarpedRow& row, const float* onto, std::int64_t y, std::int64_t step,
                 std::array<std::vector<float>, products_of>& terms, std::int64_t first) {
    std::array<float*, products_of> to{};
    for (std::size_t i = 0; i < products_of; ++i) {
        to[i] = terms[i].data() + first;
    }
    fill_terms(row, onto, (static_cast<float>(y) + 0.5F) / static_cast<float>(side) - 0.5F,
               static_cast<std::int32_t>(step), to);
}

void add_products(const std::array<std::vector<float>, products_of>& rows, std::int64_t count,
                  ProductSums& all) {
    for (std::size_t a = 0; a < products_of; ++a) {
        for (std::size_t b = 0; b <= a; ++b) {
            all[a][b] += dot(rows[a].data(), rows[b].data(), count);
        }
    }
}

}  // namespace stackae::search

#include "search/picture_views.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "linalg/tiled_product.hpp"

namespace stackae::search {
namespace {

constexpr std::int64_t side = Thumbnails::side;
constexpr std::int64_t frequencies = 8;
constexpr std::int64_t block = 1024;  ///< pictures at a time
constexpr std::int64_t widest_frame = side / 4;
constexpr float frame_range = 4.0F / 255.0F;  ///< of its values about one
constexpr double middle_share = 0.72;  ///< fits into a square that was turned by 25 degrees within its frame
constexpr double core_share = 0.5;     ///< the same where the frame grew with it
constexpr float flat = 0.5F / 255.0F * 64.0F;  ///< length of what rounding makes of one colour, at most

Affine scaled(double by, Point to = {0.5, 0.5}) {
    return {by, 0.0, 0.0, by, to};
}

Affine turned(double degrees, double by) {
    const double angle = degrees * std::numbers::pi / 180.0;
    return {
        by * std::cos(angle), -by * std::sin(angle), by * std::sin(angle), by * std::cos(angle), {0.5, 0.5}};
}

/// cos(π i (x + ½) / side).
std::array<std::array<double, side>, frequencies> cosines() {
    std::array<std::array<double, side>, frequencies> all{};
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t x = 0; x < all[i].size(); ++x) {
            all[i][x] = std::cos(std::numbers::pi * static_cast<double>(i) * (static_cast<double>(x) + 0.5) /
                                 static_cast<double>(side));
        }
    }
    return all;
}

/// A place between two pixels of a row or column, whose border repeats.
struct Between {
    explicit Between(double share) {
        const double at =
            std::clamp(share * static_cast<double>(side) - 0.5, 0.0, static_cast<double>(side - 1));
        low = std::min(static_cast<std::int64_t>(at), side - 2);
        weight = at - static_cast<double>(low);
    }
    std::int64_t low;
    double weight;  ///< of the pixel after it
};

/// The lines, rows or columns, that a frame leaves.
struct Inner {
    std::int64_t first = 0;
    std::int64_t count = side;
    /// Where line i of as many as there were comes from, in shares of the side.
    [[nodiscard]] double at(std::int64_t i) const {
        return (static_cast<double>(first) +
                (static_cast<double>(i) + 0.5) * static_cast<double>(count) / static_cast<double>(side)) /
               static_cast<double>(side);
    }
};

/// Lines lie line_step apart, the pixels of one step apart.
Inner without_frame(std::span<const float> picture, std::int64_t line_step, std::int64_t step) {
    const auto is_frame = [&](std::int64_t line, float colour) {
        for (std::int64_t i = 0; i < side; ++i) {
            if (std::fabs(picture[base::at(line * line_step + i * step)] - colour) > frame_range) {
                return false;
            }
        }
        return true;
    };
    const auto width = [&](std::int64_t outermost, std::int64_t inwards) {
        const float colour = picture[base::at(outermost * line_step)];
        std::int64_t wide = 0;
        while (wide < widest_frame && is_frame(outermost + inwards * wide, colour)) {
            ++wide;
        }
        return wide;
    };
    const std::int64_t low = width(0, 1);
    const std::int64_t high = width(side - 1, -1);
    return {low, side - low - high};
}

/// What turns pixels into coefficients of what a view shows: both steps are linear. Pixels × descriptor_size.
Tensor coefficients(const Affine& map) {
    static const auto basis = cosines();
    Tensor matrix({Thumbnails::size, descriptor_size});
    const auto add = [&](std::int64_t pixel, double weight, std::int64_t x, std::int64_t y) {
        float* to = matrix.row(pixel).data();
        for (std::int64_t k = 1; k <= descriptor_size; ++k) {
            to[k - 1] += static_cast<float>(weight * basis[base::at(k / frequencies)][base::at(y)] *
                                            basis[base::at(k % frequencies)][base::at(x)]);
        }
    };
    for (std::int64_t y = 0; y < side; ++y) {
        for (std::int64_t x = 0; x < side; ++x) {
            const Point from = map({(static_cast<double>(x) + 0.5) / static_cast<double>(side),
                                    (static_cast<double>(y) + 0.5) / static_cast<double>(side)});
            const Between across(from.x);
            const Between down(from.y);
            const std::int64_t pixel = down.low * side + across.low;
            add(pixel, (1.0 - down.weight) * (1.0 - across.weight), x, y);
            add(pixel + 1, (1.0 - down.weight) * across.weight, x, y);
            add(pixel + side, down.weight * (1.0 - across.weight), x, y);
            add(pixel + side + 1, down.weight * across.weight, x, y);
        }
    }
    return matrix;
}

void normalize(std::span<float> descriptor) {
    if (base::squared_norm(descriptor) < double{flat} * double{flat}) {
        std::fill(descriptor.begin(), descriptor.end(), 0.0F);
        return;
    }
    for (float& value : descriptor) {
        value = std::copysign(std::sqrt(std::fabs(value)), value);
    }
    base::l2_normalize(descriptor, descriptor);
}

}  // namespace

void Thumbnails::append(const Tensor& pictures) {
    const std::int64_t added = pictures.size() / size;
    for (std::int64_t i = 0; i < added; ++i) {
        const std::span<const float> picture(pictures.data() + i * size, static_cast<std::size_t>(size));
        const Inner down = without_frame(picture, side, 1);
        const Inner across = without_frame(picture, 1, side);
        for (std::int64_t y = 0; y < side; ++y) {
            const Between row(down.at(y));
            for (std::int64_t x = 0; x < side; ++x) {
                const Between column(across.at(x));
                const float* const upper = picture.data() + row.low * side + column.low;
                const auto between = [&](const float* two) {
                    return double{two[0]} + column.weight * (double{two[1]} - double{two[0]});
                };
                const double value = between(upper) + row.weight * (between(upper + side) - between(upper));
                bytes_.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 1.0) * 255.0)));
            }
        }
    }
}

Thumbnails Thumbnails::keep(const std::vector<std::int64_t>& rows) && {
    auto to = bytes_.begin();
    for (const std::int64_t i : rows) {
        to = std::copy_n(bytes_.begin() + i * size, size, to);
    }
    bytes_.erase(to, bytes_.end());
    return std::move(*this);
}

Affine window(Window window) {
    return scaled(window == Window::whole ? 1.0 : window == Window::middle ? middle_share : core_share);
}

std::vector<View> picture_views(bool mirror, bool rotate90) {
    std::vector<View> views;
    for (const bool flipped : mirror ? std::vector{false, true} : std::vector{false}) {
        for (int quarter = 0; quarter < (rotate90 ? 4 : 1); ++quarter) {
            const Affine turn = turned(90.0 * quarter, 1.0);
            const Affine flip{flipped ? -1.0 : 1.0, 0.0, 0.0, 1.0, {0.5, 0.5}};
            views.push_back({Window::whole, turn.after(flip), !flipped && quarter == 0});
        }
    }
    for (const double share : {0.894, 0.8}) {
        for (const double y : {-1.0, 0.0, 1.0}) {
            for (const double x : {-1.0, 0.0, 1.0}) {
                const double room = (1.0 - share) / 2.0;
                views.push_back({Window::whole, scaled(share, {0.5 + room * x, 0.5 + room * y})});
            }
        }
    }
    for (const double degrees : {8.0, 16.0, 25.0}) {
        for (const double sign : {-1.0, 1.0}) {
            views.push_back({Window::middle, turned(sign * degrees, middle_share)});
        }
    }
    for (const double degrees : {15.0, 25.0}) {
        const double angle = degrees * std::numbers::pi / 180.0;
        const double grown = std::cos(angle) + std::sin(angle);  // a square's frame that holds all of it
        for (const double sign : {-1.0, 1.0}) {
            views.push_back({Window::core, turned(sign * degrees, core_share * grown)});
        }
    }
    return views;
}

Tensor describe(const Thumbnails& thumbnails, std::int64_t first, std::int64_t count, const Affine& map) {
    const Tensor matrix = coefficients(map);
    Tensor described({count, descriptor_size});
    Tensor pixels({std::min(block, count), Thumbnails::size});
    for (std::int64_t done = 0; done < count; done += block) {
        const std::int64_t now = std::min(block, count - done);
        base::parallel_ranges(now, 16, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const Thumbnails::Row row = thumbnails.row(first + done + i);
                std::transform(row.begin(), row.end(), pixels.row(i).begin(),
                               [](std::uint8_t byte) { return static_cast<float>(byte) / 255.0F; });
            }
        });
        linalg::TiledProduct{.m = now, .n = descriptor_size, .k = Thumbnails::size}.run(
            pixels.data(), matrix.data(), described.row(done).data());
    }
    base::parallel_ranges(count, 64, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            normalize(described.row(i));
        }
    });
    return described;
}

}  // namespace stackae::search

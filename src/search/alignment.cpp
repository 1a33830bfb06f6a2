#include "search/alignment.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>

namespace stackae::search {
namespace {

constexpr std::int64_t side = Thumbnails::side;
constexpr double least_overlap = 0.35;
constexpr double margin = 2.0;          ///< pixels of the picture's border that are not compared
constexpr float noise = 3.0F / 255.0F;  ///< deviation of details that are taken for none
constexpr double least_detail = 0.05;   ///< share of what lies on both that has any
constexpr int coarse_steps = 15;
constexpr int fine_steps = 8;
constexpr std::int64_t coarse_stride = 2;  ///< pixels
constexpr double coarse_sigma = 2.0;
constexpr double fine_sigma = 0.7;
constexpr double low_sigma = 3.0;
constexpr double settled = 2e-4;  ///< shares of the side

/// A picture at a place between its pixels.
struct Sample {
    float value;
    float dx;  ///< slope by pixels
    float dy;
};

/// None outside of the picture and in its border.
std::optional<Sample> sample(const std::vector<float>& image, Point at, double border) {
    const double x = at.x * static_cast<double>(side) - 0.5;
    const double y = at.y * static_cast<double>(side) - 0.5;
    const double last = static_cast<double>(side - 1) - border;
    if (!(x >= border && y >= border && x <= last && y <= last)) {
        return std::nullopt;
    }
    const auto left = std::min(static_cast<std::size_t>(x), static_cast<std::size_t>(side - 2));
    const auto top = std::min(static_cast<std::size_t>(y), static_cast<std::size_t>(side - 2));
    const auto u = static_cast<float>(x - static_cast<double>(left));
    const auto v = static_cast<float>(y - static_cast<double>(top));
    const float* const upper = image.data() + top * static_cast<std::size_t>(side) + left;
    const float* const lower = upper + side;
    const float across_upper = upper[1] - upper[0];
    const float across_lower = lower[1] - lower[0];
    const float from_upper = upper[0] + u * across_upper;
    const float from_lower = lower[0] + u * across_lower;
    return Sample{from_upper + v * (from_lower - from_upper),
                  across_upper + v * (across_lower - across_upper), from_lower - from_upper};
}

double dot(const std::array<float, static_cast<std::size_t>(side)>& a,
           const std::array<float, static_cast<std::size_t>(side)>& b) {
    std::array<float, 16> sums{};
    for (std::size_t i = 0; i < a.size(); i += sums.size()) {
        for (std::size_t k = 0; k < sums.size(); ++k) {
            sums[k] += a[i + k] * b[i + k];
        }
    }
    return double{std::accumulate(sums.begin(), sums.end(), 0.0F)};
}

Point place(std::int64_t x, std::int64_t y) {
    return {(static_cast<double>(x) + 0.5) / static_cast<double>(side),
            (static_cast<double>(y) + 0.5) / static_cast<double>(side)};
}

void unpack(Thumbnails::Row from, std::vector<float>& to) {
    std::transform(from.begin(), from.end(), to.begin(),
                   [](std::uint8_t byte) { return static_cast<float>(byte) / 255.0F; });
}

}  // namespace

Aligner::Aligner() {
    for (Image* const image : {&picture_, &onto_, &coarse_picture_, &coarse_onto_, &row_, &warped_, &mask_,
                               &squares_, &low_, &weight_, &scratch_}) {
        image->resize(static_cast<std::size_t>(Thumbnails::size));
    }
}

/// By a Gaussian window; the border repeats.
void Aligner::blur(const Image& from, double sigma, Image& to) {
    const auto reach = static_cast<std::int64_t>(std::ceil(3.0 * sigma));
    std::vector<float> window(static_cast<std::size_t>(2 * reach + 1));
    double sum = 0.0;
    for (std::int64_t i = -reach; i <= reach; ++i) {
        sum += std::exp(-0.5 * static_cast<double>(i * i) / (sigma * sigma));
    }
    for (std::int64_t i = -reach; i <= reach; ++i) {
        window[static_cast<std::size_t>(i + reach)] =
            static_cast<float>(std::exp(-0.5 * static_cast<double>(i * i) / (sigma * sigma)) / sum);
    }
    for (std::int64_t y = 0; y < side; ++y) {
        float* const out = row_.data() + y * side;
        std::fill_n(out, side, 0.0F);
        for (std::int64_t i = -reach; i <= reach; ++i) {
            const float* const in = from.data() + std::clamp<std::int64_t>(y + i, 0, side - 1) * side;
            const float w = window[static_cast<std::size_t>(i + reach)];
            for (std::int64_t x = 0; x < side; ++x) {
                out[x] += w * in[x];
            }
        }
    }
    std::vector<float> line(static_cast<std::size_t>(side + 2 * reach));
    for (std::int64_t y = 0; y < side; ++y) {
        const float* const in = row_.data() + y * side;
        std::fill_n(line.begin(), reach, in[0]);
        std::copy_n(in, side, line.begin() + reach);
        std::fill_n(line.begin() + reach + side, reach, in[side - 1]);
        float* const out = to.data() + y * side;
        std::fill_n(out, side, 0.0F);
        for (std::int64_t i = 0; i <= 2 * reach; ++i) {
            const float w = window[static_cast<std::size_t>(i)];
            for (std::int64_t x = 0; x < side; ++x) {
                out[x] += w * line[static_cast<std::size_t>(x + i)];
            }
        }
    }
}

bool Aligner::improve(const Image& picture, const Image& onto, int steps, std::int64_t stride, Affine& map) {
    using Vector = Eigen::Matrix<double, 8, 1>;
    using Matrix = Eigen::Matrix<double, 8, 8>;
    constexpr std::size_t row_size = static_cast<std::size_t>(side);
    const double area = std::abs(map.determinant());
    const double fewest = least_overlap * static_cast<double>(Thumbnails::size / (stride * stride));
    for (int step = 0; step < steps; ++step) {
        // onto ≈ gain (picture + slopes · change of the map) + offset, by least squares for all eight at
        // once.
        Matrix normal = Matrix::Zero();
        Vector answers = Vector::Zero();
        for (std::int64_t y = 0; y < side; y += stride) {
            // A row of each of the eight, and what they are to make.
            std::array<std::array<float, row_size>, 9> values{};
            std::size_t count = 0;
            for (std::int64_t x = 0; x < side; x += stride) {
                const Point here = place(x, y);
                const auto there = sample(picture, map(here), 0.0);
                if (!there) {
                    continue;
                }
                const auto u = static_cast<float>(here.x - 0.5);
                const auto v = static_cast<float>(here.y - 0.5);
                const float dx = there->dx * static_cast<float>(side);
                const float dy = there->dy * static_cast<float>(side);
                const std::array<float, 9> all{
                    dx * u,       dx * v, dx,
                    dy * u,       dy * v, dy,
                    there->value, 1.0F,   onto[static_cast<std::size_t>(y * side + x)]};
                for (std::size_t k = 0; k < all.size(); ++k) {
                    values[k][count] = all[k];
                }
                ++count;
            }
            for (std::size_t a = 0; a < 8; ++a) {
                for (std::size_t b = 0; b <= a; ++b) {
                    normal(static_cast<int>(a), static_cast<int>(b)) += dot(values[a], values[b]);
                }
                answers(static_cast<int>(a)) += dot(values[a], values[8]);
            }
        }
        if (normal(7, 7) < fewest) {
            return false;
        }
        normal = Matrix(normal.selfadjointView<Eigen::Lower>());
        normal.diagonal() *= 1.0 + 1e-5;
        normal.diagonal().array() += 1e-6;
        const Vector found = normal.ldlt().solve(answers);
        const double gain = found(6);
        if (!found.allFinite() || gain < 0.05) {
            return false;
        }
        const Vector change = found / gain;
        map.xx += change(0);
        map.xy += change(1);
        map.to.x += change(2);
        map.yx += change(3);
        map.yy += change(4);
        map.to.y += change(5);
        const double now = std::abs(map.determinant());
        if (now < area / 3.0 || now > area * 3.0) {
            return false;
        }
        if (change.head<6>().cwiseAbs().maxCoeff() < settled) {
            break;
        }
    }
    return true;
}

double Aligner::compare(const Affine& map) {
    double there = 0.0;
    for (std::int64_t y = 0; y < side; ++y) {
        for (std::int64_t x = 0; x < side; ++x) {
            const auto i = static_cast<std::size_t>(y * side + x);
            const auto found = sample(picture_, map(place(x, y)), margin);
            mask_[i] = found ? 1.0F : 0.0F;
            warped_[i] = found ? found->value : 0.0F;
            there += double{mask_[i]};
        }
    }
    if (there < least_overlap * static_cast<double>(Thumbnails::size)) {
        return -1.0;
    }
    // Details: what is left above a blur of what lies on both.
    blur(mask_, low_sigma, weight_);
    const auto keep_details = [&](Image& image) {
        blur(image, low_sigma, low_);
        for (std::size_t i = 0; i < image.size(); ++i) {
            image[i] = mask_[i] > 0.0F ? image[i] - low_[i] / weight_[i] : 0.0F;
            squares_[i] = image[i] * image[i];
        }
        // Beside how strong they are thereabouts: a frame's edge or letters count no more than all else.
        blur(squares_, low_sigma, low_);
        for (std::size_t i = 0; i < image.size(); ++i) {
            image[i] = mask_[i] > 0.0F ? image[i] / std::sqrt(low_[i] / weight_[i] + noise * noise) : 0.0F;
        }
    };
    keep_details(warped_);
    std::transform(onto_.begin(), onto_.end(), mask_.begin(), scratch_.begin(), std::multiplies<>{});
    keep_details(scratch_);
    double one = 0.0;
    double other = 0.0;
    double both = 0.0;
    for (std::size_t i = 0; i < warped_.size(); ++i) {
        one += double{warped_[i]} * double{warped_[i]};
        other += double{scratch_[i]} * double{scratch_[i]};
        both += double{warped_[i]} * double{scratch_[i]};
    }
    return std::min(one, other) < least_detail * there ? -1.0 : both / std::sqrt(one * other);
}

void Aligner::load(Thumbnails::Row picture, Thumbnails::Row onto) {
    unpack(picture, scratch_);
    blur(scratch_, coarse_sigma, coarse_picture_);
    blur(scratch_, fine_sigma, picture_);
    unpack(onto, scratch_);
    blur(scratch_, coarse_sigma, coarse_onto_);
    blur(scratch_, fine_sigma, onto_);
}

std::optional<Affine> Aligner::find(const Affine& start) {
    Affine map = start;
    if (!improve(coarse_picture_, coarse_onto_, coarse_steps, coarse_stride, map)) {
        return std::nullopt;
    }
    const Affine coarse = map;
    return improve(picture_, onto_, fine_steps, 1, map) ? map : coarse;
}

Alignment Aligner::align(Thumbnails::Row picture, Thumbnails::Row onto, const Affine& start) {
    load(picture, onto);
    const std::optional<Affine> map = find(start);
    return map ? Alignment{compare(*map), *map} : Alignment{};
}

Alignment Aligner::align_in_place(Thumbnails::Row picture, Thumbnails::Row onto, double within) {
    load(picture, onto);
    const std::optional<Affine> map = find({});
    const Affine used = map && map->displacement() <= within ? *map : Affine{};
    return {compare(used), used};
}

}  // namespace stackae::search

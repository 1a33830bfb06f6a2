#include "search/alignment.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>

#include "base/rows.hpp"

namespace stackae::search {
namespace {

constexpr std::int64_t side = Thumbnails::side;
constexpr double least_overlap = 0.35;
constexpr float margin = 2.0F;          ///< pixels of the picture's border that are not compared
constexpr float noise = 3.0F / 255.0F;  ///< deviation of details that are taken for none
constexpr double least_detail = 0.05;   ///< share of what lies on both that has any
constexpr int coarse_steps = 15;
constexpr int fine_steps = 8;
constexpr std::int64_t coarse_stride = 4;  ///< pixels
constexpr double coarse_sigma = 2.0;
constexpr double fine_sigma = 0.7;
constexpr double low_sigma = 3.0;
constexpr double least_explained = 0.5;  ///< of the variance, by the coarse map: below, it is not made finer
constexpr double settled = 2e-4;         ///< shares of the side

void unpack(Thumbnails::Row from, std::vector<float>& to) {
    std::transform(from.begin(), from.end(), to.begin(),
                   [](std::uint8_t byte) { return static_cast<float>(byte) / 255.0F; });
}

}  // namespace

Aligner::Aligner() {
    for (Image* const image : {&picture_, &onto_, &coarse_picture_, &coarse_onto_, &half_, &warped_, &mask_,
                               &squares_, &low_, &weight_, &scratch_}) {
        image->resize(static_cast<std::size_t>(Thumbnails::size));
    }
    for (Image& row : terms_) {
        row.resize(static_cast<std::size_t>(terms_held));
    }
}

std::optional<double> Aligner::improve(const Image& picture, const Image& onto, int steps,
                                       std::int64_t stride, Affine& map) {
    using Vector = Eigen::Matrix<double, 8, 1>;
    using Matrix = Eigen::Matrix<double, 8, 8>;
    const std::int64_t across = side / stride;
    const double area = std::abs(map.determinant());
    const double fewest = least_overlap * static_cast<double>(across * across);
    double explained = 0.0;
    for (int step = 0; step < steps; ++step) {
        // onto ≈ gain (picture + slopes · change of the map) + offset, by least squares for all eight at
        // once.
        ProductSums sums{};
        std::int64_t held = 0;
        for (std::int64_t y = 0; y < side; y += stride) {
            warp_row(picture, map, y, stride, 0.0F, row_);
            align_terms(row_, onto.data() + y * side, y, stride, terms_, held);
            held += across;
            if (held == terms_held || y + stride == side) {
                add_products(terms_, held, sums);
                held = 0;
            }
        }
        Matrix normal = Matrix::Zero();
        Vector answers = Vector::Zero();
        for (int a = 0; a < 8; ++a) {
            for (int b = 0; b <= a; ++b) {
                normal(a, b) = sums[base::at(a)][base::at(b)];
            }
            answers(a) = sums[8][base::at(a)];
        }
        const double there = normal(7, 7);
        if (there < fewest) {
            return std::nullopt;
        }
        normal = Matrix(normal.selfadjointView<Eigen::Lower>());
        normal.diagonal() *= 1.0 + 1e-5;
        normal.diagonal().array() += 1e-6;
        const Vector found = normal.ldlt().solve(answers);
        const double gain = found(6);
        if (!found.allFinite() || gain < 0.05) {
            return std::nullopt;
        }
        const double square = answers(7) * answers(7) / there;
        explained = (found.dot(answers) - square) / std::max(sums[8][8] - square, 1e-9);
        const Vector change = found / gain;
        map.xx += change(0);
        map.xy += change(1);
        map.to.x += change(2);
        map.yx += change(3);
        map.yy += change(4);
        map.to.y += change(5);
        const double now = std::abs(map.determinant());
        if (now < area / 3.0 || now > area * 3.0) {
            return std::nullopt;
        }
        if (change.head<6>().cwiseAbs().maxCoeff() < settled) {
            break;
        }
    }
    return explained;
}

double Aligner::compare(const Affine& map) {
    double there = 0.0;
    for (std::int64_t y = 0; y < side; ++y) {
        warp_row(picture_, map, y, 1, margin, row_);
        std::copy(row_.inside.begin(), row_.inside.end(), mask_.begin() + y * side);
        std::copy(row_.value.begin(), row_.value.end(), warped_.begin() + y * side);
        there += std::accumulate(row_.inside.begin(), row_.inside.end(), 0.0);
    }
    if (there < least_overlap * static_cast<double>(Thumbnails::size)) {
        return -1.0;
    }
    // Details: what is left above a blur of what lies on both.
    blur(mask_, low_sigma, half_, weight_);
    const auto keep_details = [&](Image& image) {
        blur(image, low_sigma, half_, low_);
        for (std::size_t i = 0; i < image.size(); ++i) {
            image[i] = mask_[i] > 0.0F ? image[i] - low_[i] / weight_[i] : 0.0F;
            squares_[i] = image[i] * image[i];
        }
        // Beside how strong they are thereabouts: a frame's edge or letters count no more than all else.
        blur(squares_, low_sigma, half_, low_);
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
    blur(scratch_, coarse_sigma, half_, coarse_picture_);
    blur(scratch_, fine_sigma, half_, picture_);
    unpack(onto, scratch_);
    blur(scratch_, coarse_sigma, half_, coarse_onto_);
    blur(scratch_, fine_sigma, half_, onto_);
}

std::optional<Affine> Aligner::find(const Affine& start) {
    Affine map = start;
    const auto explained = improve(coarse_picture_, coarse_onto_, coarse_steps, coarse_stride, map);
    if (!explained) {
        return std::nullopt;
    }
    const Affine coarse = map;
    return *explained >= least_explained && improve(picture_, onto_, fine_steps, 1, map) ? map : coarse;
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

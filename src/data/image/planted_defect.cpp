#include "data/image/planted_defect.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

#include "stackae/enum_names.hpp"

#include "base/enum_names.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<data::Defect> =
    base::names_of<data::Defect>("defect", {{data::Defect::cut_paste, "cut_paste"},
                                            {data::Defect::scar, "scar"},
                                            {data::Defect::foreign, "foreign"},
                                            {data::Defect::scratch, "scratch"},
                                            {data::Defect::blob, "blob"},
                                            {data::Defect::stain, "stain"},
                                            {data::Defect::blur, "blur"}});
template const char* name(data::Defect);

namespace data {
namespace {

/// Least part of a pixel that counts as changed.
constexpr float visible = 0.4F;
/// Least change, in deviations of the picture, by which a pixel is part of the defect.
constexpr float least_change = 0.15F;

/// Numbers drawn one after the other.
class Draw {
public:
    explicit Draw(const base::Random& random) : random_(random) {}

    double between(double low, double high) {
        return low + (high - low) * double{base::Random::uniform(random_.block(next_++)[0])};
    }
    int below(int bound) {
        return static_cast<int>(random_.below(next_++, static_cast<std::uint64_t>(bound)));
    }
    float sign() { return below(2) == 0 ? -1.0F : 1.0F; }
    double normal() {
        const base::Random::Block r = random_.block(next_++);
        return double{base::Random::normal(r[0], r[1])[0]};
    }

private:
    const base::Random& random_;
    std::uint32_t next_ = 0;
};

/// A spot of about so many pixels across, without corners.
cv::Mat1f spot(const cv::Size& size, double across, Draw& draw) {
    constexpr int waves = 5;
    const double x0 = draw.between(0.0, size.width);
    const double y0 = draw.between(0.0, size.height);
    const double stretch = draw.between(0.6, 1.6);
    const double angle = draw.between(0.0, std::numbers::pi);
    std::array<double, waves> heights{};
    std::array<double, waves> phases{};
    for (int i = 0; i < waves; ++i) {
        heights[static_cast<std::size_t>(i)] = 0.25 * draw.normal() / (1.0 + i);
        phases[static_cast<std::size_t>(i)] = draw.between(0.0, 2.0 * std::numbers::pi);
    }
    cv::Mat1f mask(size, 0.0F);
    for (int y = 0; y < size.height; ++y) {
        for (int x = 0; x < size.width; ++x) {
            const double dx = x - x0;
            const double dy = y - y0;
            const double u = (dx * std::cos(angle) + dy * std::sin(angle)) / stretch;
            const double v = (dy * std::cos(angle) - dx * std::sin(angle)) * stretch;
            const double radius = std::hypot(u, v);
            if (radius > across) {
                continue;
            }
            const double towards = std::atan2(v, u);
            double edge = 1.0;
            for (int i = 0; i < waves; ++i) {
                edge += heights[static_cast<std::size_t>(i)] *
                        std::sin((i + 2) * towards + phases[static_cast<std::size_t>(i)]);
            }
            mask(y, x) = radius <= 0.5 * across * std::max(0.3, edge) ? 1.0F : 0.0F;
        }
    }
    return mask;
}

cv::Mat1f line(const cv::Size& size, double length, Draw& draw) {
    constexpr int joints = 8;
    constexpr int fraction = 3;  // bits of a pixel
    cv::Mat1f mask(size, 0.0F);
    double x = draw.between(0.0, size.width);
    double y = draw.between(0.0, size.height);
    double angle = draw.between(0.0, 2.0 * std::numbers::pi);
    std::vector<cv::Point> points;
    for (int i = 0; i <= joints; ++i) {
        points.emplace_back(cvRound(x * (1 << fraction)), cvRound(y * (1 << fraction)));
        angle += 0.35 * draw.normal();
        x += length / joints * std::cos(angle);
        y += length / joints * std::sin(angle);
    }
    const std::vector<std::vector<cv::Point>> lines{points};
    cv::polylines(mask, lines, false, cv::Scalar(1.0), 1 + draw.below(3), cv::LINE_8, fraction);
    return mask;
}

/// The defect's mask, and the place in the other picture that is copied where the mask is 1.
struct Plan {
    cv::Mat1f mask;
    bool copies = false;
    int dx = 0;  ///< from a pixel to the one of the other picture, which goes on at its borders
    int dy = 0;
    bool mirrored = false;
    float gain = 0.0F;  ///< added, in deviations
    double blur = 0.0;  ///< deviation of the Gaussian, pixels
    double softness = 0.7;
};

Plan plan(const cv::Size& size, Defect defect, Draw& draw) {
    const int side = std::min(size.width, size.height);
    Plan p;
    const auto from_elsewhere = [&] {
        p.copies = true;
        p.dx = draw.below(size.width);
        p.dy = draw.below(size.height);
        p.mirrored = draw.below(2) == 0;
    };
    switch (defect) {
        case Defect::cut_paste: {
            p.mask = cv::Mat1f(size, 0.0F);
            const int w = std::max(3, static_cast<int>(draw.between(0.06, 0.2) * side));
            const int h = std::max(3, static_cast<int>(draw.between(0.06, 0.2) * side));
            const cv::Rect at(draw.below(std::max(1, size.width - w)),
                              draw.below(std::max(1, size.height - h)), std::min(w, size.width),
                              std::min(h, size.height));
            p.mask(at).setTo(1.0F);
            from_elsewhere();
            p.softness = 0.0;
            break;
        }
        case Defect::scar: {
            p.mask = cv::Mat1f(size, 0.0F);
            const cv::RotatedRect box({static_cast<float>(draw.between(0.0, size.width)),
                                       static_cast<float>(draw.between(0.0, size.height))},
                                      {static_cast<float>(std::max(2.0, draw.between(0.008, 0.03) * side)),
                                       static_cast<float>(std::max(6.0, draw.between(0.04, 0.16) * side))},
                                      static_cast<float>(draw.between(0.0, 180.0)));
            std::array<cv::Point2f, 4> corners;
            box.points(corners.data());
            std::vector<cv::Point> points(corners.begin(), corners.end());
            cv::fillConvexPoly(p.mask, points, cv::Scalar(1.0));
            from_elsewhere();
            break;
        }
        case Defect::foreign:
            p.mask = spot(size, draw.between(0.06, 0.2) * side, draw);
            from_elsewhere();
            break;
        case Defect::scratch:
            p.mask = line(size, draw.between(0.15, 0.6) * side, draw);
            p.gain = draw.sign() * static_cast<float>(draw.between(0.6, 2.5));
            break;
        case Defect::blob:
            p.mask = spot(size, std::max(4.0, draw.between(0.02, 0.08) * side), draw);
            p.gain = draw.sign() * static_cast<float>(draw.between(0.6, 2.5));
            break;
        case Defect::stain:
            p.mask = spot(size, draw.between(0.08, 0.3) * side, draw);
            p.gain = draw.sign() * static_cast<float>(draw.between(0.4, 1.2));
            p.softness = 3.0;
            break;
        case Defect::blur:
            p.mask = spot(size, draw.between(0.08, 0.25) * side, draw);
            p.blur = draw.between(1.5, 4.0);
            break;
    }
    if (p.softness > 0.0) {
        cv::GaussianBlur(p.mask, p.mask, {}, p.softness);
    }
    return p;
}

int within(int i, int size) {
    return (i % size + size) % size;
}

double deviation(std::span<const float> values) {
    double sum = 0.0;
    double squares = 0.0;
    for (const float x : values) {
        sum += double{x};
        squares += double{x} * double{x};
    }
    const double n = static_cast<double>(values.size());
    return std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)));
}

}  // namespace

PlantedDefect plant_defect(std::span<const float> picture, std::span<const float> other, const Shape& shape,
                           Defect defect, const base::Random& random) {
    const cv::Size size(static_cast<int>(shape.width), static_cast<int>(shape.height));
    const int channels = static_cast<int>(shape.channels);
    Draw draw(random);
    const Plan p = plan(size, defect, draw);
    // As much as the eighth of a byte's range at least: a picture of next to one value has defects too.
    const float unit = static_cast<float>(std::max(deviation(picture), 1.0 / 64.0));
    const float ceiling = *std::max_element(picture.begin(), picture.end());
    const float floor = *std::min_element(picture.begin(), picture.end());
    PlantedDefect out;
    out.picture.assign(picture.begin(), picture.end());
    out.mask.assign(static_cast<std::size_t>(size.area()), 0.0F);
    const auto at = [&](int x, int y, int c) {
        return static_cast<std::size_t>((y * size.width + x) * channels + c);
    };
    for (int c = 0; c < channels; ++c) {
        const float gain = p.gain * unit * static_cast<float>(channels > 1 ? draw.between(0.5, 1.5) : 1.0);
        cv::Mat1f blurred;
        if (p.blur > 0.0) {
            cv::Mat1f plane(size);
            for (int y = 0; y < size.height; ++y) {
                for (int x = 0; x < size.width; ++x) {
                    plane(y, x) = picture[at(x, y, c)];
                }
            }
            cv::GaussianBlur(plane, blurred, {}, p.blur);
        }
        for (int y = 0; y < size.height; ++y) {
            for (int x = 0; x < size.width; ++x) {
                const float share = p.mask(y, x);
                if (share <= 0.0F) {
                    continue;
                }
                const float before = picture[at(x, y, c)];
                float value = before + gain;
                if (p.copies) {
                    const int from = within((p.mirrored ? -x : x) + p.dx, size.width);
                    value = other[at(from, within(y + p.dy, size.height), c)];
                } else if (p.blur > 0.0) {
                    value = blurred(y, x);
                } else {
                    value = std::clamp(value, std::min(floor, 0.0F), std::max(ceiling, 1.0F));
                }
                const float after = before + share * (value - before);
                out.picture[at(x, y, c)] = after;
                if (share >= visible && std::abs(after - before) >= least_change * unit) {
                    out.mask[static_cast<std::size_t>(y * size.width + x)] = 1.0F;
                }
            }
        }
    }
    return out;
}

}  // namespace data
}  // namespace stackae

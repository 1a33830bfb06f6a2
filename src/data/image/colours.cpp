#include "data/image/colours.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "data/image/picture.hpp"

namespace stackae::data {
namespace {

template <class T>
void convert(const cv::Mat& inks, double white, bool inverted, cv::Mat& rgb) {
    using Wide = std::conditional_t<std::is_floating_point_v<T>, float, std::uint64_t>;
    const auto full = static_cast<Wide>(white);
    const Wide half = std::is_floating_point_v<T> ? Wide{0} : full / 2;
    const int channels = inks.channels();
    for (int y = 0; y < inks.rows; ++y) {
        const auto* from = inks.ptr<T>(y);
        auto* to = rgb.ptr<T>(y);
        for (int x = 0; x < inks.cols; ++x, from += channels, to += channels - 1) {
            const auto light = [&](int c) {
                const auto value = static_cast<Wide>(from[c]);
                return inverted ? value : full - value;
            };
            for (int c = 0; c < 3; ++c) {
                to[c] = static_cast<T>((light(c) * light(3) + half) / full);
            }
            if (channels == 5) {
                to[3] = from[4];
            }
        }
    }
}

/// From linear light in [0, 1] (IEC 61966-2-1).
double srgb(double linear) {
    return linear <= 0.0031308 ? 12.92 * linear : 1.055 * std::pow(linear, 1.0 / 2.4) - 0.055;
}

/// X, Y, Z, of which Y of white is 1.
cv::Vec3d xyz_of_white(double x, double y) {
    return {x / y, 1.0, (1.0 - x - y) / y};
}

/// X, Y, Z over those of the given white to linear R, G, B of sRGB, whose white is D65.
cv::Matx33d rgb_of_relative_xyz(const cv::Vec3d& white) {
    const cv::Matx33d cones(0.8951, 0.2664, -0.1614, -0.7502, 1.7135, 0.0367, 0.0389, -0.0685, 1.0296);
    const cv::Matx33d rgb(3.2406255, -1.5372080, -0.4986286, -0.9689307, 1.8757561, 0.0415175, 0.0557101,
                          -0.2040211, 1.0569959);
    const cv::Vec3d from = cones * white;
    const cv::Vec3d to = cones * xyz_of_white(0.3127, 0.3290);
    const auto gain = cv::Matx33d::diag(cv::Vec3d(to[0] / from[0], to[1] / from[1], to[2] / from[2]));
    return rgb * cones.inv() * gain * cones * cv::Matx33d::diag(white);
}

/// CIE 15: the inverse of L*a*b*'s curve.
double without_curve(double value) {
    constexpr double knee = 6.0 / 29.0;
    return value > knee ? value * value * value : 3.0 * knee * knee * (value - 4.0 / 29.0);
}

template <class T>
void convert_lab(const cv::Mat& lab, const cv::Matx33d& to_rgb, cv::Mat& rgb) {
    using Signed = std::make_signed_t<T>;
    constexpr double one = sizeof(T) == 1 ? 1.0 : 256.0;
    for (int y = 0; y < lab.rows; ++y) {
        const auto* from = lab.ptr<T>(y);
        auto* to = rgb.ptr<float>(y);
        for (int x = 0; x < lab.cols; ++x, from += 3, to += 3) {
            const double lightness = from[0] * 100.0 / std::numeric_limits<T>::max();
            const double middle = (lightness + 16.0) / 116.0;
            const cv::Vec3d relative(without_curve(middle + static_cast<Signed>(from[1]) / one / 500.0),
                                     without_curve(middle),
                                     without_curve(middle - static_cast<Signed>(from[2]) / one / 200.0));
            const cv::Vec3d light = to_rgb * relative;
            for (int c = 0; c < 3; ++c) {
                to[c] = static_cast<float>(std::clamp(srgb(std::clamp(light[c], 0.0, 1.0)), 0.0, 1.0));
            }
        }
    }
}

}  // namespace

cv::Mat lab_to_rgb(const cv::Mat& lab, const std::array<float, 2>& white_xy) {
    cv::Mat rgb(lab.size(), CV_32FC3);
    const cv::Matx33d to_rgb =
        rgb_of_relative_xyz(xyz_of_white(static_cast<double>(white_xy[0]), static_cast<double>(white_xy[1])));
    lab.depth() == CV_8U ? convert_lab<std::uint8_t>(lab, to_rgb, rgb)
                         : convert_lab<std::uint16_t>(lab, to_rgb, rgb);
    return rgb;
}

cv::Mat cmyk_to_rgb(const cv::Mat& inks, double white, bool inverted) {
    cv::Mat rgb(inks.size(), CV_MAKETYPE(inks.depth(), inks.channels() - 1));
    with_depth(inks.depth(), [&]<class T>(T /*zero*/) { convert<T>(inks, white, inverted, rgb); });
    return rgb;
}

}  // namespace stackae::data

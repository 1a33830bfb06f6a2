#include "image/colours.hpp"

#include <cstdint>
#include <type_traits>

namespace stackae::image {
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

}  // namespace

cv::Mat cmyk_to_rgb(const cv::Mat& inks, double white, bool inverted) {
    cv::Mat rgb(inks.size(), CV_MAKETYPE(inks.depth(), inks.channels() - 1));
    switch (inks.depth()) {
        case CV_8U:
            convert<std::uint8_t>(inks, white, inverted, rgb);
            break;
        case CV_16U:
            convert<std::uint16_t>(inks, white, inverted, rgb);
            break;
        default:
            convert<float>(inks, white, inverted, rgb);
            break;
    }
    return rgb;
}

}  // namespace stackae::image

#include "data/image/tiff_palette.hpp"

#include <algorithm>
#include <array>

namespace stackae::data {
namespace {

/// The colours of a palette: 1 × 2^bits of R, G, B in 8 or 16 bits. Most maps were made from 8 bits, in one
/// of three ways.
cv::Mat palette_of(const TiffFile& tiff, unsigned bits) {
    std::array<std::uint16_t*, 3> maps{};
    if (tiff.library().get_field(tiff.handle(), TIFFTAG_COLORMAP, maps.data(), &maps[1], &maps[2]) != 1) {
        corrupt("TIFF without its palette");
    }
    const int size = 1 << bits;
    const auto all = [&](const auto& holds) {
        return std::all_of(maps.begin(), maps.end(),
                           [&](const std::uint16_t* map) { return std::all_of(map, map + size, holds); });
    };
    const bool narrow = all([](unsigned value) { return value < 256; });
    const bool doubled = all([](unsigned value) { return value % 256 == 0 || value % 257 == 0; });
    cv::Mat palette(1, size, narrow || doubled ? CV_8UC3 : CV_16UC3);
    for (int i = 0; i < size; ++i) {
        for (std::size_t c = 0; c < 3; ++c) {
            const std::uint16_t value = maps[c][i];
            const int at = 3 * i + static_cast<int>(c);
            if (palette.depth() == CV_16U) {
                palette.ptr<std::uint16_t>()[at] = value;
            } else {
                palette.data[at] = static_cast<unsigned char>(narrow ? value : value / 256);
            }
        }
    }
    return palette;
}

/// Indices, with or without alpha, to colours.
template <class Index, class Colour>
cv::Mat looked_up(const cv::Mat& indices, const cv::Mat& palette, double white) {
    const int from_channels = indices.channels();
    const int to_channels = from_channels + 2;
    const double alpha_scale = (sizeof(Colour) == 1 ? 255.0 : 65535.0) / white;
    cv::Mat colours(indices.size(), CV_MAKETYPE(palette.depth(), to_channels));
    for (int y = 0; y < indices.rows; ++y) {
        const auto* from = indices.ptr<Index>(y);
        auto* to = colours.ptr<Colour>(y);
        for (int x = 0; x < indices.cols; ++x, from += from_channels, to += to_channels) {
            std::copy_n(palette.ptr<Colour>() + 3 * std::size_t{from[0]}, 3, to);
            if (from_channels == 2) {
                to[3] = cv::saturate_cast<Colour>(from[1] * alpha_scale);
            }
        }
    }
    return colours;
}

}  // namespace

cv::Mat palette_colours(const TiffFile& tiff, unsigned bits, const cv::Mat& indices, double white) {
    const cv::Mat palette = palette_of(tiff, bits);
    const bool wide = palette.depth() == CV_16U;
    if (indices.depth() == CV_8U) {
        return wide ? looked_up<std::uint8_t, std::uint16_t>(indices, palette, white)
                    : looked_up<std::uint8_t, std::uint8_t>(indices, palette, white);
    }
    return wide ? looked_up<std::uint16_t, std::uint16_t>(indices, palette, white)
                : looked_up<std::uint16_t, std::uint8_t>(indices, palette, white);
}

}  // namespace stackae::data

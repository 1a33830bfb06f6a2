#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <vector>

#include "data/image/colours.hpp"
#include "data/image/decode.hpp"
#include "data/image/exif.hpp"
#include "data/image/formats.hpp"
#include "data/image/tiff_directory.hpp"
#include "data/image/tiff_file.hpp"
#include "data/image/tiff_layout.hpp"
#include "data/image/tiff_pages.hpp"
#include "data/image/tiff_samples.hpp"

namespace stackae::data {
namespace {

/// Black is zero. premultiplied: white is what alpha lets of it.
template <class T>
void invert_gray(cv::Mat& pixels, double white, bool premultiplied) {
    const int channels = pixels.channels();
    for (int y = 0; y < pixels.rows; ++y) {
        auto* pixel = pixels.ptr<T>(y);
        for (int x = 0; x < pixels.cols; ++x, pixel += channels) {
            const T most = premultiplied ? pixel[1] : static_cast<T>(white);
            pixel[0] = static_cast<T>(most - std::min(most, pixel[0]));
        }
    }
}

void drop_last_channel(cv::Mat& pixels) {
    const int channels = pixels.channels() - 1;
    cv::Mat kept(pixels.size(), CV_MAKETYPE(pixels.depth(), channels));
    for (int c = 0; c < channels; ++c) {
        const std::array<int, 2> from_to{c, c};
        cv::mixChannels(&pixels, 1, &kept, 1, from_to.data(), 1);
    }
    pixels = kept;
}

/// The chromaticity of white, D50's where the file does not say. libtiff's own conversion is not used: it
/// leaves out the adaptation to the screen's white, which tints the picture.
std::array<float, 2> white_of_lab(const TiffFile& tiff) {
    const float* stated = nullptr;
    if (tiff.library().get_field(tiff.handle(), TIFFTAG_WHITEPOINT, &stated) == 1 && stated[0] > 0.0F &&
        stated[1] > 0.0F && stated[0] + stated[1] < 1.0F) {
        return {stated[0], stated[1]};
    }
    return {0.3457F, 0.3585F};
}

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

/// Indices of up to 16 bits, with or without alpha from 0 to white, to R, G, B by the file's palette, and
/// that alpha: 8U or 16U, over the whole range. Throws BadPicture (corrupt) where there is no palette.
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

/// Stored samples to gray or R, G, B.
Picture coloured(const TiffFile& tiff, const TiffLayout& layout, cv::Mat stored) {
    Picture picture;
    picture.white = layout.format.white();
    picture.premultiplied = layout.alpha == TiffAlpha::associated;
    if (layout.measured) {
        picture.pixels = stored;
        picture.measured = true;
        picture.colours = layout.alpha == TiffAlpha::unused ? layout.samples - 1 : 0;
        return picture;
    }
    if (layout.alpha == TiffAlpha::unused) {
        drop_last_channel(stored);
    }
    if (layout.photometric == PHOTOMETRIC_MINISWHITE) {
        with_depth(stored.depth(), [&]<class T>(T /*zero*/) {
            invert_gray<T>(stored, picture.white, picture.premultiplied);
        });
    } else if (layout.photometric == PHOTOMETRIC_SEPARATED) {
        stored = cmyk_to_rgb(stored, picture.white, false);
    } else if (layout.photometric == PHOTOMETRIC_CIELAB) {
        stored = lab_to_rgb(stored, white_of_lab(tiff));
        picture.white = 1.0;
    } else if (layout.photometric == PHOTOMETRIC_PALETTE) {
        stored = palette_colours(tiff, layout.format.bits, stored, picture.white);
        picture.white = stored.depth() == CV_16U ? 65535.0 : 255.0;
    }
    picture.pixels = stored;
    return picture;
}

/// What should be said of a file of which one page is used unasked.
std::string remark_on(const RandomAccess& file, const TiffDirectory& directory, std::size_t pages) {
    if (pages > 1) {
        return fmt::format("the first of {} pages used", pages);
    }
    const std::optional<TiffSlices> slices = tiff_slices(file, directory);
    return !slices ? ""
                   : fmt::format(
                         "the first of {} slices used: the file is too short for those that ImageJ's "
                         "description tells of",
                         slices->count);
}

}  // namespace

Picture decode_tiff(const RandomAccess& file, const DecodeOptions& options) {
    Page page = options.page;
    std::size_t pages = 1;
    const bool unasked = page.directory == 0;
    if (unasked) {
        const std::vector<Page> all = tiff_pages(file);
        if (all.empty()) {
            corrupt("TIFF without a directory: cut short or damaged");
        }
        page = all.front();
        pages = all.size();
    }
    const TiffHeader header(file);
    const TiffDirectory directory(file, header, page.directory);
    if (is_camera_raw(file, header, directory)) {
        unsupported("camera's raw picture found; a developed TIFF expected");
    }
    TiffFile tiff(file, header, page, options.limits.max_bytes);
    const TiffLayout layout = layout_of(tiff, !directory.numbers(TIFFTAG_EXTRASAMPLES).empty());
    check_size(layout.width, layout.height, layout.bytes_a_pixel(), options.limits);
    Picture picture;
    if (layout.by_libtiff) {
        picture.pixels = samples_by_libtiff(tiff, layout, options.limits);
    } else {
        picture = coloured(tiff, layout, stored_samples(tiff, layout, options.limits));
    }
    turn_upright(picture.pixels, layout.orientation);
    if (unasked) {
        picture.remark = remark_on(file, directory, pages);
    }
    if (picture.remark.empty() && directory.next() > file.size()) {
        picture.remark =
            fmt::format("a further page is said to lie at byte {}, beyond the file's end", directory.next());
    }
    return picture;
}

}  // namespace stackae::data

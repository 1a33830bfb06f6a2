#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <opencv2/core.hpp>

#include "data/image/bmp_header.hpp"
#include "data/image/bmp_runs.hpp"
#include "data/image/formats.hpp"

namespace stackae::data {
namespace {

/// The rows as they are stored, each padded to 4 bytes but for the last, where some programs leave that out.
class RawRows {
public:
    RawRows(ByteSpan file, const BmpHeader& header) : row_((header.width * header.bits + 7) / 8) {
        stride_ = (row_ + 3) / 4 * 4;
        data_ = Bytes(file, false).part(header.data_at, stride_ * (header.height - 1) + row_);
    }
    [[nodiscard]] ByteSpan operator[](int y) const {
        return data_.subspan(static_cast<std::size_t>(y) * stride_, row_);
    }

private:
    std::size_t row_;
    std::size_t stride_ = 0;
    ByteSpan data_;
};

/// Palette indices of 1, 2, 4 or 8 bits, the leftmost in the highest bits; rows as they are stored.
cv::Mat raw_indices(const RawRows& rows, const BmpHeader& header) {
    cv::Mat indices(static_cast<int>(header.height), static_cast<int>(header.width), CV_8UC1);
    const unsigned a_byte = 8 / header.bits;
    const unsigned mask = (1U << header.bits) - 1;
    for (int y = 0; y < indices.rows; ++y) {
        const ByteSpan row = rows[y];
        auto* to = indices.ptr(y);
        for (unsigned x = 0; x < header.width; ++x) {
            const unsigned shift = 8 - header.bits * (x % a_byte + 1);
            to[x] = static_cast<std::uint8_t>((std::to_integer<unsigned>(row[x / a_byte]) >> shift) & mask);
        }
    }
    return indices;
}

/// Gray where all colours are, else R, G, B.
cv::Mat by_palette(const cv::Mat& indices, const BmpHeader& header) {
    const auto& palette = header.palette;
    const bool gray = std::all_of(palette.begin(), palette.end(),
                                  [](const auto& c) { return c[0] == c[1] && c[0] == c[2]; });
    const int channels = gray ? 1 : 3;
    cv::Mat pixels(indices.size(), CV_8UC(channels));
    for (int y = 0; y < indices.rows; ++y) {
        const auto* from = indices.ptr(y);
        auto* to = pixels.ptr(y);
        for (int x = 0; x < indices.cols; ++x, to += channels) {
            if (from[x] >= palette.size()) {
                corrupt(
                    fmt::format("BMP palette index {} found, {} colours expected", from[x], palette.size()));
            }
            std::copy_n(palette[from[x]].begin(), channels, to);
        }
    }
    return pixels;
}

/// A channel of a pixel that is one whole number, scaled so that all ones are the white of T.
template <class T>
class Channel {
public:
    explicit Channel(std::uint32_t mask)
        : mask_(mask), shift_(mask == 0 ? 0 : static_cast<unsigned>(std::countr_zero(mask))) {
        const std::uint32_t most = mask >> shift_;
        scale_ = most == 0 ? 0.0 : static_cast<double>(std::numeric_limits<T>::max()) / most;
    }
    [[nodiscard]] T value(std::uint32_t pixel) const {
        return static_cast<T>(std::lround(((pixel & mask_) >> shift_) * scale_));
    }

private:
    std::uint32_t mask_;
    unsigned shift_;
    double scale_;
};

/// 16, 24 or 32 bits a pixel to R, G, B and, where it has a mask, alpha.
template <class T>
cv::Mat by_masks(const RawRows& rows, const BmpHeader& header) {
    const int channels = header.masks[3] != 0 ? 4 : 3;
    const std::array<Channel<T>, 4> channel{Channel<T>(header.masks[0]), Channel<T>(header.masks[1]),
                                            Channel<T>(header.masks[2]), Channel<T>(header.masks[3])};
    cv::Mat pixels(static_cast<int>(header.height), static_cast<int>(header.width),
                   CV_MAKETYPE(cv::DataType<T>::depth, channels));
    const unsigned width = header.bits / 8;
    for (int y = 0; y < pixels.rows; ++y) {
        const std::byte* from = rows[y].data();
        T* to = pixels.ptr<T>(y);
        for (int x = 0; x < pixels.cols; ++x, from += width) {
            std::uint32_t pixel = 0;
            for (unsigned i = 0; i < width; ++i) {
                pixel |= std::to_integer<std::uint32_t>(from[i]) << (8 * i);
            }
            for (int c = 0; c < channels; ++c) {
                *to++ = channel[static_cast<std::size_t>(c)].value(pixel);
            }
        }
    }
    return pixels;
}

/// The fourth byte of a pixel is often left 0 by programs that know no alpha.
void drop_unset_alpha(cv::Mat& pixels) {
    cv::Mat alpha;
    cv::extractChannel(pixels, alpha, 3);
    if (cv::countNonZero(alpha) == 0) {
        cv::Mat colours(pixels.size(), CV_MAKETYPE(pixels.depth(), 3));
        cv::mixChannels(pixels, colours, {0, 0, 1, 1, 2, 2});
        pixels = colours;
    }
}

Picture masked(const RawRows& rows, const BmpHeader& header) {
    const bool bytes = std::all_of(header.masks.begin(), header.masks.end(),
                                   [](std::uint32_t mask) { return mask == 0 || std::popcount(mask) == 8; });
    Picture picture;
    picture.pixels = bytes ? by_masks<std::uint8_t>(rows, header) : by_masks<std::uint16_t>(rows, header);
    picture.white = bytes ? 255.0 : 65535.0;
    return picture;
}

/// IEC 61966-2-1, from linear light in [0, 1].
float srgb(float linear) {
    return linear <= 0.0031308F ? 12.92F * linear : 1.055F * std::pow(linear, 1.0F / 2.4F) - 0.055F;
}

/// 64 bits a pixel: B, G, R, A as signed numbers of which 8192 is 1, the colours in linear light.
Picture deep(const RawRows& rows, const BmpHeader& header) {
    Picture picture;
    picture.white = 1.0;
    picture.pixels.create(static_cast<int>(header.height), static_cast<int>(header.width), CV_32FC4);
    for (int y = 0; y < picture.pixels.rows; ++y) {
        const Bytes row(rows[y], false);
        auto* to = picture.pixels.ptr<cv::Vec4f>(y);
        for (int x = 0; x < picture.pixels.cols; ++x) {
            for (int c = 0; c < 4; ++c) {
                const auto stored = static_cast<std::int16_t>(
                    row.u16(8 * static_cast<std::uint64_t>(x) + 2 * static_cast<std::uint64_t>(c)));
                const float unit = std::clamp(static_cast<float>(stored) / 8192.0F, 0.0F, 1.0F);
                to[x][c == 3 ? 3 : 2 - c] = c == 3 ? unit : srgb(unit);
            }
        }
    }
    return picture;
}

/// Bytes a pixel that decoding holds, what it is put together from included.
std::uint64_t bytes_a_pixel(const BmpHeader& header) {
    return header.bits <= 8 ? 4 : header.bits == 64 ? 16 : header.masks[3] != 0 ? 12 : 6;
}

Picture unpacked(ByteSpan file, const BmpHeader& header) {
    Picture picture;
    if (header.compression != BmpCompression::raw) {
        const cv::Mat runs =
            read_bmp_runs(Bytes(file, false).part(header.data_at, file.size() - header.data_at), header);
        if (header.compression == BmpCompression::rle24) {
            picture.pixels.create(runs.size(), CV_8UC3);
            cv::mixChannels(runs, picture.pixels, {0, 2, 1, 1, 2, 0});
        } else {
            picture.pixels = by_palette(runs, header);
        }
        return picture;
    }
    const RawRows rows(file, header);
    if (header.bits <= 8) {
        picture.pixels = by_palette(raw_indices(rows, header), header);
        return picture;
    }
    return header.bits == 64 ? deep(rows, header) : masked(rows, header);
}

}  // namespace

Picture decode_bmp(ByteSpan file, const DecodeOptions& options) {
    const Bytes bytes(file, false);
    const bool array = bytes.has(0, "BA");  // OS/2's container of several
    constexpr std::uint64_t array_header = 14;
    if (array && !bytes.has(array_header, "BM")) {
        unsupported("OS/2 bitmap array of icons or pointers; pictures expected");
    }
    const BmpHeader header = read_bmp_header(file, array ? array_header : 0);
    Picture picture;
    if (header.data_at > file.size()) {
        corrupt(fmt::format("cut short: {} bytes found, picture data at byte {} expected", file.size(),
                            header.data_at));
    }
    if (header.compression == BmpCompression::jpeg) {
        picture = decode_jpeg(file.subspan(header.data_at), options);
    } else if (header.compression == BmpCompression::png) {
        picture = decode_png(file.subspan(header.data_at), options);
    } else {
        check_size(header.width, header.height, bytes_a_pixel(header), options.limits);
        picture = unpacked(file, header);
        if (picture.pixels.channels() == 4) {
            drop_unset_alpha(picture.pixels);
        }
        if (!header.top_down) {
            cv::flip(picture.pixels, picture.pixels, 0);
        }
    }
    if (array && bytes.u32(6) != 0) {
        picture.remark = "first of several pictures used";
    }
    return picture;
}

}  // namespace stackae::data

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <opencv2/core.hpp>

#include "data/image/decode.hpp"
#include "data/image/formats.hpp"
#include "data/image/pnm_header.hpp"

namespace stackae::data {
namespace {

[[noreturn]] void too_large_value(std::uint64_t value, const PnmHeader& header) {
    corrupt(fmt::format("PNM value {} found, at most {} expected", value, header.max_value));
}

/// Numbers parted by white space; of a bitmap, single digits with or without.
template <class T>
void read_text(PnmText text, const PnmHeader& header, cv::Mat& pixels) {
    const int values = pixels.cols * pixels.channels();
    for (int y = 0; y < pixels.rows; ++y) {
        T* row = pixels.ptr<T>(y);
        for (int i = 0; i < values; ++i) {
            const std::uint64_t value = text.number();
            if (value > header.max_value) {
                too_large_value(value, header);
            }
            row[i] = static_cast<T>(value);
        }
    }
}

/// 1 is black.
void read_bits_text(PnmText text, cv::Mat& pixels) {
    for (int y = 0; y < pixels.rows; ++y) {
        for (int x = 0; x < pixels.cols; ++x) {
            int c = text.next();
            while (c == ' ' || (c >= '\t' && c <= '\r')) {
                c = text.next();
            }
            if (c != '0' && c != '1') {
                corrupt(fmt::format("PBM with other than 0 or 1 at byte {}", text.at()));
            }
            pixels.at<std::uint8_t>(y, x) = c == '0' ? 1 : 0;
        }
    }
}

/// 1 is black; the leftmost pixel is in the highest bit.
void read_bits(ByteSpan row, std::uint8_t* to, int width) {
    for (int x = 0; x < width; ++x) {
        const auto byte = std::to_integer<unsigned>(row[static_cast<std::size_t>(x) / 8]);
        to[x] = (byte >> (7U - static_cast<unsigned>(x) % 8U) & 1U) == 0 ? 1 : 0;
    }
}

template <class T>
void read_numbers(ByteSpan row, const PnmHeader& header, T* to) {
    for (std::size_t i = 0; i < row.size() / sizeof(T); ++i) {
        std::uint64_t value = 0;
        for (std::size_t b = 0; b < sizeof(T); ++b) {
            value = value << 8U | std::to_integer<std::uint64_t>(row[i * sizeof(T) + b]);
        }
        if (value > header.max_value) {
            too_large_value(value, header);
        }
        to[i] = static_cast<T>(value);
    }
}

void read_floats(ByteSpan row, const PnmHeader& header, float* to) {
    const Bytes bytes(row, header.big_endian);
    for (std::size_t i = 0; i < row.size() / 4; ++i) {
        to[i] = std::bit_cast<float>(bytes.u32(4 * i));
    }
}

void read_binary(ByteSpan file, const PnmHeader& header, cv::Mat& pixels) {
    const std::uint64_t row_bytes = header.row_bytes();
    const ByteSpan data = Bytes(file, false).part(header.data_at, row_bytes * header.height);
    for (int y = 0; y < pixels.rows; ++y) {
        const ByteSpan row = data.subspan(static_cast<std::size_t>(y) * row_bytes, row_bytes);
        if (header.data == PnmData::bits) {
            read_bits(row, pixels.ptr(y), pixels.cols);
        } else if (header.data == PnmData::floats) {
            read_floats(row, header, pixels.ptr<float>(pixels.rows - 1 - y));  // bottom first
        } else if (header.max_value > 255) {
            read_numbers(row, header, pixels.ptr<std::uint16_t>(y));
        } else {
            read_numbers(row, header, pixels.ptr<std::uint8_t>(y));
        }
    }
}

bool begins_picture(ByteSpan file) {
    const std::string_view kinds = "4567Ff";
    return file.size() > 3 && static_cast<char>(file[0]) == 'P' &&
           kinds.find(static_cast<char>(file[1])) != std::string_view::npos;
}

/// Pictures in a row from `at`, each as binary data right behind the last.
std::int64_t count_pictures(ByteSpan file, PnmHeader header) {
    std::int64_t count = 1;
    try {
        while (header.row_bytes() > 0) {
            const std::uint64_t end = header.data_at + header.row_bytes() * header.height;
            if (!begins_picture(file.subspan(std::min<std::uint64_t>(end, file.size())))) {
                break;
            }
            header = read_pnm_header(file, end);
            ++count;
        }
    } catch (const BadPicture&) {  // what follows the first picture is none
    }
    return count;
}

int depth_of(const PnmHeader& header) {
    return header.data == PnmData::floats ? CV_32F : header.max_value > 255 ? CV_16U : CV_8U;
}

}  // namespace

Picture decode_pnm(ByteSpan file, const DecodeOptions& options) {
    const PnmHeader header = read_pnm_header(file, 0);
    const int depth = depth_of(header);
    check_size(header.width, header.height, CV_ELEM_SIZE1(depth) * header.channels, options.limits);
    const bool text = header.data == PnmData::text || header.data == PnmData::bits_text;
    // In text a pixel takes at least a digit: data that are too short are refused before memory is taken.
    static_cast<void>(Bytes(file, false)
                          .part(header.data_at, header.height * (text ? header.width * header.channels
                                                                      : header.row_bytes())));
    Picture picture;
    picture.pixels.create(static_cast<int>(header.height), static_cast<int>(header.width),
                          CV_MAKETYPE(depth, static_cast<int>(header.channels)));
    picture.white = static_cast<double>(header.max_value);
    if (header.data == PnmData::bits_text) {
        read_bits_text(PnmText(file, header.data_at), picture.pixels);
    } else if (text && depth == CV_8U) {
        read_text<std::uint8_t>(PnmText(file, header.data_at), header, picture.pixels);
    } else if (text) {
        read_text<std::uint16_t>(PnmText(file, header.data_at), header, picture.pixels);
    } else {
        read_binary(file, header, picture.pixels);
    }
    const std::int64_t pictures = count_pictures(file, header);
    if (pictures > 1) {
        picture.remark = fmt::format("first of {} pictures used", pictures);
    }
    return picture;
}

}  // namespace stackae::data

#include "data/encode.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <jpeglib.h>
#include <stdexcept>
#include <webp/encode.h>

#include "data/make.hpp"

namespace stackae::test {
namespace {

/// A row in the order that files have: R, G, B, alpha; of 16 bits, the byte order asked for.
std::string row_of(const cv::Mat& pixels, int y, bool big_endian) {
    std::string row;
    const int channels = pixels.channels();
    const auto width = static_cast<int>(pixels.elemSize1());
    for (int x = 0; x < pixels.cols; ++x) {
        for (int c = 0; c < channels; ++c) {
            const int from = channels >= 3 && c < 3 ? 2 - c : c;
            const auto* value = pixels.ptr(y, x) + from * width;
            row += number(width == 2 ? *reinterpret_cast<const std::uint16_t*>(value) : *value, width,
                          big_endian);
        }
    }
    return row;
}

std::string rows_of(const cv::Mat& pixels, bool big_endian, const std::string& before_each = "") {
    std::string rows;
    for (int y = 0; y < pixels.rows; ++y) {
        rows += before_each + row_of(pixels, y, big_endian);
    }
    return rows;
}

std::string encode_png(const cv::Mat& pixels) {
    const std::array<int, 5> colour{0, 0, 4, 2, 6};
    return png(static_cast<std::uint32_t>(pixels.cols), static_cast<std::uint32_t>(pixels.rows),
               static_cast<int>(8 * pixels.elemSize1()),
               colour.at(static_cast<std::size_t>(pixels.channels())),
               rows_of(pixels, true, std::string(1, '\0')));
}

std::string encode_jpeg(const cv::Mat& pixels, const EncodeKind& kind) {
    jpeg_compress_struct info;
    jpeg_error_mgr errors;
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    unsigned char* data = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&info, &data, &size);
    info.image_width = static_cast<JDIMENSION>(pixels.cols);
    info.image_height = static_cast<JDIMENSION>(pixels.rows);
    info.input_components = pixels.channels();
    info.in_color_space = pixels.channels() == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, kind.quality, TRUE);
    if (kind.progressive) {
        jpeg_simple_progression(&info);
    }
    jpeg_start_compress(&info, TRUE);
    for (int y = 0; y < pixels.rows; ++y) {
        std::string row = row_of(pixels, y, false);
        JSAMPROW start = reinterpret_cast<JSAMPROW>(row.data());
        jpeg_write_scanlines(&info, &start, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    std::string file(reinterpret_cast<const char*>(data), size);
    std::free(data);
    return file;
}

/// 24 bits, also of gray, the rows from the bottom, each padded to 4 bytes.
std::string encode_bmp(cv::Mat pixels) {
    if (pixels.channels() == 1) {
        cv::merge(std::vector<cv::Mat>(3, pixels), pixels);
    }
    std::string rows;
    for (int y = pixels.rows - 1; y >= 0; --y) {
        rows.append(reinterpret_cast<const char*>(pixels.ptr(y)), static_cast<std::size_t>(pixels.cols) * 3);
        rows.resize((rows.size() + 3) / 4 * 4, '\0');
    }
    return "BM" + le32(54 + rows.size()) + le32(0) + le32(54) + le32(40) +
           le32(static_cast<std::uint32_t>(pixels.cols)) + le32(static_cast<std::uint32_t>(pixels.rows)) +
           le16(1) + le16(24) + std::string(24, '\0') + rows;
}

std::string encode_tiff(const cv::Mat& pixels) {
    TiffKind kind;
    kind.bits = static_cast<unsigned>(8 * pixels.elemSize1());
    kind.channels = static_cast<unsigned>(pixels.channels());
    kind.photometric = pixels.channels() == 1 ? 1 : 2;
    return tiff(static_cast<std::uint32_t>(pixels.cols), static_cast<std::uint32_t>(pixels.rows),
                rows_of(pixels, false), kind);
}

std::string encode_webp(const cv::Mat& picture, bool lossless) {
    cv::Mat pixels = picture;
    if (picture.channels() == 1) {
        cv::merge(std::vector<cv::Mat>(3, picture), pixels);
    }
    std::uint8_t* data = nullptr;
    const auto step = static_cast<int>(pixels.step[0]);
    const std::size_t size = lossless
                                 ? WebPEncodeLosslessBGR(pixels.data, pixels.cols, pixels.rows, step, &data)
                                 : WebPEncodeBGR(pixels.data, pixels.cols, pixels.rows, step, 95.0F, &data);
    std::string file(reinterpret_cast<const char*>(data), size);
    WebPFree(data);
    return file;
}

}  // namespace

std::string encode(const std::string& ending, const cv::Mat& pixels, const EncodeKind& kind) {
    if (ending == ".png") {
        return encode_png(pixels);
    }
    if (ending == ".jpg") {
        return encode_jpeg(pixels, kind);
    }
    if (ending == ".bmp") {
        return encode_bmp(pixels);
    }
    if (ending == ".tiff") {
        return encode_tiff(pixels);
    }
    if (ending == ".webp") {
        return encode_webp(pixels, kind.lossless);
    }
    if (ending == ".ppm") {
        return (pixels.channels() == 1 ? "P5 " : "P6 ") + std::to_string(pixels.cols) + " " +
               std::to_string(pixels.rows) + " 255\n" + rows_of(pixels, true);
    }
    throw std::invalid_argument("no encoder for " + ending);
}

}  // namespace stackae::test

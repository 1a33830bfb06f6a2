#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <opencv2/core.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <zlib.h>

#include "stackae/image_dataset.hpp"

#include "data/encode.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

/// Files for the tests, made of nothing but code.
namespace stackae::test {

/// `bytes` lowest bytes of a number.
inline std::string number(std::uint64_t value, int bytes, bool big_endian) {
    std::string text;
    for (int i = 0; i < bytes; ++i) {
        const int shift = 8 * (big_endian ? bytes - 1 - i : i);
        text += static_cast<char>((value >> static_cast<unsigned>(shift)) & 0xffU);
    }
    return text;
}
inline std::string le16(std::uint64_t value) {
    return number(value, 2, false);
}
inline std::string le32(std::uint64_t value) {
    return number(value, 4, false);
}
inline std::string be32(std::uint64_t value) {
    return number(value, 4, true);
}

/// A gray picture of h × w that is nowhere the same: value (7 y + 3 x) mod 256.
inline cv::Mat gray_ramp(int height, int width) {
    cv::Mat pixels(height, width, CV_8UC1);
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            pixels.at<uchar>(y, x) = static_cast<uchar>(7 * y + 3 * x);
        }
    }
    return pixels;
}

/// A colour picture of large smooth features, which JPEG keeps well.
inline cv::Mat colour_scene(int height, int width) {
    cv::Mat pixels(height, width, CV_8UC3);
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            pixels.at<cv::Vec3b>(y, x) =
                cv::Vec3b(static_cast<uchar>(255 * x / width), static_cast<uchar>(255 * y / height),
                          static_cast<uchar>(255 * (x + y) / (width + height)));
        }
    }
    return pixels;
}

inline std::string png_chunk(const std::string& kind, const std::string& content) {
    const std::string checked = kind + content;
    const auto* bytes = reinterpret_cast<const Bytef*>(checked.data());
    return be32(content.size()) + checked + be32(crc32(0, bytes, static_cast<uInt>(checked.size())));
}

inline std::string deflate(const std::string& content) {
    std::string packed(compressBound(content.size()), '\0');
    uLongf size = packed.size();
    compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(content.data()),
             content.size());
    packed.resize(size);
    return packed;
}

/// A PNG of any kind: rows is the filtered data (each row begins with filter byte 0); extra comes before
/// IDAT.
inline std::string png(std::uint32_t width, std::uint32_t height, int depth, int colour,
                       const std::string& rows, const std::string& extra = "") {
    const std::string header = be32(width) + be32(height) + static_cast<char>(depth) +
                               static_cast<char>(colour) + std::string(3, '\0');
    return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", header) + extra + png_chunk("IDAT", deflate(rows)) +
           png_chunk("IEND", "");
}

/// One directory entry of a TIFF: tag, type (3: 16 bits, 4: 32 bits), values.
struct Tag {
    unsigned tag;
    unsigned type;
    std::vector<std::uint64_t> values;
};

/// A little-endian TIFF: header, data at byte 8, then the directory and its values.
inline std::string tiff_of(const std::string& data, const std::vector<Tag>& tags) {
    std::string body = data + (data.size() % 2 == 1 ? std::string(1, '\0') : "");
    std::string directory = le16(tags.size());
    for (const Tag& tag : tags) {
        const int width = tag.type == 3 ? 2 : 4;
        std::string values;
        for (const std::uint64_t value : tag.values) {
            values += number(value, width, false);
        }
        directory += le16(tag.tag) + le16(tag.type) + le32(tag.values.size());
        if (values.size() <= 4) {
            values.resize(4, '\0');
            directory += values;
        } else {
            directory += le32(8 + body.size());
            body += values + (values.size() % 2 == 1 ? std::string(1, '\0') : "");
        }
    }
    return std::string("II*\0", 4) + le32(8 + body.size()) + body + directory + std::string(4, '\0');
}

struct TiffKind {
    unsigned bits = 8;
    unsigned channels = 1;
    unsigned photometric = 1;  ///< 0: white is zero, 1: black is zero, 2: RGB
    unsigned orientation = 1;
    unsigned format = 1;  ///< 1: whole numbers, 2: signed, 3: floats
    bool a_row_a_strip = false;
};

inline std::string tiff(std::uint32_t width, std::uint32_t height, const std::string& data,
                        const TiffKind& kind) {
    const std::uint64_t row = std::uint64_t{width} * kind.channels * kind.bits / 8;
    const std::uint64_t strips = kind.a_row_a_strip ? height : 1;
    std::vector<std::uint64_t> offsets;
    for (std::uint64_t i = 0; i < strips; ++i) {
        offsets.push_back(8 + i * row);
    }
    const std::vector<std::uint64_t> counts(strips, row * height / strips);
    std::vector<Tag> tags{
        {256, 4, {width}},
        {257, 4, {height}},
        {258, 3, std::vector<std::uint64_t>(kind.channels, kind.bits)},
        {259, 3, {1}},
        {262, 3, {kind.photometric}},
        {273, 4, offsets},
        {274, 3, {kind.orientation}},
        {277, 3, {kind.channels}},
        {278, 4, {height / strips}},
        {279, 4, counts},
        {284, 3, {1}},
    };
    if (kind.channels == 4) {
        tags.push_back({338, 3, {2}});  // alpha, not premultiplied
    }
    tags.push_back({339, 3, std::vector<std::uint64_t>(kind.channels, kind.format)});
    return tiff_of(data, tags);
}

/// An EXIF block that holds an orientation and nothing else.
inline std::string exif_block(unsigned orientation) {
    return tiff_of("", {{274, 3, {orientation}}});
}

/// A JPEG with an EXIF block after its first marker; the block may end in a whole JPEG as a thumbnail.
inline std::string with_exif(const std::string& jpeg, unsigned orientation,
                             const std::string& thumbnail = "") {
    const std::string content = std::string("Exif\0\0", 6) + exif_block(orientation) + thumbnail;
    return jpeg.substr(0, 2) + "\xff\xe1" + number(content.size() + 2, 2, true) + content + jpeg.substr(2);
}

/// kind: of values, 8 for bytes.
inline std::string idx(std::initializer_list<std::uint32_t> extents, const std::string& data, int kind = 8) {
    std::string file = std::string(2, '\0') + static_cast<char>(kind) + static_cast<char>(extents.size());
    for (const std::uint32_t extent : extents) {
        file += be32(extent);
    }
    return file + data;
}

inline std::string npy(const std::string& kind, const std::string& shape, const std::string& data,
                       const std::string& order = "False") {
    std::string header =
        "{'descr': '" + kind + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
    while ((10 + header.size() + 1) % 64 != 0) {
        header += ' ';
    }
    header += '\n';
    return std::string("\x93NUMPY\x01\x00", 8) + le16(header.size()) + header + data;
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// The same in the other byte order.
template <class T>
std::string swapped_bytes_of(const std::vector<T>& values) {
    std::string bytes = bytes_of(values);
    for (std::size_t i = 0; i < bytes.size(); i += sizeof(T)) {
        std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                     bytes.begin() + static_cast<std::ptrdiff_t>(i + sizeof(T)));
    }
    return bytes;
}

inline void write_gzip(const std::string& path, const std::string& content) {
    gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
}

/// Reads a whole collection in one batch.
inline PictureBatch read_all(const ImageDataset& pictures, const Preprocessing& preprocessing,
                             int threads = 2) {
    PictureReader reader(pictures, preprocessing,
                         {.batch_size = std::max<std::int64_t>(1, pictures.size()), .threads = threads});
    PictureBatch batch;
    REQUIRE(reader.next(batch));
    PictureBatch more;
    REQUIRE_FALSE(reader.next(more));
    return batch;
}

inline Preprocessing preprocessing_of(int channels, int height, int width,
                                      ResizeMode mode = ResizeMode::squash) {
    Preprocessing preprocessing;
    preprocessing.channels = channels;
    preprocessing.height = height;
    preprocessing.width = width;
    preprocessing.resize = mode;
    return preprocessing;
}

/// The values of the only picture at `path`, times 255.
inline std::vector<double> values_of(const std::string& path, const Preprocessing& preprocessing) {
    const PictureBatch batch = read_all(ImageDataset::open(path), preprocessing);
    for (const SkippedPicture& skipped : batch.skipped) {
        FAIL(path << ": " << skipped.reason);
    }
    std::vector<double> values;
    for (const float value : batch.pictures.values()) {
        values.push_back(255.0 * static_cast<double>(value));
    }
    return values;
}

/// Why the only picture at `path` was skipped.
inline SkippedPicture skipped_at(const std::string& path, const PictureLimits& limits = {}) {
    const PictureBatch batch = read_all(ImageDataset::open(path, limits), preprocessing_of(1, 4, 4));
    REQUIRE(batch.pictures.rows() == 0);
    REQUIRE(batch.skipped.size() == 1);
    return batch.skipped[0];
}

/// The largest difference of two lists of the same length.
inline double farthest(const std::vector<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == b.size());
    double most = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        most = std::max(most, std::abs(a[i] - b[i]));
    }
    return most;
}

/// n bytes 0, 1, 2, …
inline std::string counting_bytes(std::size_t n) {
    std::string data;
    for (std::size_t i = 0; i < n; ++i) {
        data += static_cast<char>(i);
    }
    return data;
}

}  // namespace stackae::test

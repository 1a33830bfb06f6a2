#include <algorithm>
#include <dlfcn.h>
#include <fmt/format.h>
#include <opencv2/core/version.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <type_traits>

#include "image/decode.hpp"
#include "image/exif.hpp"
#include "image/formats.hpp"

namespace stackae::image {
namespace {

using Decode = cv::Mat (*)(cv::InputArray file, int flags);

/// Null, and `why`, when it cannot be had.
Decode load(std::string& why) {
    // Of the version that OpenCV's other libraries are linked in; before 4.6 it was written with a point.
    for (const char* form : {"libopencv_imgcodecs.so.{}{:02}", "libopencv_imgcodecs.so.{}.{}"}) {
        const std::string name = fmt::format(fmt::runtime(form), CV_VERSION_MAJOR, CV_VERSION_MINOR);
        void* library = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
        void* decode =
            library != nullptr ? ::dlsym(library, "_ZN2cv8imdecodeERKNS_11_InputArrayEi") : nullptr;
        if (decode != nullptr) {
            return reinterpret_cast<Decode>(decode);
        }
        const char* error = ::dlerror();
        why += (why.empty() ? "" : "; ") + std::string(error != nullptr ? error : name);
    }
    return nullptr;
}

/// Decodes by OpenCV's codecs, as they are; empty when it cannot. Their library brings more than a hundred
/// others along, which take several times as long to load as all the rest of a program: it is loaded when the
/// first picture needs it.
cv::Mat decode_by_opencv(ByteSpan file) {
    static_assert(std::is_same_v<Decode, decltype(static_cast<Decode>(&cv::imdecode))>);
    static std::string why;
    static const Decode decode = load(why);
    if (decode == nullptr) {
        throw BadPicture(PictureStatus::unsupported,
                         fmt::format("OpenCV's codecs, which this format needs, cannot be loaded: {}", why));
    }
    // OpenCV takes the file's bytes without copying them.
    auto* bytes = const_cast<std::byte*>(file.data());
    return decode(cv::Mat(1, static_cast<int>(file.size()), CV_8UC1, bytes), cv::IMREAD_UNCHANGED);
}

cv::Mat decode_with_opencv(ByteSpan file) {
    cv::Mat pixels;
    try {
        pixels = decode_by_opencv(file);
    } catch (const cv::Exception& error) {
        throw BadPicture(PictureStatus::corrupt, fmt::format("cannot be decoded: {}", error.err));
    }
    if (pixels.empty()) {
        throw BadPicture(PictureStatus::corrupt, "cannot be decoded: damaged, or of a rare kind");
    }
    return pixels;
}

/// To 8U, 16U or 32F; returns the value that stands for 1.
double settle_depth(cv::Mat& pixels) {
    switch (pixels.depth()) {
        case CV_8U:
            return 255.0;
        case CV_16U:
            return 65535.0;
        case CV_32F:
        case CV_64F:
            pixels.convertTo(pixels, CV_32F);
            check_unit_range(pixels);
            return 1.0;
        default:
            throw BadPicture(PictureStatus::unsupported,
                             "signed or 32-bit whole numbers found; 8 or 16 bits or floats expected");
    }
}

void check_channels(const cv::Mat& pixels) {
    if (pixels.channels() > 4) {
        throw BadPicture(PictureStatus::unsupported,
                         fmt::format("{} channels found; 1 to 4 expected", pixels.channels()));
    }
}

/// What a file says of its picture before anything is decoded.
struct PictureHeader {
    std::uint64_t width = 0;
    std::uint64_t height = 0;
    int orientation = 1;         ///< by EXIF, 1 to 8; 1 for TIFF, which OpenCV turns upright itself
};

void expect_bytes(std::uint64_t found, std::uint64_t expected) {
    if (found < expected) {
        corrupt(fmt::format("cut short: {} bytes found, {} expected", found, expected));
    }
}

/// libwebp believes a VP8X only where it comes first, and decodes the first VP8 or VP8L whatever follows. The
/// largest of the sizes stated is what the file may cost.
PictureHeader webp_header(ByteSpan file) {
    const Bytes bytes(file, false);
    PictureHeader header;
    const auto state = [&header](std::uint64_t width, std::uint64_t height) {
        header.width = std::max(header.width, width);
        header.height = std::max(header.height, height);
    };
    expect_bytes(bytes.size(), std::uint64_t{bytes.u32(4)} + 8);
    constexpr std::uint64_t first = 12;
    for (std::uint64_t at = first; at + 8 <= bytes.size();) {
        const std::uint64_t length = bytes.u32(at + 4);
        const Bytes content(bytes.part(at + 8, length), false);
        if (bytes.has(at, "VP8X")) {
            if (at != first) {
                corrupt(
                    fmt::format("WebP with its extended header (VP8X) at byte {}, {} expected", at, first));
            }
            state(1 + (content.u32(3) >> 8U), 1 + (content.u32(6) >> 8U));
        } else if (bytes.has(at, "VP8 ")) {
            state(content.u16(6) & 0x3fffU, content.u16(8) & 0x3fffU);
        } else if (bytes.has(at, "VP8L")) {
            state(1 + (content.u32(1) & 0x3fffU), 1 + ((content.u32(1) >> 14U) & 0x3fffU));
        } else if (bytes.has(at, "EXIF")) {
            header.orientation = exif_orientation(content.bytes());
        } else if (bytes.has(at, "ANIM") || bytes.has(at, "ANMF")) {
            throw BadPicture(PictureStatus::unsupported, "animated WebP");
        }
        at += 8 + length + length % 2;
    }
    return header;
}

/// Whatever OpenCV can decode, within the limits.
Picture decode_within(ByteSpan file, const PictureHeader& header, const PictureLimits& limits) {
    check_size(header.width, header.height, 1, limits);
    Picture picture;
    picture.pixels = decode_with_opencv(file);
    picture.white = settle_depth(picture.pixels);
    picture.bgr = true;
    check_channels(picture.pixels);
    turn_upright(picture.pixels, header.orientation);
    return picture;
}

}  // namespace

Picture decode_webp(ByteSpan file, const DecodeOptions& options) {
    return decode_within(file, webp_header(file), options.limits);
}

}  // namespace stackae::image

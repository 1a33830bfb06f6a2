#include <fmt/format.h>
#include <memory>
#include <webp/decode.h>
#include <webp/demux.h>

#include "data/image/exif.hpp"
#include "data/image/formats.hpp"
#include "data/shared_library.hpp"

namespace stackae::data {
namespace {

/// libwebp's functions, and libwebpdemux's for animations; each is loaded when the first such picture comes.
struct WebpLibrary {
    SharedLibrary library{STACKAE_webp_SONAME};
    STACKAE_FUNCTION(features, WebPGetFeaturesInternal);
    STACKAE_FUNCTION(decode_rgb, WebPDecodeRGBInto);
    STACKAE_FUNCTION(decode_rgba, WebPDecodeRGBAInto);
};

struct WebpDemuxLibrary {
    SharedLibrary library{STACKAE_webpdemux_SONAME};
    STACKAE_FUNCTION(open, WebPDemuxInternal);
    STACKAE_FUNCTION(close, WebPDemuxDelete);
    STACKAE_FUNCTION(number, WebPDemuxGetI);
    STACKAE_FUNCTION(frame, WebPDemuxGetFrame);
    STACKAE_FUNCTION(release, WebPDemuxReleaseIterator);
};

const std::uint8_t* bytes_of(ByteSpan file) {
    return reinterpret_cast<const std::uint8_t*>(file.data());
}

/// The orientation by EXIF, 1 to 8, once the file proves to be whole.
int orientation_of(ByteSpan file) {
    const Bytes bytes(file, false);
    const std::uint64_t size = std::uint64_t{bytes.u32(4)} + 8;
    if (file.size() < size) {
        corrupt(fmt::format("cut short: {} bytes found, {} expected", file.size(), size));
    }
    int orientation = 1;
    for (std::uint64_t at = 12; at + 8 <= size;) {
        const std::uint64_t length = bytes.u32(at + 4);
        const ByteSpan content = bytes.part(at + 8, length);
        if (bytes.has(at, "EXIF")) {
            orientation = exif_orientation(content);
        }
        at += 8 + length + length % 2;
    }
    return orientation;
}

WebPBitstreamFeatures features_of(ByteSpan file) {
    WebPBitstreamFeatures features{};
    const VP8StatusCode status =
        loaded<WebpLibrary>().features(bytes_of(file), file.size(), &features, WEBP_DECODER_ABI_VERSION);
    if (status != VP8_STATUS_OK) {
        corrupt(
            fmt::format("WebP whose header cannot be read (libwebp's status {})", static_cast<int>(status)));
    }
    return features;
}

/// A picture without a frame around it: R, G, B, and alpha where it has one or is asked for.
cv::Mat decode_still(ByteSpan file, const WebPBitstreamFeatures& features, bool with_alpha) {
    cv::Mat pixels(features.height, features.width, with_alpha ? CV_8UC4 : CV_8UC3);
    const auto decode = with_alpha ? loaded<WebpLibrary>().decode_rgba : loaded<WebpLibrary>().decode_rgb;
    const std::size_t size = pixels.total() * pixels.elemSize();
    if (decode(bytes_of(file), file.size(), pixels.data, size, static_cast<int>(pixels.step[0])) == nullptr) {
        corrupt("WebP that cannot be decoded: damaged or cut short");
    }
    return pixels;
}

/// The first frame of an animation on its canvas, which is transparent at first.
Picture decode_animation(ByteSpan file, const PictureLimits& limits) {
    const WebpDemuxLibrary& library = loaded<WebpDemuxLibrary>();
    const WebPData data{bytes_of(file), file.size()};
    WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
    const std::unique_ptr<WebPDemuxer, decltype(WebPDemuxDelete)*> demuxer(
        library.open(&data, 0, &state, WEBP_DEMUX_ABI_VERSION), library.close);
    WebPIterator frame{};
    if (demuxer == nullptr || library.frame(demuxer.get(), 1, &frame) == 0) {
        corrupt("animated WebP that cannot be taken apart: damaged or cut short");
    }
    const std::unique_ptr<WebPIterator, decltype(WebPDemuxReleaseIterator)*> release(&frame, library.release);
    const std::uint32_t width = library.number(demuxer.get(), WEBP_FF_CANVAS_WIDTH);
    const std::uint32_t height = library.number(demuxer.get(), WEBP_FF_CANVAS_HEIGHT);
    check_size(width, height, 12, limits);
    const ByteSpan stream(reinterpret_cast<const std::byte*>(frame.fragment.bytes), frame.fragment.size);
    const WebPBitstreamFeatures features = features_of(stream);
    check_size(static_cast<std::uint64_t>(features.width), static_cast<std::uint64_t>(features.height), 12,
               limits);
    const cv::Mat pixels = decode_still(stream, features, true);
    Picture picture;
    picture.pixels = cv::Mat::zeros(static_cast<int>(height), static_cast<int>(width), CV_8UC4);
    const cv::Rect place(frame.x_offset, frame.y_offset, pixels.cols, pixels.rows);
    if ((place & cv::Rect(cv::Point(), picture.pixels.size())) != place) {
        corrupt("animated WebP with a frame outside of its canvas");
    }
    pixels.copyTo(picture.pixels(place));
    picture.remark = fmt::format("animation; the first of {} frames used", frame.num_frames);
    return picture;
}

}  // namespace

Picture decode_webp(ByteSpan file, const DecodeOptions& options) {
    const int orientation = orientation_of(file);
    const WebPBitstreamFeatures features = features_of(file);
    Picture picture;
    if (features.has_animation != 0) {
        picture = decode_animation(file, options.limits);
    } else {
        // libwebp holds as much again while it decodes.
        check_size(static_cast<std::uint64_t>(features.width), static_cast<std::uint64_t>(features.height), 8,
                   options.limits);
        picture.pixels = decode_still(file, features, features.has_alpha != 0);
    }
    turn_upright(picture.pixels, orientation);
    return picture;
}

}  // namespace stackae::data

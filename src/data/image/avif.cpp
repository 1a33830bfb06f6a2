#include <algorithm>
#include <array>
#include <avif/avif.h>
#include <fmt/format.h>
#include <memory>

#include "data/image/exif.hpp"
#include "data/image/formats.hpp"
#include "data/shared_library.hpp"

namespace stackae::data {
namespace {

struct Libavif {
    SharedLibrary library{STACKAE_avif_SONAME};
    STACKAE_FUNCTION(create, avifDecoderCreate);
    STACKAE_FUNCTION(destroy, avifDecoderDestroy);
    STACKAE_FUNCTION(set_memory, avifDecoderSetIOMemory);
    STACKAE_FUNCTION(parse, avifDecoderParse);
    STACKAE_FUNCTION(next_image, avifDecoderNextImage);
    STACKAE_FUNCTION(rgb_defaults, avifRGBImageSetDefaults);
    STACKAE_FUNCTION(to_rgb, avifImageYUVToRGB);
    STACKAE_FUNCTION(crop, avifCropRectConvertCleanApertureBox);
    STACKAE_FUNCTION(codec, avifCodecName);
    STACKAE_FUNCTION(text, avifResultToString);
};

constexpr auto libavif = loaded<Libavif>;

void check(avifResult result) {
    switch (result) {
        case AVIF_RESULT_OK:
            return;
        case AVIF_RESULT_UNSUPPORTED_DEPTH:
        case AVIF_RESULT_NOT_IMPLEMENTED:
        case AVIF_RESULT_NO_CODEC_AVAILABLE:
            unsupported(fmt::format("AVIF: {}", libavif().text(result)));
        default:
            corrupt(fmt::format("AVIF cut short or damaged: {}", libavif().text(result)));
    }
}

using DecoderPointer = std::unique_ptr<avifDecoder, decltype(avifDecoderDestroy)*>;

DecoderPointer open(ByteSpan file) {
    DecoderPointer decoder(libavif().create(), libavif().destroy);
    if (decoder == nullptr) {
        throw std::bad_alloc();
    }
    decoder->maxThreads = 1;
    // libaom keeps what it thinks of a damaged file to itself, dav1d would print it.
    if (libavif().codec(AVIF_CODEC_CHOICE_AOM, AVIF_CODEC_FLAG_CAN_DECODE) != nullptr) {
        decoder->codecChoice = AVIF_CODEC_CHOICE_AOM;
    }
    decoder->ignoreExif = AVIF_TRUE;  // orientation is told by the container
    decoder->ignoreXMP = AVIF_TRUE;
    // Old encoders left boxes out that say nothing new.
    decoder->strictFlags = AVIF_STRICT_CLAP_VALID;
    decoder->imageDimensionLimit = 0;  // the number of pixels is what counts
    check(
        libavif().set_memory(decoder.get(), reinterpret_cast<const std::uint8_t*>(file.data()), file.size()));
    check(libavif().parse(decoder.get()));
    return decoder;
}

cv::Mat pixels_of(const avifImage& image) {
    avifRGBImage rgb;
    libavif().rgb_defaults(&rgb, &image);
    const bool alpha = image.alphaPlane != nullptr;
    rgb.format = alpha ? AVIF_RGB_FORMAT_RGBA : AVIF_RGB_FORMAT_RGB;
    cv::Mat pixels(static_cast<int>(image.height), static_cast<int>(image.width),
                   CV_MAKETYPE(image.depth > 8 ? CV_16U : CV_8U, alpha ? 4 : 3));
    rgb.pixels = pixels.data;
    rgb.rowBytes = static_cast<std::uint32_t>(pixels.step[0]);
    check(libavif().to_rgb(&image, &rgb));
    if (image.yuvFormat == AVIF_PIXEL_FORMAT_YUV400 && !alpha) {
        cv::extractChannel(pixels, pixels, 0);
    }
    return pixels;
}

/// What the container asks for, in the order that MIAF (ISO/IEC 23000-22) lays down: cut, turn, mirror.
void transform(const avifImage& image, cv::Mat& pixels) {
    if ((image.transformFlags & AVIF_TRANSFORM_CLAP) != 0) {
        avifCropRect cut;
        avifDiagnostics diagnostics{};
        if (libavif().crop(&cut, &image.clap, image.width, image.height, image.yuvFormat, &diagnostics) ==
            AVIF_FALSE) {
            corrupt("AVIF with a clean aperture that lies outside of it");
        }
        pixels = pixels(cv::Rect(static_cast<int>(cut.x), static_cast<int>(cut.y),
                                 static_cast<int>(cut.width), static_cast<int>(cut.height)));
    }
    if ((image.transformFlags & AVIF_TRANSFORM_IROT) != 0) {
        // Quarters against the clock, as EXIF counts orientations.
        static constexpr std::array<int, 4> orientations{1, 8, 3, 6};
        turn_upright(pixels, orientations[image.irot.angle % 4U]);
    }
    if ((image.transformFlags & AVIF_TRANSFORM_IMIR) != 0) {
#if AVIF_VERSION_MAJOR >= 1
        const bool left_to_right = image.imir.axis == 1;
#else
        const bool left_to_right = image.imir.mode == 1;
#endif
        turn_upright(pixels, left_to_right ? 2 : 4);
    }
}

/// What libaom, libavif and the picture hold at the height of decoding; measured on noise in 4:4:4.
std::uint64_t bytes_a_pixel(const avifDecoder& decoder) {
    const bool alpha = decoder.alphaPresent != AVIF_FALSE || decoder.image->alphaPlane != nullptr;
    if (decoder.image->depth > 8) {
        return alpha ? 46 : 26;
    }
    return alpha ? 36 : 20;
}

}  // namespace

Picture decode_avif(ByteSpan file, const DecodeOptions& options) {
    const DecoderPointer decoder = open(file);
    check_size(decoder->image->width, decoder->image->height, bytes_a_pixel(*decoder), options.limits);
    decoder->imageSizeLimit = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(options.limits.max_pixels, 1, AVIF_DEFAULT_IMAGE_SIZE_LIMIT));
    check(libavif().next_image(decoder.get()));
    const avifImage& image = *decoder->image;
    check_size(image.width, image.height, bytes_a_pixel(*decoder), options.limits);
    Picture picture;
    picture.pixels = pixels_of(image);
    picture.white = static_cast<double>((1U << image.depth) - 1U);
    transform(image, picture.pixels);
    if (decoder->imageCount > 1) {
        picture.remark = fmt::format("first of {} frames used", decoder->imageCount);
    }
    return picture;
}

}  // namespace stackae::data

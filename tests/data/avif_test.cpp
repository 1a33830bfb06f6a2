#include <avif/avif.h>

#include "data/image/decode.hpp"
#include "data/spoil.hpp"

namespace stackae {
namespace {

using namespace test;

struct AvifKind {
    std::uint32_t depth = 8;
    bool gray = false;
    int quarters = -1;  ///< turned so often against the clock; -1: not said
    int frames = 1;
};

/// Lossless, of R, G, B, A (all of 0 to 2^depth − 1); of gray, R alone counts.
std::string avif(std::uint32_t width, std::uint32_t height, const std::vector<unsigned>& rgba,
                 const AvifKind& kind) {
    avifImage* image = avifImageCreate(width, height, kind.depth,
                                       kind.gray ? AVIF_PIXEL_FORMAT_YUV400 : AVIF_PIXEL_FORMAT_YUV444);
    image->matrixCoefficients =
        kind.gray ? AVIF_MATRIX_COEFFICIENTS_BT601 : AVIF_MATRIX_COEFFICIENTS_IDENTITY;
    if (kind.quarters >= 0) {
        image->transformFlags |= AVIF_TRANSFORM_IROT;
        image->irot.angle = static_cast<std::uint8_t>(kind.quarters);
    }
    std::vector<std::uint16_t> wide(rgba.begin(), rgba.end());
    std::vector<std::uint8_t> narrow(rgba.begin(), rgba.end());
    avifRGBImage rgb;
    avifRGBImageSetDefaults(&rgb, image);
    rgb.pixels = kind.depth > 8 ? reinterpret_cast<std::uint8_t*>(wide.data()) : narrow.data();
    rgb.rowBytes = width * (kind.depth > 8 ? 8 : 4);
    const unsigned most = (1U << kind.depth) - 1;
    rgb.ignoreAlpha = AVIF_TRUE;
    for (std::size_t i = 3; i < rgba.size(); i += 4) {
        rgb.ignoreAlpha = rgba[i] == most ? rgb.ignoreAlpha : AVIF_FALSE;
    }
    REQUIRE(avifImageRGBToYUV(image, &rgb) == AVIF_RESULT_OK);
    avifEncoder* encoder = avifEncoderCreate();
    encoder->speed = AVIF_SPEED_FASTEST;
    encoder->minQuantizer = encoder->maxQuantizer = AVIF_QUANTIZER_LOSSLESS;
    encoder->minQuantizerAlpha = encoder->maxQuantizerAlpha = AVIF_QUANTIZER_LOSSLESS;
    for (int i = 0; i < kind.frames; ++i) {
        REQUIRE(avifEncoderAddImage(encoder, image, 1,
                                    kind.frames == 1 ? AVIF_ADD_IMAGE_FLAG_SINGLE
                                                     : AVIF_ADD_IMAGE_FLAG_NONE) == AVIF_RESULT_OK);
    }
    avifRWData output = AVIF_DATA_EMPTY;
    REQUIRE(avifEncoderFinish(encoder, &output) == AVIF_RESULT_OK);
    std::string file(reinterpret_cast<const char*>(output.data), output.size);
    avifRWDataFree(&output);
    avifEncoderDestroy(encoder);
    avifImageDestroy(image);
    return file;
}

std::vector<double> read_avif(const std::string& file, const Preprocessing& preprocessing) {
    const TemporaryFolder folder;
    write_text(folder / "a.avif", file);
    return values_of(folder / "a.avif", preprocessing);
}

SkippedPicture refused(const std::string& file, const PictureLimits& limits = {}) {
    const TemporaryFolder folder;
    write_text(folder / "a.avif", file);
    return skipped_at(folder / "a.avif", limits);
}

std::string scene() {
    std::vector<unsigned> rgba;
    for (unsigned i = 0; i < 32 * 32; ++i) {
        rgba.insert(rgba.end(), {i * 37 % 256, i * 11 % 256, i % 256, 255});
    }
    return avif(32, 32, rgba, {});
}

}  // namespace

TEST_CASE("AVIF is read in colour, gray and transparency, 8 bits and more") {
    CHECK(farthest(read_avif(avif(2, 1, {200, 100, 50, 255, 1, 2, 3, 255}, {}), preprocessing_of(3, 1, 2)),
                   {200, 100, 50, 1, 2, 3}) < 1e-3);
    CHECK(
        farthest(read_avif(avif(2, 1, {200, 100, 50, 255, 200, 100, 50, 51}, {}), preprocessing_of(3, 1, 2)),
                 {200, 100, 50, 40, 20, 10}) < 0.6);
    CHECK(farthest(read_avif(avif(2, 1, {200, 200, 200, 255, 9, 9, 9, 255}, {.gray = true}),
                             preprocessing_of(1, 1, 2)),
                   {200, 9}) < 1.1);
    for (const unsigned depth : {10U, 12U}) {
        const unsigned most = (1U << depth) - 1;
        CHECK(farthest(read_avif(avif(1, 1, {most, 1, 0, most}, {.depth = depth}), preprocessing_of(3, 1, 1)),
                       {255, 255.0 / most, 0}) < 1e-3);
    }
}

TEST_CASE("An AVIF is turned as its container says") {
    const std::vector<unsigned> two{200, 200, 200, 255, 10, 10, 10, 255};
    CHECK(farthest(read_avif(avif(2, 1, two, {.quarters = 0}), preprocessing_of(1, 1, 2)), {200, 10}) < 1e-3);
    CHECK(farthest(read_avif(avif(2, 1, two, {.quarters = 1}), preprocessing_of(1, 2, 1)), {10, 200}) < 1e-3);
    CHECK(farthest(read_avif(avif(2, 1, two, {.quarters = 2}), preprocessing_of(1, 1, 2)), {10, 200}) < 1e-3);
    CHECK(farthest(read_avif(avif(2, 1, two, {.quarters = 3}), preprocessing_of(1, 2, 1)), {200, 10}) < 1e-3);
}

TEST_CASE("An animated AVIF gives its first frame, and says so") {
    const std::string file = avif(1, 1, {200, 100, 50, 255}, {.frames = 3});
    CHECK(farthest(read_avif(file, preprocessing_of(3, 1, 1)), {200, 100, 50}) < 1e-3);
    CHECK(data::decode(std::as_bytes(std::span(file)), {PictureLimits{}}).remark == "first of 3 frames used");
}

TEST_CASE("An AVIF that is cut short, or beyond the limits, is refused") {
    const std::string whole = scene();
    for (std::size_t percent = 5; percent < 100; percent += 5) {
        INFO(percent);
        const PictureStatus status = refused(whole.substr(0, whole.size() * percent / 100)).status;
        CHECK(status == PictureStatus::corrupt);
    }
    CHECK(refused(whole, {.max_pixels = 1023}).status == PictureStatus::too_large);
    CHECK(refused(whole, {.max_bytes = 1024}).status == PictureStatus::too_large);
}

TEST_CASE("Spoilt AVIFs are read or refused, never worse") {
    check_rounds("a.avif", scene(), 400);
}

}  // namespace stackae

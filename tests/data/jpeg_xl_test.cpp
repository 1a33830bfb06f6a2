#include <jxl/encode.h>

#include "data/image/decode.hpp"
#include "data/spoil.hpp"

namespace stackae {
namespace {

using namespace test;

struct JxlKind {
    std::uint32_t bits = 8;
    std::uint32_t channels = 3;  ///< 2 and 4: alpha last
    JxlOrientation orientation = JXL_ORIENT_IDENTITY;
    int frames = 1;
    bool lossy = false;
    bool floats = false;
};

/// values: as JxlKind says, 8 or 16 bits (to 65535) or floats.
template <class T>
std::string jxl(std::uint32_t width, std::uint32_t height, const std::vector<T>& values,
                const JxlKind& kind) {
    JxlEncoder* encoder = JxlEncoderCreate(nullptr);
    JxlBasicInfo info;
    JxlEncoderInitBasicInfo(&info);
    info.xsize = width;
    info.ysize = height;
    info.bits_per_sample = kind.bits;
    info.exponent_bits_per_sample = kind.floats ? 8 : 0;
    info.uses_original_profile = kind.lossy ? JXL_FALSE : JXL_TRUE;
    info.orientation = kind.orientation;
    const bool alpha = kind.channels % 2 == 0;
    info.num_color_channels = kind.channels - (alpha ? 1 : 0);
    info.num_extra_channels = alpha ? 1 : 0;
    info.alpha_bits = alpha ? kind.bits : 0;
    info.have_animation = kind.frames > 1 ? JXL_TRUE : JXL_FALSE;
    info.animation.tps_numerator = 1;
    info.animation.tps_denominator = 1;
    REQUIRE(JxlEncoderSetBasicInfo(encoder, &info) == JXL_ENC_SUCCESS);
    JxlColorEncoding colours;
    JxlColorEncodingSetToSRGB(&colours, info.num_color_channels == 1 ? JXL_TRUE : JXL_FALSE);
    REQUIRE(JxlEncoderSetColorEncoding(encoder, &colours) == JXL_ENC_SUCCESS);
    JxlEncoderFrameSettings* settings = JxlEncoderFrameSettingsCreate(encoder, nullptr);
    if (!kind.lossy) {
        REQUIRE(JxlEncoderSetFrameLossless(settings, JXL_TRUE) == JXL_ENC_SUCCESS);
    }
    if (kind.frames > 1) {
        JxlFrameHeader header;
        JxlEncoderInitFrameHeader(&header);
        header.duration = 1;
        REQUIRE(JxlEncoderSetFrameHeader(settings, &header) == JXL_ENC_SUCCESS);
    }
    const JxlPixelFormat format{kind.channels,
                                kind.floats      ? JXL_TYPE_FLOAT
                                : sizeof(T) == 2 ? JXL_TYPE_UINT16
                                                 : JXL_TYPE_UINT8,
                                JXL_NATIVE_ENDIAN, 0};
    for (int i = 0; i < kind.frames; ++i) {
        REQUIRE(JxlEncoderAddImageFrame(settings, &format, values.data(), values.size() * sizeof(T)) ==
                JXL_ENC_SUCCESS);
    }
    JxlEncoderCloseInput(encoder);
    std::vector<std::uint8_t> output(1U << 20U);
    std::uint8_t* next = output.data();
    std::size_t left = output.size();
    REQUIRE(JxlEncoderProcessOutput(encoder, &next, &left) == JXL_ENC_SUCCESS);
    JxlEncoderDestroy(encoder);
    return {output.begin(), output.end() - static_cast<std::ptrdiff_t>(left)};
}

using Values = std::vector<std::uint8_t>;

std::vector<double> read_jxl(const std::string& file, const Preprocessing& preprocessing) {
    const TemporaryFolder folder;
    write_text(folder / "a.jxl", file);
    return values_of(folder / "a.jxl", preprocessing);
}

SkippedPicture refused(const std::string& file, const PictureLimits& limits = {}) {
    const TemporaryFolder folder;
    write_text(folder / "a.jxl", file);
    return skipped_at(folder / "a.jxl", limits);
}

std::string scene() {
    Values values;
    for (unsigned i = 0; i < 32 * 32 * 3; ++i) {
        values.push_back(static_cast<std::uint8_t>(i * i * 37));
    }
    return jxl(32, 32, values, {});
}

}  // namespace

TEST_CASE("JPEG XL is read in colour, gray and transparency, of 8 bits, 16 bits and floats") {
    CHECK(farthest(read_jxl(jxl(2, 1, Values{200, 100, 50, 1, 2, 3}, {}), preprocessing_of(3, 1, 2)),
                   {200, 100, 50, 1, 2, 3}) < 1e-3);
    CHECK(farthest(read_jxl(jxl(2, 1, Values{200, 100, 50, 255, 200, 100, 50, 51}, {.channels = 4}),
                            preprocessing_of(3, 1, 2)),
                   {200, 100, 50, 40, 20, 10}) < 1e-3);
    CHECK(farthest(read_jxl(jxl(2, 1, Values{200, 10}, {.channels = 1}), preprocessing_of(1, 1, 2)),
                   {200, 10}) < 1e-3);
    CHECK(farthest(read_jxl(jxl(2, 1, Values{200, 255, 200, 51}, {.channels = 2}), preprocessing_of(1, 1, 2)),
                   {200, 40}) < 1e-3);
    CHECK(
        farthest(read_jxl(jxl(3, 1, std::vector<std::uint16_t>{0, 1000, 65535}, {.bits = 16, .channels = 1}),
                          preprocessing_of(1, 1, 3)),
                 {0, 1000 / 257.0, 255}) < 1e-3);
    CHECK(farthest(read_jxl(jxl(3, 1, std::vector<float>{0.0F, 0.25F, 1.0F},
                                {.bits = 32, .channels = 1, .floats = true}),
                            preprocessing_of(1, 1, 3)),
                   {0, 63.75, 255}) < 1e-3);
}

TEST_CASE("A lossy JPEG XL has nearly its colours") {
    Values values;
    for (int i = 0; i < 64 * 64; ++i) {
        values.insert(values.end(), {200, 100, 50});
    }
    CHECK(farthest(read_jxl(jxl(64, 64, values, {.lossy = true}), preprocessing_of(3, 1, 1)),
                   {200, 100, 50}) < 4.0);
}

TEST_CASE("A JPEG XL is turned upright, once") {
    const std::string file =
        jxl(2, 1, Values{200, 10}, {.channels = 1, .orientation = JXL_ORIENT_ROTATE_90_CW});
    CHECK(farthest(read_jxl(file, preprocessing_of(1, 2, 1)), {200, 10}) < 1e-3);
    const std::string other =
        jxl(2, 1, Values{200, 10}, {.channels = 1, .orientation = JXL_ORIENT_ROTATE_90_CCW});
    CHECK(farthest(read_jxl(other, preprocessing_of(1, 2, 1)), {10, 200}) < 1e-3);
}

TEST_CASE("An animated JPEG XL gives its first frame, and says so") {
    const std::string file = jxl(1, 1, Values{200, 100, 50}, {.frames = 3});
    CHECK(farthest(read_jxl(file, preprocessing_of(3, 1, 1)), {200, 100, 50}) < 1e-3);
    CHECK(data::decode(std::as_bytes(std::span(file)), {PictureLimits{}}).remark ==
          "first of several frames used");
}

TEST_CASE("A JPEG XL that is cut short, or beyond the limits, is refused") {
    const std::string whole = scene();
    for (std::size_t percent = 5; percent < 100; percent += 5) {
        INFO(percent);
        CHECK(refused(whole.substr(0, whole.size() * percent / 100)).status == PictureStatus::corrupt);
    }
    CHECK(refused(whole, {.max_pixels = 1023}).status == PictureStatus::too_large);
    CHECK(refused(whole, {.max_bytes = 4096}).status == PictureStatus::too_large);
}

TEST_CASE("Spoilt JPEG XL files are read or refused, never worse") {
    check_rounds("a.jxl", scene(), 400);
}

TEST_CASE("Threads that read their first JPEG XL at once do not disturb each other") {
    const TemporaryFolder folder;
    const std::string file = scene();
    for (int i = 0; i < 32; ++i) {
        write_text(folder / ("a" + std::to_string(i) + ".jxl"), file);
    }
    CHECK(read_all(ImageDataset::open(folder.path()), preprocessing_of(3, 4, 4), 8).pictures.rows() == 32);
}

}  // namespace stackae

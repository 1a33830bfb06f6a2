#include <algorithm>
#include <fmt/format.h>
#include <jxl/decode.h>
#include <jxl/version.h>
#include <memory>

#include "data/image/formats.hpp"
#include "data/shared_library.hpp"

namespace stackae::data {
namespace {

struct Libjxl {
    SharedLibrary library{STACKAE_jxl_SONAME};
    STACKAE_FUNCTION(create, JxlDecoderCreate);
    STACKAE_FUNCTION(destroy, JxlDecoderDestroy);
    STACKAE_FUNCTION(subscribe, JxlDecoderSubscribeEvents);
    STACKAE_FUNCTION(set_input, JxlDecoderSetInput);
    STACKAE_FUNCTION(close_input, JxlDecoderCloseInput);
    STACKAE_FUNCTION(process, JxlDecoderProcessInput);
    STACKAE_FUNCTION(basic_info, JxlDecoderGetBasicInfo);
    STACKAE_FUNCTION(extra_channel, JxlDecoderGetExtraChannelInfo);
    STACKAE_FUNCTION(profile, JxlDecoderGetColorAsEncodedProfile);
    STACKAE_FUNCTION(prefer_profile, JxlDecoderSetPreferredColorProfile);
    STACKAE_FUNCTION(buffer_size, JxlDecoderImageOutBufferSize);
    STACKAE_FUNCTION(set_buffer, JxlDecoderSetImageOutBuffer);
};

constexpr auto libjxl = loaded<Libjxl>;

[[noreturn]] void fail() {
    corrupt("JPEG XL cut short or damaged");  // libjxl gives no reasons
}

void check(JxlDecoderStatus status) {
    if (status != JXL_DEC_SUCCESS) {
        fail();
    }
}

JxlColorEncoding srgb(bool gray) {
    JxlColorEncoding encoding{};
    encoding.color_space = gray ? JXL_COLOR_SPACE_GRAY : JXL_COLOR_SPACE_RGB;
    encoding.white_point = JXL_WHITE_POINT_D65;
    encoding.primaries = JXL_PRIMARIES_SRGB;
    encoding.transfer_function = JXL_TRANSFER_FUNCTION_SRGB;
    encoding.rendering_intent = JXL_RENDERING_INTENT_RELATIVE;
    return encoding;
}

class Decompressor {
public:
    Decompressor(ByteSpan file, const PictureLimits& limits)
        : limits_(limits), decoder_(libjxl().create(nullptr), libjxl().destroy) {
        if (decoder_ == nullptr) {
            throw std::bad_alloc();
        }
        check(libjxl().subscribe(decoder_.get(),
                                 JXL_DEC_BASIC_INFO | JXL_DEC_COLOR_ENCODING | JXL_DEC_FULL_IMAGE));
        check(libjxl().set_input(decoder_.get(), reinterpret_cast<const std::uint8_t*>(file.data()),
                                 file.size()));
        libjxl().close_input(decoder_.get());
    }

    /// The first frame of an animation, whole and upright.
    Picture read() {
        for (;;) {
            switch (libjxl().process(decoder_.get())) {
                case JXL_DEC_BASIC_INFO:
                    prepare();
                    break;
                case JXL_DEC_COLOR_ENCODING:
                    choose_colours();
                    break;
                case JXL_DEC_NEED_IMAGE_OUT_BUFFER:
                    give_buffer();
                    break;
                case JXL_DEC_FULL_IMAGE:
                    return finished();
                default:
                    fail();
            }
        }
    }

private:
    void prepare() {
        check(libjxl().basic_info(decoder_.get(), &info_));
        for (std::uint32_t i = 0; i < info_.num_extra_channels; ++i) {
            JxlExtraChannelInfo extra;
            check(libjxl().extra_channel(decoder_.get(), i, &extra));
            if (extra.type == JXL_CHANNEL_BLACK) {
                unsupported("JPEG XL of CMYK colours found; gray or RGB expected");
            }
        }
        const bool alpha = info_.alpha_bits > 0;
        const bool real = info_.exponent_bits_per_sample > 0 || info_.bits_per_sample > 16;
        const int depth = real ? CV_32F : info_.bits_per_sample > 8 ? CV_16U : CV_8U;
        const int channels = static_cast<int>(info_.num_color_channels) + (alpha ? 1 : 0);
        format_ = {static_cast<std::uint32_t>(channels),
                   real              ? JXL_TYPE_FLOAT
                   : depth == CV_16U ? JXL_TYPE_UINT16
                                     : JXL_TYPE_UINT8,
                   JXL_NATIVE_ENDIAN, 0};
        // libjxl computes in floats.
        const std::uint64_t decoded = CV_ELEM_SIZE1(depth) * static_cast<std::uint64_t>(channels);
        const std::uint64_t inside = 4 * (std::uint64_t{info_.num_color_channels} + info_.num_extra_channels);
        check_size(info_.xsize, info_.ysize, decoded + inside, limits_);
        picture_.white = real ? 1.0 : depth == CV_16U ? 65535.0 : 255.0;
        picture_.premultiplied = alpha && info_.alpha_premultiplied != JXL_FALSE;
        pixels_type_ = CV_MAKETYPE(depth, channels);
    }

    /// The values are those of the picture's own colours; but lossy ones, which are stored in libjxl's, can
    /// only be brought to a profile that it knows by name, and come as sRGB where it does not.
    void choose_colours() {
        const auto target = JXL_COLOR_PROFILE_TARGET_ORIGINAL;
        JxlColorEncoding encoding;
#if JPEGXL_NUMERIC_VERSION < JPEGXL_COMPUTE_NUMERIC_VERSION(0, 9, 0)
        const JxlDecoderStatus known = libjxl().profile(decoder_.get(), nullptr, target, &encoding);
#else
        const JxlDecoderStatus known = libjxl().profile(decoder_.get(), target, &encoding);
#endif
        if (info_.uses_original_profile == JXL_FALSE && known != JXL_DEC_SUCCESS) {
            encoding = srgb(info_.num_color_channels == 1);
            check(libjxl().prefer_profile(decoder_.get(), &encoding));
        }
    }

    void give_buffer() {
        picture_.pixels.create(static_cast<int>(info_.ysize), static_cast<int>(info_.xsize), pixels_type_);
        const std::size_t size = picture_.pixels.total() * picture_.pixels.elemSize();
        std::size_t expected = 0;
        check(libjxl().buffer_size(decoder_.get(), &format_, &expected));
        if (expected != size) {
            fail();
        }
        check(libjxl().set_buffer(decoder_.get(), &format_, picture_.pixels.data, size));
    }

    Picture finished() {
        if (picture_.pixels.depth() == CV_32F && info_.uses_original_profile == JXL_FALSE) {
            cv::min(picture_.pixels, 1.0, picture_.pixels);  // lossy values go a little beyond
            cv::max(picture_.pixels, 0.0, picture_.pixels);
        }
        // Where a frame follows, what is damaged in it does no harm to the first.
        if (info_.have_animation != JXL_FALSE && libjxl().process(decoder_.get()) != JXL_DEC_SUCCESS) {
            picture_.remark = "first of several frames used";
        }
        return std::move(picture_);
    }

    const PictureLimits& limits_;
    std::unique_ptr<JxlDecoder, decltype(JxlDecoderDestroy)*> decoder_;
    JxlBasicInfo info_{};
    JxlPixelFormat format_{};
    int pixels_type_ = 0;
    Picture picture_;
};

}  // namespace

Picture decode_jpeg_xl(ByteSpan file, const DecodeOptions& options) {
    return Decompressor(file, options.limits).read();
}

}  // namespace stackae::data

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <libheif/heif.h>
#include <memory>
#include <string>

#include "data/image/formats.hpp"
#include "data/shared_library.hpp"

namespace stackae::data {
namespace {

struct Libheif {
    SharedLibrary library{STACKAE_heif_SONAME};
    STACKAE_FUNCTION(init, heif_init);
    STACKAE_FUNCTION(allocate, heif_context_alloc);
    STACKAE_FUNCTION(free, heif_context_free);
    STACKAE_FUNCTION(set_threads, heif_context_set_max_decoding_threads);
#if LIBHEIF_HAVE_VERSION(1, 19, 0)
    STACKAE_FUNCTION(limits, heif_context_get_security_limits);
#endif
    STACKAE_FUNCTION(read, heif_context_read_from_memory_without_copy);
    STACKAE_FUNCTION(count, heif_context_get_number_of_top_level_images);
    STACKAE_FUNCTION(primary, heif_context_get_primary_image_handle);
    STACKAE_FUNCTION(release_handle, heif_image_handle_release);
    STACKAE_FUNCTION(width, heif_image_handle_get_width);
    STACKAE_FUNCTION(height, heif_image_handle_get_height);
    STACKAE_FUNCTION(has_alpha, heif_image_handle_has_alpha_channel);
    STACKAE_FUNCTION(premultiplied, heif_image_handle_is_premultiplied_alpha);
    STACKAE_FUNCTION(bits, heif_image_handle_get_luma_bits_per_pixel);
    STACKAE_FUNCTION(decode, heif_decode_image);
    STACKAE_FUNCTION(release, heif_image_release);
    STACKAE_FUNCTION(plane_width, heif_image_get_width);
    STACKAE_FUNCTION(plane_height, heif_image_get_height);
    STACKAE_FUNCTION(plane_bits, heif_image_get_bits_per_pixel_range);
    STACKAE_FUNCTION(plane, heif_image_get_plane_readonly);

    Libheif() {
        init(nullptr);
    }
};

constexpr auto libheif = loaded<Libheif>;

void check(const heif_error& error) {
    if (error.code == heif_error_Ok) {
        return;
    }
    std::string reason = error.message != nullptr ? error.message : "it cannot be read";
    reason.resize(std::min(reason.find('\n'), reason.size()));  // libheif ends some of them with one
    if (error.subcode == heif_suberror_Security_limit_exceeded) {
        throw BadPicture(PictureStatus::too_large, fmt::format("HEIF: {}", reason));
    }
    if (error.code == heif_error_Unsupported_feature || error.code == heif_error_Unsupported_filetype ||
        error.code == heif_error_Plugin_loading_error) {
        unsupported(fmt::format("HEIF: {}", reason));
    }
    corrupt(fmt::format("HEIF cut short or damaged: {}", reason));
}

using Context = std::unique_ptr<heif_context, decltype(heif_context_free)*>;
using Handle = std::unique_ptr<const heif_image_handle, decltype(heif_image_handle_release)*>;
using Image = std::unique_ptr<const heif_image, decltype(heif_image_release)*>;

Context open(ByteSpan file, const PictureLimits& limits) {
    Context context(libheif().allocate(), libheif().free);
    if (context == nullptr) {
        throw std::bad_alloc();
    }
    libheif().set_threads(context.get(), 0);
#if LIBHEIF_HAVE_VERSION(1, 19, 0)
    heif_security_limits* own = libheif().limits(context.get());
    own->max_image_size_pixels = static_cast<std::uint64_t>(limits.max_pixels);
    own->max_memory_block_size = static_cast<std::uint64_t>(limits.max_bytes);
#else
    static_cast<void>(limits);
#endif
    check(libheif().read(context.get(), file.data(), file.size(), nullptr));
    return context;
}

heif_chroma chroma_of(bool alpha, bool deep) {
    if (deep) {
        return alpha ? heif_chroma_interleaved_RRGGBBAA_LE : heif_chroma_interleaved_RRGGBB_LE;
    }
    return alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB;
}

/// Turned, mirrored and cut by libheif as the container asks for.
Picture decoded(const heif_image_handle* handle, const PictureLimits& limits) {
    const bool alpha = libheif().has_alpha(handle) != 0;
    const bool deep = libheif().bits(handle) > 8;
    heif_image* raw = nullptr;
    check(libheif().decode(handle, &raw, heif_colorspace_RGB, chroma_of(alpha, deep), nullptr));
    const Image image(raw, libheif().release);
    const int width = libheif().plane_width(raw, heif_channel_interleaved);
    const int height = libheif().plane_height(raw, heif_channel_interleaved);
    int stride = 0;
    const std::uint8_t* plane = libheif().plane(raw, heif_channel_interleaved, &stride);
    if (plane == nullptr || width <= 0 || height <= 0) {
        corrupt("HEIF without a picture");
    }
    const int type = CV_MAKETYPE(deep ? CV_16U : CV_8U, alpha ? 4 : 3);
    check_size(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height),
               2 * static_cast<std::uint64_t>(CV_ELEM_SIZE(type)), limits);
    const int bits = deep ? libheif().plane_bits(raw, heif_channel_interleaved) : 8;
    if (bits < 8 || bits > 16) {
        unsupported(fmt::format("HEIF of {} bits found, 8 to 16 expected", bits));
    }
    Picture picture;
    picture.pixels.create(height, width, type);
    for (int y = 0; y < height; ++y) {
        std::memcpy(picture.pixels.ptr(y), plane + std::ptrdiff_t{y} * stride,
                    static_cast<std::size_t>(width) * picture.pixels.elemSize());
    }
    picture.white = static_cast<double>((1U << static_cast<unsigned>(bits)) - 1U);
    picture.premultiplied = alpha && libheif().premultiplied(handle) != 0;
    return picture;
}

}  // namespace

Picture decode_heif(ByteSpan file, const DecodeOptions& options) {
    const Context context = open(file, options.limits);
    heif_image_handle* raw = nullptr;
    check(libheif().primary(context.get(), &raw));
    const Handle handle(raw, libheif().release_handle);
    // What libde265, libheif and the picture hold at the height of decoding; measured on noise.
    const std::uint64_t plain = libheif().has_alpha(raw) != 0 ? 24 : 14;
    check_size(static_cast<std::uint64_t>(std::max(0, libheif().width(raw))),
               static_cast<std::uint64_t>(std::max(0, libheif().height(raw))),
               libheif().bits(raw) > 8 ? 2 * plain : plain, options.limits);
    Picture picture = decoded(raw, options.limits);
    const int count = libheif().count(context.get());
    if (count > 1) {
        picture.remark = fmt::format("first of {} pictures used", count);
    }
    return picture;
}

}  // namespace stackae::data

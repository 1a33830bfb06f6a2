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
    decltype(heif_init)* init = library.find<decltype(heif_init)>("heif_init");
    decltype(heif_context_alloc)* allocate = library.find<decltype(heif_context_alloc)>("heif_context_alloc");
    decltype(heif_context_free)* free = library.find<decltype(heif_context_free)>("heif_context_free");
    decltype(heif_context_set_max_decoding_threads)* set_threads =
        library.find<decltype(heif_context_set_max_decoding_threads)>(
            "heif_context_set_max_decoding_threads");
#if LIBHEIF_HAVE_VERSION(1, 19, 0)
    decltype(heif_context_get_security_limits)* limits =
        library.find<decltype(heif_context_get_security_limits)>("heif_context_get_security_limits");
#endif
    decltype(heif_context_read_from_memory_without_copy)* read =
        library.find<decltype(heif_context_read_from_memory_without_copy)>(
            "heif_context_read_from_memory_without_copy");
    decltype(heif_context_get_number_of_top_level_images)* count =
        library.find<decltype(heif_context_get_number_of_top_level_images)>(
            "heif_context_get_number_of_top_level_images");
    decltype(heif_context_get_primary_image_handle)* primary =
        library.find<decltype(heif_context_get_primary_image_handle)>(
            "heif_context_get_primary_image_handle");
    decltype(heif_image_handle_release)* release_handle =
        library.find<decltype(heif_image_handle_release)>("heif_image_handle_release");
    decltype(heif_image_handle_get_width)* width =
        library.find<decltype(heif_image_handle_get_width)>("heif_image_handle_get_width");
    decltype(heif_image_handle_get_height)* height =
        library.find<decltype(heif_image_handle_get_height)>("heif_image_handle_get_height");
    decltype(heif_image_handle_has_alpha_channel)* has_alpha =
        library.find<decltype(heif_image_handle_has_alpha_channel)>("heif_image_handle_has_alpha_channel");
    decltype(heif_image_handle_is_premultiplied_alpha)* premultiplied =
        library.find<decltype(heif_image_handle_is_premultiplied_alpha)>(
            "heif_image_handle_is_premultiplied_alpha");
    decltype(heif_image_handle_get_luma_bits_per_pixel)* bits =
        library.find<decltype(heif_image_handle_get_luma_bits_per_pixel)>(
            "heif_image_handle_get_luma_bits_per_pixel");
    decltype(heif_decode_image)* decode = library.find<decltype(heif_decode_image)>("heif_decode_image");
    decltype(heif_image_release)* release = library.find<decltype(heif_image_release)>("heif_image_release");
    decltype(heif_image_get_width)* plane_width =
        library.find<decltype(heif_image_get_width)>("heif_image_get_width");
    decltype(heif_image_get_height)* plane_height =
        library.find<decltype(heif_image_get_height)>("heif_image_get_height");
    decltype(heif_image_get_bits_per_pixel_range)* plane_bits =
        library.find<decltype(heif_image_get_bits_per_pixel_range)>("heif_image_get_bits_per_pixel_range");
    decltype(heif_image_get_plane_readonly)* plane =
        library.find<decltype(heif_image_get_plane_readonly)>("heif_image_get_plane_readonly");

    Libheif() {
        init(nullptr);
    }
};

const Libheif& libheif() {
    static const Libheif library;
    return library;
}

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

struct FreeContext {
    void operator()(heif_context* context) const { libheif().free(context); }
};
struct ReleaseHandle {
    void operator()(const heif_image_handle* handle) const { libheif().release_handle(handle); }
};
struct ReleaseImage {
    void operator()(const heif_image* image) const { libheif().release(image); }
};
using Context = std::unique_ptr<heif_context, FreeContext>;
using Handle = std::unique_ptr<const heif_image_handle, ReleaseHandle>;
using Image = std::unique_ptr<const heif_image, ReleaseImage>;

Context open(ByteSpan file, const PictureLimits& limits) {
    Context context(libheif().allocate());
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
    const Image image(raw);
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
    const Handle handle(raw);
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

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <openjpeg.h>
#include <string_view>
#include <vector>

#include "data/image/formats.hpp"
#include "data/shared_library.hpp"

namespace stackae::data {
namespace {

struct OpenJpeg {
    SharedLibrary library{STACKAE_openjp2_SONAME};
    STACKAE_FUNCTION(create, opj_create_decompress);
    STACKAE_FUNCTION(destroy, opj_destroy_codec);
    STACKAE_FUNCTION(defaults, opj_set_default_decoder_parameters);
    STACKAE_FUNCTION(setup, opj_setup_decoder);
    STACKAE_FUNCTION(strict, opj_decoder_set_strict_mode);
    STACKAE_FUNCTION(on_error, opj_set_error_handler);
    STACKAE_FUNCTION(on_warning, opj_set_warning_handler);
    STACKAE_FUNCTION(stream, opj_stream_create);
    STACKAE_FUNCTION(destroy_stream, opj_stream_destroy);
    STACKAE_FUNCTION(on_read, opj_stream_set_read_function);
    STACKAE_FUNCTION(on_skip, opj_stream_set_skip_function);
    STACKAE_FUNCTION(on_seek, opj_stream_set_seek_function);
    STACKAE_FUNCTION(user_data, opj_stream_set_user_data);
    STACKAE_FUNCTION(user_data_length, opj_stream_set_user_data_length);
    STACKAE_FUNCTION(read_header, opj_read_header);
    STACKAE_FUNCTION(decode, opj_decode);
    STACKAE_FUNCTION(end, opj_end_decompress);
    STACKAE_FUNCTION(destroy_image, opj_image_destroy);
};

constexpr auto openjpeg = loaded<OpenJpeg>;

/// The file as OpenJPEG reads it.
struct Input {
    ByteSpan file;
    std::size_t at = 0;
};

OPJ_SIZE_T read_some(void* to, OPJ_SIZE_T size, void* user) {
    auto& input = *static_cast<Input*>(user);
    const std::size_t taken = std::min<std::size_t>(size, input.file.size() - input.at);
    if (taken == 0) {
        return static_cast<OPJ_SIZE_T>(-1);  // the end
    }
    std::memcpy(to, input.file.data() + input.at, taken);
    input.at += taken;
    return taken;
}

OPJ_OFF_T skip(OPJ_OFF_T size, void* user) {
    auto& input = *static_cast<Input*>(user);
    if (size < 0 || static_cast<std::uint64_t>(size) > input.file.size() - input.at) {
        return -1;
    }
    input.at += static_cast<std::size_t>(size);
    return size;
}

OPJ_BOOL seek(OPJ_OFF_T to, void* user) {
    auto& input = *static_cast<Input*>(user);
    if (to < 0 || static_cast<std::uint64_t>(to) > input.file.size()) {
        return OPJ_FALSE;
    }
    input.at = static_cast<std::size_t>(to);
    return OPJ_TRUE;
}

/// Keeps the first, which says what is wrong; those that follow say that nothing can be done about it.
void keep_message(const char* message, void* user) {
    auto& kept = *static_cast<std::array<char, 200>*>(user);
    if (kept[0] == '\0') {
        std::strncpy(kept.data(), message, kept.size() - 1);
        std::replace_if(
            kept.begin(), kept.end(), [](char c) { return c == '\n' || c == '\r'; }, '\0');
    }
}

/// Warnings that cost no pixel: of boxes that are passed over, and of lengths that can be told without them.
/// All others do, for OpenJPEG goes on where code blocks are damaged or headers contradict each other.
bool is_harmless(std::string_view warning) {
    constexpr std::array harmless{"COLR BOX meth value is not a regular value",
                                  "A conforming JP2 reader shall ignore",
                                  "box will be ignored",
                                  "JP2 box which are after",
                                  "Ignoring ihdr box",
                                  "outside jp2h box",
                                  "Unknown marker",
                                  "Empty SOT marker",
                                  "TPsot==TNsot",
                                  "TLM",
                                  "rofile"};
    return std::any_of(harmless.begin(), harmless.end(),
                       [&](std::string_view part) { return warning.find(part) != std::string_view::npos; });
}

void keep_warning(const char* message, void* user) {
    if (!is_harmless(message)) {
        keep_message(message, user);
    }
}

class Decompressor {
public:
    explicit Decompressor(ByteSpan file)
        : input_{file},
          stream_(openjpeg().stream(buffer_size, OPJ_TRUE), openjpeg().destroy_stream),
          codec_(openjpeg().create(Bytes(file, false).has(4, "jP  ") ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K),
                 openjpeg().destroy) {
        if (stream_ == nullptr || codec_ == nullptr) {
            throw std::bad_alloc();
        }
        openjpeg().on_read(stream_.get(), read_some);
        openjpeg().on_skip(stream_.get(), skip);
        openjpeg().on_seek(stream_.get(), seek);
        openjpeg().user_data(stream_.get(), &input_, nullptr);
        openjpeg().user_data_length(stream_.get(), file.size());
        openjpeg().on_error(codec_.get(), keep_message, &error_);
        openjpeg().on_warning(codec_.get(), keep_warning, &warning_);
        opj_dparameters_t parameters;
        openjpeg().defaults(&parameters);
        check(openjpeg().setup(codec_.get(), &parameters));
        check(openjpeg().strict(codec_.get(), OPJ_TRUE));
    }

    const opj_image_t& read_header() {
        opj_image_t* image = nullptr;
        const OPJ_BOOL done = openjpeg().read_header(stream_.get(), codec_.get(), &image);
        image_.reset(image);
        check(done);
        return *image_;
    }
    const opj_image_t& decode() {
        check(openjpeg().decode(codec_.get(), stream_.get(), image_.get()));
        check(openjpeg().end(codec_.get(), stream_.get()));
        return *image_;
    }

private:
    static constexpr OPJ_SIZE_T buffer_size = 1U << 16U;

    void check(OPJ_BOOL done) const {
        if (done == OPJ_FALSE || warning_[0] != '\0') {
            corrupt(fmt::format("JPEG 2000 cut short or damaged: {}", error_[0] != '\0' ? error_.data()
                                                                      : warning_[0] != '\0'
                                                                          ? warning_.data()
                                                                          : "it cannot be read"));
        }
    }

    Input input_;
    std::array<char, 200> error_{};
    std::array<char, 200> warning_{};
    std::unique_ptr<opj_stream_t, decltype(opj_stream_destroy)*> stream_;
    std::unique_ptr<opj_codec_t, decltype(opj_destroy_codec)*> codec_;
    std::unique_ptr<opj_image_t, decltype(opj_image_destroy)*> image_{nullptr, openjpeg().destroy_image};
};

/// Which components are the colours and which is alpha.
struct Channels {
    std::vector<const opj_image_comp_t*> components;  ///< gray or three colours, then alpha
    bool premultiplied = false;
};

Channels channels_of(const opj_image_t& image) {
    Channels channels;
    const opj_image_comp_t* alpha = nullptr;
    for (OPJ_UINT32 i = 0; i < image.numcomps; ++i) {
        const opj_image_comp_t& component = image.comps[i];
        // Without a definition of the channels, the second and the fourth are taken for alpha, as by others.
        const bool last =
            i + 1 == image.numcomps && (i == 1 || i == 3) && image.color_space != OPJ_CLRSPC_CMYK;
        if (alpha == nullptr && (component.alpha != 0 || last)) {
            alpha = &component;
            channels.premultiplied = component.alpha == 2;
        } else {
            channels.components.push_back(&component);
        }
    }
    const bool known = image.color_space != OPJ_CLRSPC_CMYK && image.color_space != OPJ_CLRSPC_EYCC &&
                       (channels.components.size() == 1 || channels.components.size() == 3);
    if (!known) {
        unsupported(fmt::format("JPEG 2000 of {} colours{} found; gray, RGB or YCC expected",
                                channels.components.size(),
                                image.color_space == OPJ_CLRSPC_CMYK ? " (CMYK)" : ""));
    }
    if (alpha != nullptr) {
        channels.components.push_back(alpha);
    }
    return channels;
}

/// A component's values counted from 0, at the first component's grid.
class Plane {
public:
    Plane(const opj_image_comp_t& component, const opj_image_comp_t& first)
        : component_(component),
          across_(std::max(1U, component.dx / first.dx)),
          down_(std::max(1U, component.dy / first.dy)),
          most_((std::int64_t{1} << component.prec) - 1),
          zero_(component.sgnd != 0 ? std::int64_t{1} << (component.prec - 1) : 0) {
        if (component.data == nullptr) {
            corrupt("JPEG 2000 component without a value");
        }
    }
    [[nodiscard]] std::int64_t most() const { return most_; }
    [[nodiscard]] std::int64_t value(int y, int x) const {
        const auto row = std::min<std::size_t>(static_cast<unsigned>(y) / down_, component_.h - 1);
        const auto column = std::min<std::size_t>(static_cast<unsigned>(x) / across_, component_.w - 1);
        return std::clamp<std::int64_t>(component_.data[row * component_.w + column] + zero_, 0, most_);
    }

private:
    const opj_image_comp_t& component_;
    unsigned across_;
    unsigned down_;
    std::int64_t most_;
    std::int64_t zero_;
};

template <class T>
void fill(const std::vector<Plane>& planes, double white, cv::Mat& pixels) {
    for (std::size_t c = 0; c < planes.size(); ++c) {
        const auto channels = static_cast<std::ptrdiff_t>(planes.size());
        const double scale = white / static_cast<double>(planes[c].most());
        for (int y = 0; y < pixels.rows; ++y) {
            T* to = pixels.ptr<T>(y) + c;
            for (int x = 0; x < pixels.cols; ++x, to += channels) {
                *to = scale == 1.0 ? static_cast<T>(planes[c].value(y, x))
                                   : static_cast<T>(static_cast<double>(planes[c].value(y, x)) * scale);
            }
        }
    }
}

/// Y, Cb, Cr of 0 to white (IEC 61966-2-1, annex F: BT.601's, of full range) to R, G, B.
template <class T>
void ycc_to_rgb(cv::Mat& pixels, double white) {
    const int channels = pixels.channels();
    const double middle = std::is_integral_v<T> ? (white + 1) / 2 : 0.5;
    for (int y = 0; y < pixels.rows; ++y) {
        T* pixel = pixels.ptr<T>(y);
        for (int x = 0; x < pixels.cols; ++x, pixel += channels) {
            const double luma = static_cast<double>(pixel[0]);
            const double blue = static_cast<double>(pixel[1]) - middle;
            const double red = static_cast<double>(pixel[2]) - middle;
            pixel[0] = cv::saturate_cast<T>(std::clamp(luma + 1.402 * red, 0.0, white));
            pixel[1] = cv::saturate_cast<T>(std::clamp(luma - 0.344136 * blue - 0.714136 * red, 0.0, white));
            pixel[2] = cv::saturate_cast<T>(std::clamp(luma + 1.772 * blue, 0.0, white));
        }
    }
}

bool is_ycc(const opj_image_t& image, const Channels& channels) {
    const auto& parts = channels.components;
    // A bare code stream does not say: chroma that is stored coarser is a sign.
    return parts.size() >= 3 && (image.color_space == OPJ_CLRSPC_SYCC ||
                                 (image.color_space != OPJ_CLRSPC_SRGB && parts[0]->dx < parts[1]->dx));
}

Picture assembled(const opj_image_t& image) {
    const Channels channels = channels_of(image);
    std::vector<Plane> planes;
    bool equal = true;
    for (const opj_image_comp_t* component : channels.components) {
        planes.emplace_back(*component, *channels.components[0]);
        equal = equal && planes.back().most() == planes[0].most();
    }
    Picture picture;
    picture.premultiplied = channels.premultiplied;
    const bool whole = equal && planes[0].most() <= 65'535;
    picture.white = whole ? static_cast<double>(planes[0].most()) : 1.0;
    const int depth = !whole ? CV_32F : planes[0].most() > 255 ? CV_16U : CV_8U;
    const opj_image_comp_t& first = *channels.components[0];
    cv::Mat& pixels = picture.pixels;
    pixels.create(static_cast<int>(first.h), static_cast<int>(first.w),
                  CV_MAKETYPE(depth, static_cast<int>(planes.size())));
    with_depth(depth, [&]<class T>(T /*zero*/) {
        fill<T>(planes, picture.white, pixels);
        if (is_ycc(image, channels)) {
            ycc_to_rgb<T>(pixels, picture.white);
        }
    });
    return picture;
}

/// Calls body(content) with each box of a kind (ISO/IEC 15444-1, annex I.4).
template <class Body>
void each_box(ByteSpan boxes, std::string_view kind, const Body& body) {
    const Bytes bytes(boxes, true);
    for (std::uint64_t at = 0; boxes.size() - at >= 8;) {
        const std::uint64_t rest = boxes.size() - at;
        const bool wide = bytes.u32(at) == 1 && rest >= 16;
        const std::uint64_t head = wide ? 16 : 8;
        const std::uint64_t stated = wide ? bytes.u64(at + 8) : bytes.u32(at);
        const std::uint64_t size = stated == 0 ? rest : std::min(stated, rest);
        if (size < head) {
            return;
        }
        if (bytes.has(at + 4, kind)) {
            body(boxes.subspan(at + head, size - head));
        }
        at += size;
    }
}

/// Components that a palette makes of one (the same, I.5.3.4); 0 without a palette.
OPJ_UINT32 palette_columns(ByteSpan file) {
    OPJ_UINT32 columns = 0;
    each_box(file, "jp2h", [&](ByteSpan header) {
        each_box(header, "pclr", [&](ByteSpan palette) {
            columns = std::max<OPJ_UINT32>(columns, Bytes(palette, true).u8(2));
        });
    });
    return columns;
}

/// Throws BadPicture for components that assembled() cannot take. Holds of the header, and again of what was
/// decoded: a palette gives components of its own, with bits of its own. components: as many as there will
/// be, where they are more.
void check_components(const opj_image_t& image, OPJ_UINT32 components, const PictureLimits& limits) {
    constexpr OPJ_UINT32 max_components = 5;
    components = std::max(components, image.numcomps);
    if (image.numcomps == 0 || components > max_components) {
        unsupported(
            fmt::format("JPEG 2000 of {} components found, 1 to {} expected", components, max_components));
    }
    OPJ_UINT32 width = 0;
    OPJ_UINT32 height = 0;
    for (OPJ_UINT32 i = 0; i < image.numcomps; ++i) {
        const opj_image_comp_t& component = image.comps[i];
        constexpr OPJ_UINT32 max_bits = 31;
        if (component.prec == 0 || component.prec > max_bits) {
            unsupported(
                fmt::format("JPEG 2000 of {} bits found, 1 to {} expected", component.prec, max_bits));
        }
        if (component.w == 0 || component.h == 0 || component.dx == 0 || component.dy == 0 ||
            component.sgnd > 1) {
            corrupt("JPEG 2000 component without a value");
        }
        width = std::max(width, component.w);
        height = std::max(height, component.h);
    }
    // OpenJPEG holds 32 bits a value, of what is stored and of what a palette makes of it.
    check_size(width, height, std::uint64_t{8} * std::max(components, 4U), limits);
}

}  // namespace

Picture decode_jpeg2000(ByteSpan file, const DecodeOptions& options) {
    Decompressor decompressor(file);
    check_components(decompressor.read_header(), palette_columns(file), options.limits);
    const opj_image_t& image = decompressor.decode();
    check_components(image, 0, options.limits);
    return assembled(image);
}

}  // namespace stackae::data

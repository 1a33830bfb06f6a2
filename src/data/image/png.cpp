#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <csetjmp>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <new>
#include <opencv2/core.hpp>
#include <png.h>
#include <span>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/image_dataset.hpp"

#include "base/atomic_file.hpp"
#include "data/image/exif.hpp"
#include "data/image/formats.hpp"
#include "data/image/png_chunks.hpp"

namespace stackae {
namespace {

constexpr int fast = 3;                      // of zlib's 0 to 9
constexpr png_uint_32 max_side = 1U << 27U;  // 8 bytes a pixel fit an int

struct Errors {
    std::jmp_buf on_error;
    std::array<char, 256> message;
};

[[noreturn]] void fail(png_structp png, png_const_charp text) {
    auto& errors = *static_cast<Errors*>(png_get_error_ptr(png));
    std::strncpy(errors.message.data(), text, errors.message.size() - 1);
    std::longjmp(errors.on_error, 1);
}

void pass_over(png_structp /*png*/, png_const_charp /*warning*/) {}

/// Runs libpng's calls, whose errors come by longjmp: nothing with a destructor may live inside. False: the
/// message says why.
template <class Calls>
bool succeeds(Errors& errors, const Calls& calls) {
    if (setjmp(errors.on_error) != 0) {
        return false;
    }
    calls();
    return true;
}

/// A file that is read from memory.
class Reader {
public:
    explicit Reader(data::ByteSpan file)
        : left_(file), png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, &errors_, fail, pass_over)) {
        if (png_ != nullptr) {
            info_ = png_create_info_struct(png_);
        }
        if (info_ == nullptr) {
            png_destroy_read_struct(&png_, nullptr, nullptr);
            throw BackendError("libpng cannot be started: out of memory, or of another version");
        }
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }

    cv::Mat read() {
        guarded([&] {
            png_set_read_fn(png_, this, take);
            png_set_user_limits(png_, max_side, max_side);
            png_set_crc_action(png_, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
            png_read_info(png_, info_);
            png_set_expand(png_);  // palettes, 1 to 4 bits, and what is marked as transparent
            if constexpr (std::endian::native == std::endian::little) {
                png_set_swap(png_);
            }
            passes_ = png_set_interlace_handling(png_);
            png_read_update_info(png_, info_);
        });
        const int depth = png_get_bit_depth(png_, info_) == 16 ? CV_16U : CV_8U;
        cv::Mat pixels(static_cast<int>(png_get_image_height(png_, info_)),
                       static_cast<int>(png_get_image_width(png_, info_)),
                       CV_MAKETYPE(depth, png_get_channels(png_, info_)));
        guarded([&] {
            for (int pass = 0; pass < passes_; ++pass) {
                for (int y = 0; y < pixels.rows; ++y) {
                    png_read_row(png_, pixels.ptr(y), nullptr);
                }
            }
            png_read_end(png_, info_);
        });
        return pixels;
    }

private:
    template <class Calls>
    void guarded(const Calls& calls) {
        if (!succeeds(errors_, calls)) {
            data::corrupt(fmt::format("PNG cannot be decoded: {}", errors_.message.data()));
        }
    }

    static void take(png_structp png, png_bytep to, std::size_t size) {
        auto& self = *static_cast<Reader*>(png_get_io_ptr(png));
        if (size > self.left_.size()) {
            png_error(png, "it ends too early");
        }
        std::memcpy(to, self.left_.data(), size);
        self.left_ = self.left_.subspan(size);
    }

    data::ByteSpan left_;
    Errors errors_{};
    png_structp png_;
    png_infop info_ = nullptr;
    int passes_ = 1;
};

void append(png_structp png, png_bytep bytes, std::size_t size) {
    bool full = false;
    try {
        static_cast<std::string*>(png_get_io_ptr(png))->append(reinterpret_cast<const char*>(bytes), size);
    } catch (const std::bad_alloc&) {  // may not pass through libpng
        full = true;
    }
    if (full) {
        png_error(png, "out of memory");
    }
}

/// pixels: height × width × channels, 8 bits; gray or RGB.
std::string encode_png(const std::vector<png_byte>& pixels, std::int64_t height, std::int64_t width,
                       std::int64_t channels) {
    std::string file;
    Errors errors{{}, {"cannot be started"}};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &errors, fail, pass_over);
    png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
    const bool done =
        info != nullptr && succeeds(errors, [&] {
            png_set_write_fn(png, &file, append, nullptr);
            png_set_compression_level(png, fast);
            png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), 8,
                         channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                         PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
            png_write_info(png, info);
            for (std::int64_t y = 0; y < height; ++y) {
                png_write_row(png, pixels.data() + y * width * channels);
            }
            png_write_end(png, info);
        });
    png_destroy_write_struct(&png, &info);
    if (!done) {
        throw BackendError(fmt::format("libpng: {}", errors.message.data()));
    }
    return file;
}

}  // namespace

data::Picture data::decode_png(ByteSpan file, const DecodeOptions& options) {
    const PngHeader header = png_header(file);
    check_size(header.width, header.height, std::uint64_t{header.channels} * header.bits / 8, options.limits);
    Picture picture;
    picture.pixels = header.extras ? Reader(bare_png(file)).read() : Reader(file).read();
    picture.white = header.bits == 16 ? 65535.0 : 255.0;
    if (header.frames > 1) {
        picture.remark = fmt::format("animation; the first of {} frames used", header.frames);
    }
    turn_upright(picture.pixels, header.orientation);
    return picture;
}

void write_png(const std::string& path, const Tensor& picture) {
    OutputFiles files;
    OutputFile file = files.add(path);
    write_png(file, picture);
    file.commit();
}

void write_png(const OutputFile& file, const Tensor& picture) {
    const std::vector<std::int64_t>& shape = picture.shape();
    constexpr std::int64_t longest_side = 1 << 20;
    const std::int64_t channels = shape.size() == 3 ? shape[2] : 1;
    if (shape.size() < 2 || shape.size() > 3 || picture.empty() || (channels != 1 && channels != 3) ||
        shape[0] > longest_side || shape[1] > longest_side) {
        throw InvalidArgument(
            fmt::format("{}: writing a picture: shape {} found, h×w, h×w×1 or h×w×3 expected",
                        file.file().path(), fmt::join(shape, "×")));
    }
    std::vector<png_byte> pixels(static_cast<std::size_t>(picture.size()));
    std::transform(picture.values().begin(), picture.values().end(), pixels.begin(), [](float value) {
        const float unit = value > 0.0F ? std::min(value, 1.0F) : 0.0F;  // NaN becomes 0
        return static_cast<png_byte>(std::lround(unit * 255.0F));
    });
    const std::string encoded = encode_png(pixels, shape[0], shape[1], channels);
    file.file().write(encoded);
}

}  // namespace stackae

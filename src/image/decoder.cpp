#include "image/decoder.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>

#include "image/formats.hpp"

namespace stackae::image {
namespace {

using namespace std::string_view_literals;

bool begins(ByteSpan file, std::string_view text) {
    return Bytes(file, false).has(0, text);
}

bool is_png(ByteSpan file) {
    return begins(file, "\x89PNG\r\n\x1a\n");
}

bool is_jpeg(ByteSpan file) {
    return begins(file, "\xff\xd8\xff");
}

bool is_bmp(ByteSpan file) {
    return begins(file, "BM") && file.size() >= 26;
}

/// Classic and BigTIFF, of both byte orders.
bool is_tiff(ByteSpan file) {
    return begins(file, "II*\0"sv) || begins(file, "MM\0*"sv) || begins(file, "II+\0"sv) ||
           begins(file, "MM\0+"sv);
}

bool is_webp(ByteSpan file) {
    return begins(file, "RIFF") && Bytes(file, false).has(8, "WEBP");
}

bool is_pnm(ByteSpan file) {
    return begins(file, "P") && file.size() > 2 &&
           "1234567Ff"sv.find(static_cast<char>(file[1])) != "x"sv.npos &&
           std::isspace(std::to_integer<unsigned char>(file[2])) != 0;
}

constexpr std::array all{
    Decoder{"PNG", "png", is_png, decode_png},
    Decoder{"JPEG", "jpg jpeg jpe jfif", is_jpeg, decode_jpeg},
    Decoder{"BMP", "bmp dib", is_bmp, decode_bmp},
    Decoder{"TIFF", "tif tiff", is_tiff, decode_tiff},
    Decoder{"WebP", "webp", is_webp, decode_webp},
    Decoder{"PNM", "pgm ppm pbm pnm pam pfm", is_pnm, decode_pnm},
};

/// Endings of pictures that cannot be decoded: they are accounted for.
constexpr std::string_view foreign_endings = "gif heic heif avif jp2";

bool lists(std::string_view endings, std::string_view ending) {
    while (!endings.empty()) {
        const std::size_t end = std::min(endings.find(' '), endings.size());
        if (endings.substr(0, end) == ending) {
            return true;
        }
        endings.remove_prefix(std::min(end + 1, endings.size()));
    }
    return false;
}

/// "PNG, JPEG or BMP".
std::string all_names() {
    std::string names;
    for (std::size_t i = 0; i < all.size(); ++i) {
        names += i == 0 ? "" : i + 1 < all.size() ? ", " : " or ";
        names += all[i].name;
    }
    return names;
}

std::string first_bytes(ByteSpan file) {
    std::string text;
    for (const std::byte b : file.first(std::min<std::size_t>(8, file.size()))) {
        text += fmt::format("{}{:02x}", text.empty() ? "" : " ", std::to_integer<unsigned>(b));
    }
    return text;
}

/// What a file is that no decoder takes.
std::string foreign_name(ByteSpan file) {
    const Bytes bytes(file, false);
    return bytes.has(0, "GIF8") ? "GIF"
           : bytes.has(4, "ftyp")
               ? "HEIF, AVIF or video"
               : fmt::format("no known picture format (first bytes {})", first_bytes(file));
}

}  // namespace

std::span<const Decoder> decoders() {
    return all;
}

const Decoder& decoder_of(ByteSpan file) {
    if (file.empty()) {
        throw BadPicture(PictureStatus::corrupt, "empty file");
    }
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const Decoder& decoder) { return decoder.recognizes(file); });
    if (found == all.end()) {
        throw BadPicture(PictureStatus::unsupported,
                         fmt::format("{} found; {} expected", foreign_name(file), all_names()));
    }
    return *found;
}

bool is_picture_name(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos || name.starts_with('.')) {
        return false;
    }
    std::string ending(name.substr(dot + 1));
    std::transform(ending.begin(), ending.end(), ending.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return lists(foreign_endings, ending) || std::any_of(all.begin(), all.end(), [&](const Decoder& decoder) {
               return lists(decoder.endings, ending);
           });
}

void check_size(std::uint64_t width, std::uint64_t height, std::uint64_t bytes_a_pixel,
                const PictureLimits& limits) {
    if (width == 0 || height == 0) {
        throw BadPicture(PictureStatus::corrupt, fmt::format("picture of {} × {} pixels", width, height));
    }
    std::uint64_t pixels = 0;
    if (__builtin_mul_overflow(width, height, &pixels) ||
        pixels > static_cast<std::uint64_t>(limits.max_pixels)) {
        throw BadPicture(PictureStatus::too_large,
                         fmt::format("{} × {} pixels found, at most {} in all expected", width, height,
                                     limits.max_pixels));
    }
    std::uint64_t bytes = 0;
    if (__builtin_mul_overflow(pixels, bytes_a_pixel, &bytes) ||
        bytes > static_cast<std::uint64_t>(limits.max_bytes)) {
        throw BadPicture(PictureStatus::too_large,
                         fmt::format("{} × {} pixels of {} bytes found, at most {} bytes in all expected",
                                     width, height, bytes_a_pixel, limits.max_bytes));
    }
}

}  // namespace stackae::image

#include "data/image/decoder.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "stackae/text.hpp"

#include "data/image/formats.hpp"

namespace stackae::data {
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

/// "BA" is OS/2's array of bitmaps.
bool is_bmp(ByteSpan file) {
    return (begins(file, "BM") || begins(file, "BA")) && file.size() >= 26;
}

/// Classic and BigTIFF, of both byte orders.
bool is_tiff(ByteSpan file) {
    return begins(file, "II*\0"sv) || begins(file, "MM\0*"sv) || begins(file, "II+\0"sv) ||
           begins(file, "MM\0+"sv);
}

Picture decode_tiff_in_memory(ByteSpan file, const DecodeOptions& options) {
    return decode_tiff(RandomAccess(file), options);
}

bool is_webp(ByteSpan file) {
    return begins(file, "RIFF") && Bytes(file, false).has(8, "WEBP");
}

bool is_pnm(ByteSpan file) {
    return begins(file, "P") && file.size() > 2 &&
           "1234567Ff"sv.find(static_cast<char>(file[1])) != std::string_view::npos &&
           (std::isspace(std::to_integer<unsigned char>(file[2])) != 0 || static_cast<char>(file[2]) == '#');
}

bool is_gif(ByteSpan file) {
    return begins(file, "GIF87a") || begins(file, "GIF89a");
}

/// The container, or the code stream alone.
bool is_jpeg2000(ByteSpan file) {
    return begins(file, "\0\0\0\x0cjP  \r\n\x87\n"sv) || begins(file, "\xff\x4f\xff\x51");
}

/// The container, or the code stream alone.
bool is_jpeg_xl(ByteSpan file) {
    return begins(file, "\0\0\0\x0cJXL \r\n\x87\n"sv) || begins(file, "\xff\x0a");
}

/// Whether a file of ISO's base media format (ISO/IEC 14496-12) names one of the brands, in four letters
/// each.
bool has_brand(ByteSpan file, std::string_view brands) {
    const Bytes bytes(file, true);
    if (!bytes.has(4, "ftyp")) {
        return false;
    }
    const std::uint64_t end = std::min<std::uint64_t>(bytes.u32(0), file.size());
    for (std::uint64_t at = 8; at + 4 <= end; at += at == 8 ? 8 : 4) {  // the first, its version, the others
        for (std::size_t i = 0; i + 4 <= brands.size(); i += 4) {
            if (bytes.has(at, brands.substr(i, 4))) {
                return true;
            }
        }
    }
    return false;
}

bool is_avif(ByteSpan file) {
    return has_brand(file, "avifavis");
}

bool is_heif(ByteSpan file) {
    return has_brand(file, "heicheixheimheishevchevxhevmhevsmif1msf1mif2avciavcsj2kij2isjpegjpgsvvicvvis");
}

constexpr std::array all{
    Decoder{"PNG", "png apng", is_png, decode_png},
    Decoder{"JPEG", "jpg jpeg jpe jfif", is_jpeg, decode_jpeg},
    Decoder{"BMP", "bmp dib", is_bmp, decode_bmp},
    Decoder{"TIFF", "tif tiff", is_tiff, decode_tiff_in_memory, decode_tiff},
    Decoder{"WebP", "webp", is_webp, decode_webp},
    Decoder{"PNM", "pgm ppm pbm pnm pam pfm", is_pnm, decode_pnm},
    Decoder{"GIF", "gif", is_gif, decode_gif},
    Decoder{"JPEG 2000", "jp2 j2k j2c jpc jpf jpx jph jhc", is_jpeg2000, decode_jpeg2000},
    Decoder{"AVIF", "avif avifs", is_avif, decode_avif},
    Decoder{"HEIF", "heic heif heics heifs hif avci", is_heif, decode_heif},
    Decoder{"JPEG XL", "jxl", is_jpeg_xl, decode_jpeg_xl},
};

/// Endings of pictures that cannot be decoded: they are accounted for.
constexpr std::string_view foreign_endings =
    "qoi ico cur icns tga psd psb xcf dds exr hdr jxr wdp hdp bpg flif pcx sgi ras xbm xpm svg svgz dcm fits "
    "dng nef nrw cr2 cr3 crw arw sr2 srf pef srw raf rw2 rwl orf 3fr fff iiq kdc dcr erf mef mos x3f";

/// A format that is known by its first bytes and cannot be decoded.
struct Foreign {
    std::string_view name;
    std::uint64_t at;
    std::string_view bytes;
};

constexpr std::array foreign{
    Foreign{"video, or a camera's raw picture,", 4, "ftyp"},
    Foreign{"QOI", 0, "qoif"},
    Foreign{"icon", 0, "\0\0\1\0"sv},
    Foreign{"icon", 0, "icns"},
    Foreign{"pointer", 0, "\0\0\2\0"sv},
    Foreign{"Photoshop", 0, "8BPS"},
    Foreign{"GIMP", 0, "gimp xcf"},
    Foreign{"DirectDraw surface", 0, "DDS "},
    Foreign{"OpenEXR", 0, "v/1\1"},
    Foreign{"Radiance HDR", 0, "#?RADIANCE"},
    Foreign{"JPEG XR", 0, "II\xbc"},
    Foreign{"BPG", 0, "BPG\xfb"},
    Foreign{"FLIF", 0, "FLIF"},
    Foreign{"SGI", 0, "\x01\xda"},
    Foreign{"Sun raster", 0, "\x59\xa6\x6a\x95"},
    Foreign{"XPM", 0, "/* XPM */"},
    Foreign{"DICOM", 128, "DICM"},
    Foreign{"FITS", 0, "SIMPLE  ="},
    Foreign{"camera's raw picture", 0, "FUJIFILMCCD-RAW"},
    Foreign{"camera's raw picture", 0, "IIU\0"sv},
    Foreign{"camera's raw picture", 0, "IIRO"},
    Foreign{"SVG", 0, "<svg"},
    Foreign{"XML", 0, "<?xml"},
    Foreign{"web page", 0, "<!DOCTYPE html"},
    Foreign{"web page", 0, "<html"},
    Foreign{"PDF", 0, "%PDF"},
    Foreign{"PostScript", 0, "%!PS"},
    Foreign{"archive", 0, "PK\3\4"},
    Foreign{"NumPy array", 0, "\x93NUMPY"},
    Foreign{"gzip", 0, "\x1f\x8b"},
    Foreign{"Git LFS pointer", 0, "version https://git-lfs"},
};

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
    const auto* bytes = reinterpret_cast<const unsigned char*>(file.data());
    return fmt::format("{:02x}", fmt::join(bytes, bytes + std::min<std::size_t>(8, file.size()), " "));
}

/// What a file is that no decoder takes.
std::string foreign_name(ByteSpan file) {
    const auto found = std::find_if(foreign.begin(), foreign.end(), [&](const Foreign& format) {
        return Bytes(file, false).has(format.at, format.bytes);
    });
    return found != foreign.end()
               ? std::string(found->name)
               : fmt::format("no known picture format (first bytes {})", first_bytes(file));
}

}  // namespace

std::span<const Decoder> decoders() {
    return all;
}

const Decoder& decoder_of(ByteSpan file) {
    if (file.empty()) {
        corrupt("empty file");
    }
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const Decoder& decoder) { return decoder.recognizes(file); });
    if (found == all.end()) {
        unsupported(fmt::format("{} found; {} expected", foreign_name(file), all_names()));
    }
    return *found;
}

bool is_picture_name(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos || name.starts_with('.')) {
        return false;
    }
    const std::string ending = lower_case(name.substr(dot + 1));
    return lists(foreign_endings, ending) || std::any_of(all.begin(), all.end(), [&](const Decoder& decoder) {
               return lists(decoder.endings, ending);
           });
}

void check_size(std::uint64_t width, std::uint64_t height, std::uint64_t bytes_a_pixel,
                const PictureLimits& limits, std::uint64_t beside) {
    if (width == 0 || height == 0) {
        corrupt(fmt::format("picture of {} × {} pixels", width, height));
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
        __builtin_add_overflow(bytes, beside, &bytes) ||
        bytes > static_cast<std::uint64_t>(limits.max_bytes)) {
        throw BadPicture(
            PictureStatus::too_large,
            fmt::format("{} × {} pixels of {} bytes{} found, at most {} bytes in all expected", width, height,
                        bytes_a_pixel, beside > 0 ? fmt::format(" and {} bytes beside them", beside) : "",
                        limits.max_bytes));
    }
}

}  // namespace stackae::data

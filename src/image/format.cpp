#include "image/format.hpp"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <zlib.h>

#include "image/exif.hpp"

namespace stackae::image {
namespace {

using namespace std::string_view_literals;

[[noreturn]] void corrupt(const std::string& reason) {
    throw BadPicture(PictureStatus::corrupt, reason);
}

void expect_bytes(std::uint64_t found, std::uint64_t expected) {
    if (found < expected) {
        corrupt(fmt::format("cut short: {} bytes found, {} expected", found, expected));
    }
}

/// Bytes of `rows` rows of `row_bits`, or a large number instead of an overflow.
std::uint64_t data_bytes(std::uint64_t row_bits, std::uint64_t alignment, std::uint64_t rows) {
    const std::uint64_t row = (row_bits + alignment * 8 - 1) / (alignment * 8) * alignment;
    std::uint64_t bytes = 0;
    return __builtin_mul_overflow(row, rows, &bytes) ? UINT64_MAX / 2 : bytes;
}

/// Of the PNG chunk at a place: critical ones have a capital first.
bool makes_picture(const Bytes& bytes, std::uint64_t at) {
    return (bytes.u8(at + 4) & 0x20U) == 0 || bytes.has(at + 4, "tRNS");
}

/// The PNG specification's table of bit depths by colour type: gray, RGB, palette, gray and alpha, RGBA.
void check_png_depth(unsigned colour, unsigned depth) {
    const bool palette = colour == 3;
    const bool known = colour == 0 || colour == 2 || palette || colour == 4 || colour == 6;
    const bool narrow = (depth == 1 || depth == 2 || depth == 4) && (colour == 0 || palette);
    if (!known || !(narrow || depth == 8 || (depth == 16 && !palette))) {
        corrupt(fmt::format("PNG of colour type {} with {} bits a value, which PNG does not know", colour,
                            depth));
    }
}

PictureHeader png_header(ByteSpan file) {
    const Bytes bytes(file, true);
    PictureHeader header;
    bool data = false;
    for (std::uint64_t at = 8;;) {
        if (at + 12 > bytes.size()) {
            corrupt(fmt::format("cut short: PNG of {} bytes without its end (IEND)", bytes.size()));
        }
        const std::uint64_t length = bytes.u32(at);
        if (length > bytes.size() - at - 12) {
            corrupt(fmt::format("cut short: {} bytes found, at least {} expected", bytes.size(),
                                at + 12 + length));
        }
        const ByteSpan content = bytes.part(at + 8, length);
        const ByteSpan checked = bytes.part(at + 4, length + 4);
        const auto* start = reinterpret_cast<const Bytef*>(checked.data());
        if (crc32_z(0, start, checked.size()) != bytes.u32(at + 8 + length)) {
            corrupt(fmt::format("PNG chunk at byte {} does not fit its checksum", at));
        }
        const Bytes values(content, true);
        if (at == 8) {
            if (!bytes.has(at + 4, "IHDR")) {
                corrupt("PNG does not begin with its header (IHDR)");
            }
            header.width = values.u32(0);
            header.height = values.u32(4);
            check_png_depth(values.u8(9), values.u8(8));
        } else if (bytes.has(at + 4, "eXIf")) {
            header.orientation = exif_orientation(content);
        } else if (bytes.has(at + 4, "IDAT")) {
            data = true;
        } else if (bytes.has(at + 4, "IEND")) {
            break;
        }
        header.extras = header.extras || !makes_picture(bytes, at);
        at += 12 + length;
    }
    if (!data) {
        corrupt("PNG without picture data (IDAT)");
    }
    return header;
}

PictureHeader bmp_header(ByteSpan file) {
    const Bytes bytes(file, false);
    PictureHeader header;
    const std::uint32_t offset = bytes.u32(10);
    std::uint64_t bits = 0;
    std::uint32_t compression = 0;
    if (bytes.u32(14) == 12) {  // OS/2
        header.width = bytes.u16(18);
        header.height = bytes.u16(20);
        bits = bytes.u16(24);
    } else {
        const auto height = static_cast<std::int32_t>(bytes.u32(22));
        header.width = bytes.u32(18);
        header.height = static_cast<std::uint64_t>(height < 0 ? -std::int64_t{height} : height);
        bits = bytes.u16(28);
        compression = bytes.u32(30);
    }
    const bool raw = compression == 0 || compression == 3 || compression == 6;
    if (raw) {
        expect_bytes(bytes.size(), offset + data_bytes(header.width * bits, 4, header.height));
    }
    return header;
}

/// libwebp believes a VP8X only where it comes first, and decodes the first VP8 or VP8L whatever follows. The
/// largest of the sizes stated is what the file may cost.
PictureHeader webp_header(ByteSpan file) {
    const Bytes bytes(file, false);
    PictureHeader header;
    const auto state = [&header](std::uint64_t width, std::uint64_t height) {
        header.width = std::max(header.width, width);
        header.height = std::max(header.height, height);
    };
    expect_bytes(bytes.size(), std::uint64_t{bytes.u32(4)} + 8);
    constexpr std::uint64_t first = 12;
    for (std::uint64_t at = first; at + 8 <= bytes.size();) {
        const std::uint64_t length = bytes.u32(at + 4);
        const Bytes content(bytes.part(at + 8, length), false);
        if (bytes.has(at, "VP8X")) {
            if (at != first) {
                corrupt(
                    fmt::format("WebP with its extended header (VP8X) at byte {}, {} expected", at, first));
            }
            state(1 + (content.u32(3) >> 8U), 1 + (content.u32(6) >> 8U));
        } else if (bytes.has(at, "VP8 ")) {
            state(content.u16(6) & 0x3fffU, content.u16(8) & 0x3fffU);
        } else if (bytes.has(at, "VP8L")) {
            state(1 + (content.u32(1) & 0x3fffU), 1 + ((content.u32(1) >> 14U) & 0x3fffU));
        } else if (bytes.has(at, "EXIF")) {
            header.orientation = exif_orientation(content.bytes());
        } else if (bytes.has(at, "ANIM") || bytes.has(at, "ANMF")) {
            throw BadPicture(PictureStatus::unsupported, "animated WebP");
        }
        at += 8 + length + length % 2;
    }
    return header;
}

PictureHeader tiff_header(ByteSpan file) {
    const TiffDirectory directory(file);
    PictureHeader header;
    header.width = directory.number(256, 0);
    header.height = directory.number(257, 0);
    const auto sum_of = [&](std::uint16_t offsets_tag, std::uint16_t counts_tag) {
        const auto offsets = directory.numbers(offsets_tag);
        const auto counts = directory.numbers(counts_tag);
        for (std::size_t i = 0; i < std::min(offsets.size(), counts.size()); ++i) {
            if (offsets[i] > file.size() || counts[i] > file.size() - offsets[i]) {
                corrupt(fmt::format("cut short: {} bytes found, picture data at {} + {} expected",
                                    file.size(), offsets[i], counts[i]));
            }
        }
        return offsets.size();
    };
    header.premultiplied = directory.number(338, 0) == 1;
    header.white_is_zero = directory.number(262, 1) == 0;
    if (sum_of(273, 279) + sum_of(324, 325) == 0) {
        corrupt("TIFF without picture data");
    }
    // A tile may be larger than the picture, and is what a decoder has to hold.
    const std::uint64_t tile_width = directory.number(322, 0);
    const std::uint64_t tile_height = directory.number(323, 0);
    if (__builtin_mul_overflow(tile_width, tile_height, &header.pixels)) {
        header.pixels = UINT64_MAX;
    }
    return header;
}

/// The words of a PNM header: white space between, # to the line's end is a comment.
class Words {
public:
    explicit Words(ByteSpan file) : file_(file) {}

    std::string next() {
        std::string word;
        for (; at_ < file_.size(); ++at_) {
            const char c = static_cast<char>(file_[at_]);
            if (c == '#' && word.empty()) {
                while (at_ < file_.size() && static_cast<char>(file_[at_]) != '\n') {
                    ++at_;
                }
            } else if (std::isspace(static_cast<unsigned char>(c)) == 0) {
                word += c;
            } else if (!word.empty()) {
                break;
            }
            if (word.size() > 20) {
                break;
            }
        }
        if (word.empty()) {
            corrupt("cut short: PNM header without an end");
        }
        return word;
    }
    std::uint64_t number() {
        const std::string word = next();
        if (word.size() > 9 || word.find_first_not_of("0123456789") != std::string::npos) {
            corrupt(fmt::format("PNM header: '{}' found, a whole number expected", word));
        }
        return std::stoull(word);
    }
    /// Where the data begins: after the one white space that ends the header.
    [[nodiscard]] std::uint64_t data() const { return at_ + 1; }

private:
    ByteSpan file_;
    std::uint64_t at_ = 0;
};

PictureHeader pnm_header(ByteSpan file) {
    Words words(file);
    PictureHeader header;
    const char kind = words.next()[1];
    std::uint64_t largest = 1;
    std::uint64_t channels = kind == '3' || kind == '6' || kind == 'F' ? 3 : 1;
    if (kind == '7') {
        for (std::string word = words.next(); word != "ENDHDR"; word = words.next()) {
            if (word == "WIDTH") {
                header.width = words.number();
            } else if (word == "HEIGHT") {
                header.height = words.number();
            } else if (word == "DEPTH") {
                channels = words.number();
            } else if (word == "MAXVAL") {
                largest = words.number();
            } else {
                words.next();
            }
        }
    } else {
        header.width = words.number();
        header.height = words.number();
        const bool bits_only = kind == '1' || kind == '4';
        if (kind == 'F' || kind == 'f') {
            words.next();
        } else if (!bits_only) {
            largest = words.number();
        }
    }
    if (largest == 0 || largest > 65535 || channels == 0 || channels > 4) {
        corrupt(fmt::format("PNM of {} channels with values to {}", channels, largest));
    }
    const bool ascii = kind == '1' || kind == '2' || kind == '3';
    const bool real = kind == 'F' || kind == 'f';
    const std::uint64_t bits = kind == '4' ? 1 : real ? 32 : largest > 255 ? 16 : 8;
    if (largest > 255 || kind == '5' || kind == '6' || kind == '7') {
        header.white = static_cast<double>(largest);  // in text, OpenCV widens to 8 bits itself
    }
    // In text, a pixel takes at least a digit.
    expect_bytes(file.size() + (ascii ? 1 : 0),
                 words.data() + (ascii ? data_bytes(header.width * channels * 8, 1, header.height)
                                       : data_bytes(header.width * channels * bits, 1, header.height)));
    return header;
}

std::string first_bytes(ByteSpan file) {
    std::string text;
    for (const std::byte b : file.first(std::min<std::size_t>(8, file.size()))) {
        text += fmt::format("{}{:02x}", text.empty() ? "" : " ", std::to_integer<unsigned>(b));
    }
    return text;
}

}  // namespace

Format detect_format(ByteSpan file) {
    const Bytes bytes(file, false);
    if (file.empty()) {
        throw BadPicture(PictureStatus::corrupt, "empty file");
    }
    if (bytes.has(0, "\x89PNG\r\n\x1a\n")) {
        return Format::png;
    }
    if (bytes.has(0, "\xff\xd8\xff")) {
        return Format::jpeg;
    }
    if (bytes.has(0, "BM") && file.size() >= 26) {
        return Format::bmp;
    }
    if (bytes.has(0, "II*\0"sv) || bytes.has(0, "MM\0*"sv) || bytes.has(0, "II+\0"sv) ||
        bytes.has(0, "MM\0+"sv)) {
        return Format::tiff;
    }
    if (bytes.has(0, "RIFF") && bytes.has(8, "WEBP")) {
        return Format::webp;
    }
    if (bytes.has(0, "P") && file.size() > 2 &&
        "1234567Ff"sv.find(static_cast<char>(file[1])) != "x"sv.npos &&
        std::isspace(std::to_integer<unsigned char>(file[2])) != 0) {
        return Format::pnm;
    }
    const auto unsupported = [](const std::string& what) {
        return BadPicture(PictureStatus::unsupported,
                          what + " found; PNG, JPEG, BMP, TIFF, WebP or PNM expected");
    };
    if (bytes.has(0, "GIF8")) {
        throw unsupported("GIF");
    }
    if (bytes.has(4, "ftyp")) {
        throw unsupported("HEIF, AVIF or video");
    }
    throw unsupported(fmt::format("no known picture format (first bytes {})", first_bytes(file)));
}

std::vector<std::byte> bare_png(ByteSpan file) {
    const Bytes bytes(file, true);
    std::vector<std::byte> bare(file.begin(), file.begin() + 8);
    for (std::uint64_t at = 8; at < file.size();) {
        const ByteSpan chunk = bytes.part(at, std::uint64_t{bytes.u32(at)} + 12);
        if (makes_picture(bytes, at)) {
            bare.insert(bare.end(), chunk.begin(), chunk.end());
        }
        if (bytes.has(at + 4, "IEND")) {
            break;
        }
        at += chunk.size();
    }
    return bare;
}

PictureHeader inspect(ByteSpan file, Format format) {
    PictureHeader header;
    switch (format) {
        case Format::png:
            header = png_header(file);
            break;
        case Format::bmp:
            header = bmp_header(file);
            break;
        case Format::tiff:
            header = tiff_header(file);
            break;
        case Format::webp:
            header = webp_header(file);
            break;
        case Format::pnm:
            header = pnm_header(file);
            break;
        case Format::jpeg:
            throw InvalidArgument("inspect: JPEG headers are read by decode_jpeg");
    }
    header.format = format;
    std::uint64_t pixels = 0;
    if (header.width == 0 || header.height == 0) {
        corrupt(fmt::format("picture of {} × {} pixels", header.width, header.height));
    }
    if (__builtin_mul_overflow(header.width, header.height, &pixels)) {
        pixels = UINT64_MAX;
    }
    header.pixels = std::max(header.pixels, pixels);
    return header;
}

}  // namespace stackae::image

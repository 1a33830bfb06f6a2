#include "data/image/png_chunks.hpp"

#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <string_view>
#include <zlib.h>

#include "data/image/exif.hpp"

namespace stackae::data {
namespace {

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

/// Of the same colour types, once a palette and what is marked as transparent are expanded.
unsigned channels_of(unsigned colour, bool transparent) {
    const bool gray = colour == 0 || colour == 4;
    const bool alpha = transparent || colour == 4 || colour == 6;
    return (gray ? 1U : 3U) + (alpha ? 1U : 0U);
}

/// The text of a chunk that is compressed by zlib; nothing where it is damaged or too long for a profile.
std::optional<std::string> inflated(ByteSpan packed) {
    constexpr std::size_t most = std::size_t{1} << 18U;  // EXIF's 64 KiB in hexadecimal, twice over
    std::string text(most, '\0');
    auto size = static_cast<uLongf>(text.size());
    if (uncompress(reinterpret_cast<Bytef*>(text.data()), &size,
                   reinterpret_cast<const Bytef*>(packed.data()),
                   static_cast<uLong>(packed.size())) != Z_OK) {
        return std::nullopt;
    }
    text.resize(size);
    return text;
}

/// A profile as ImageMagick writes it to a text: a line of its kind, a line of its bytes' number, and the
/// bytes in hexadecimal digits, broken to lines.
std::vector<std::byte> raw_profile(std::string_view text) {
    for (int line = 0; line < 2; ++line) {
        text.remove_prefix(std::min(text.find_first_not_of('\n'), text.size()));
        text.remove_prefix(std::min(text.find('\n'), text.size()));
    }
    std::string digits(text);
    std::erase(digits, '\n');
    std::vector<std::byte> bytes;
    for (std::size_t at = 0; at + 2 <= digits.size(); at += 2) {
        std::uint8_t value = 0;
        const char* end = digits.data() + at + 2;
        if (std::from_chars(digits.data() + at, end, value, 16).ptr != end) {
            break;
        }
        bytes.push_back(std::byte{value});
    }
    return bytes;
}

/// By EXIF in a text (tEXt or zTXt), where programs put it before there was a chunk for it; 1 where there is
/// none.
int orientation_in_text(ByteSpan content, bool packed) {
    const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
    const std::size_t end = std::min(text.find('\0'), text.size());
    const std::string_view keyword = text.substr(0, end);
    if (keyword != "Raw profile type exif" && keyword != "Raw profile type APP1") {
        return 1;
    }
    if (!packed) {
        return exif_orientation(raw_profile(text.substr(std::min(end + 1, text.size()))));
    }
    // A byte says how it is compressed; 0, by zlib, is the only way.
    const std::optional<std::string> whole = inflated(content.subspan(std::min(end + 2, content.size())));
    return whole ? exif_orientation(raw_profile(*whole)) : 1;
}

}  // namespace

PngHeader png_header(ByteSpan file) {
    const Bytes bytes(file, true);
    PngHeader header;
    bool data = false;
    int text_orientation = 1;
    bool exif = false;
    unsigned colour = 0;
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
            header.bits = values.u8(8) == 16 ? 16 : 8;
            header.channels = channels_of(values.u8(9), false);
            colour = values.u8(9);
        } else if (bytes.has(at + 4, "tRNS")) {
            header.channels = channels_of(colour, true);
        } else if (bytes.has(at + 4, "acTL")) {
            header.frames = values.u32(0);
        } else if (bytes.has(at + 4, "eXIf")) {
            header.orientation = exif_orientation(content);
            exif = true;
        } else if (bytes.has(at + 4, "tEXt") || bytes.has(at + 4, "zTXt")) {
            const int found = orientation_in_text(content, bytes.has(at + 4, "zTXt"));
            text_orientation = found != 1 ? found : text_orientation;
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
    if (!exif) {
        header.orientation = text_orientation;
    }
    return header;
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

}  // namespace stackae::data

#include "data/image/bmp_header.hpp"

#include <algorithm>
#include <bit>
#include <fmt/format.h>

namespace stackae::data {
namespace {

constexpr std::uint32_t os2_1 = 12;        ///< bytes of OS/2's first header
constexpr std::uint32_t os2_2_least = 16;  ///< OS/2's second may end after any field
constexpr std::uint32_t os2_2 = 64;
constexpr std::uint32_t windows_2 = 52;  ///< the first with masks inside
constexpr std::uint32_t windows_3 = 56;  ///< the first with a mask for alpha
constexpr std::uint32_t windows_4 = 108;
constexpr std::uint32_t windows_5 = 124;

/// The numbers of the header, from its length on. What lies beyond a short header is 0.
class Fields {
public:
    Fields(ByteSpan file, std::uint64_t at) : bytes_(file, false), at_(at), length_(bytes_.u32(at)) {
        const bool known = length_ == os2_1 || (length_ >= os2_2_least && length_ <= os2_2) ||
                           length_ == windows_4 || length_ == windows_5;
        if (!known) {
            unsupported(fmt::format("BMP header of {} bytes found; {}, {} to {}, {} or {} expected", length_,
                                    os2_1, os2_2_least, os2_2, windows_4, windows_5));
        }
        static_cast<void>(bytes_.part(at, length_));
    }
    [[nodiscard]] std::uint32_t length() const { return length_; }
    [[nodiscard]] std::uint64_t end() const { return at_ + length_; }
    [[nodiscard]] std::uint32_t u16(std::uint32_t offset) const {
        return offset + 2 <= length_ ? bytes_.u16(at_ + offset) : 0;
    }
    [[nodiscard]] std::uint32_t u32(std::uint32_t offset) const {
        return offset + 4 <= length_ ? bytes_.u32(at_ + offset) : 0;
    }

private:
    Bytes bytes_;
    std::uint64_t at_;
    std::uint32_t length_;
};

BmpCompression compression_of(std::uint32_t number, unsigned bits) {
    switch (number) {
        case 0:
        case 3:
        case 6:
            if (number == 3 && bits == 1) {
                unsupported("BMP of OS/2's Huffman 1D compression");
            }
            return BmpCompression::raw;
        case 1:
            return BmpCompression::rle8;
        case 2:
            return BmpCompression::rle4;
        case 4:
            return bits == 24 ? BmpCompression::rle24 : BmpCompression::jpeg;
        case 5:
            return BmpCompression::png;
        default:
            unsupported(fmt::format("BMP compression {} found; 0 to 6 expected", number));
    }
}

/// RLE is of one depth each; JPEG and PNG know their own.
void check_bits(const BmpHeader& header) {
    const unsigned bits = header.bits;
    const bool known = header.compression == BmpCompression::raw
                           ? (std::has_single_bit(bits) && bits <= 64) || bits == 24
                       : header.compression == BmpCompression::rle4
                           ? bits == 4
                           : header.compression != BmpCompression::rle8 || bits == 8;
    if (!known) {
        corrupt(fmt::format("BMP of {} bits a pixel found, where its compression has none such", bits));
    }
}

/// Each mask is one run of ones within the pixel, and no two share a bit.
void check_masks(const BmpHeader& header) {
    std::uint32_t seen = 0;
    for (const std::uint32_t mask : header.masks) {
        const std::uint64_t run =
            mask == 0 ? 0 : std::uint64_t{mask} >> static_cast<unsigned>(std::countr_zero(mask));
        if ((run & (run + 1)) != 0 || (seen & mask) != 0 || std::uint64_t{mask} >> header.bits != 0) {
            corrupt(fmt::format("BMP masks {:x}, {:x}, {:x}, {:x} found; runs of bits within {} expected",
                                header.masks[0], header.masks[1], header.masks[2], header.masks[3],
                                header.bits));
        }
        seen |= mask;
    }
    if (seen == 0) {
        corrupt("BMP masks that are all 0");
    }
}

/// Returns where the palette begins, for masks that stand behind a header of 40 bytes come before it.
std::uint64_t read_masks(BmpHeader& header, const Fields& fields, std::uint32_t compression,
                         const Bytes& bytes) {
    std::uint64_t end = fields.end();
    if (compression == 0) {
        header.masks = header.bits == 16 ? std::array<std::uint32_t, 4>{0x7c00, 0x03e0, 0x001f, 0}
                                         : std::array<std::uint32_t, 4>{0xff0000, 0xff00, 0xff, 0};
        return end;
    }
    constexpr std::uint32_t masks_at = 40;
    for (std::uint32_t i = 0; i < header.masks.size(); ++i) {
        const bool inside = fields.length() >= windows_2;
        const bool there = i < 3 || compression == 6 || fields.length() >= windows_3;
        if (inside && there) {
            header.masks[i] = fields.u32(masks_at + 4 * i);
        } else if (there) {
            header.masks[i] = bytes.u32(end);
            end += 4;
        }
    }
    check_masks(header);
    return end;
}

/// stated: colours by the header, or 0. The palette ends where the picture begins at the latest.
void read_palette(BmpHeader& header, std::uint64_t at, std::uint64_t entry, std::uint64_t stated,
                  const Bytes& bytes) {
    const std::uint64_t most = std::uint64_t{1} << header.bits;
    std::uint64_t count = stated == 0 ? most : std::min(stated, most);
    if (header.data_at >= at + entry) {
        count = std::min(count, (header.data_at - at) / entry);
    } else {
        header.data_at = at + count * entry;  // not stated, or nonsense: right behind the palette
    }
    const ByteSpan colours = bytes.part(at, count * entry);
    for (std::uint64_t i = 0; i < count; ++i) {
        const auto value = [&](std::uint64_t channel) {
            return std::to_integer<std::uint8_t>(colours[i * entry + channel]);
        };
        header.palette.push_back({value(2), value(1), value(0)});
    }
}

}  // namespace

BmpHeader read_bmp_header(ByteSpan file, std::uint64_t at) {
    const Bytes bytes(file, false);
    const Fields fields(file, at + 14);
    BmpHeader header;
    header.data_at = bytes.u32(at + 10);
    const bool first = fields.length() == os2_1;
    std::int64_t width = 0;
    std::int64_t height = 0;
    if (first) {
        width = fields.u16(4);
        height = fields.u16(6);
    } else {
        width = static_cast<std::int32_t>(fields.u32(4));
        height = static_cast<std::int32_t>(fields.u32(8));
    }
    if (width < 0) {
        corrupt(fmt::format("BMP {} pixels wide", width));
    }
    header.width = static_cast<std::uint64_t>(width);
    header.top_down = height < 0;
    header.height = static_cast<std::uint64_t>(height < 0 ? -height : height);
    header.bits = first ? fields.u16(10) : fields.u16(14);
    const std::uint32_t compression = first ? 0 : fields.u32(16);
    header.compression = compression_of(compression, header.bits);
    check_bits(header);
    if (header.compression == BmpCompression::jpeg || header.compression == BmpCompression::png) {
        return header;
    }
    if (header.bits <= 8) {
        if (compression == 3 || compression == 6) {
            corrupt(fmt::format("BMP with masks for {} bits a pixel", header.bits));
        }
        read_palette(header, fields.end(), first ? 3 : 4, first ? 0 : fields.u32(32), bytes);
    } else if (header.compression == BmpCompression::raw && header.bits <= 32) {
        const std::uint64_t end = read_masks(header, fields, compression, bytes);
        header.data_at = std::max(header.data_at, end);
    }
    return header;
}

}  // namespace stackae::data

#include "image/exif.hpp"

#include <fmt/format.h>
#include <opencv2/core.hpp>
#include <string_view>

namespace stackae::image {
namespace {

constexpr std::uint16_t orientation_tag = 274;
constexpr std::uint64_t most_numbers = std::uint64_t{1} << 26U;

bool is_big_endian(ByteSpan file) {
    return Bytes(file, false).has(0, "MM");
}

/// Bytes of a number of a type; 0 for types that are no whole numbers.
std::uint64_t width_of(std::uint16_t type) {
    switch (type) {
        case 1:
            return 1;  // BYTE
        case 3:
            return 2;  // SHORT
        case 4:
            return 4;  // LONG
        case 16:
            return 8;  // LONG8
        default:
            return 0;
    }
}

}  // namespace

TiffDirectory::TiffDirectory(ByteSpan file, std::uint64_t offset) : bytes_(file, is_big_endian(file)) {
    const std::uint16_t magic = bytes_.u16(2);
    if (!(bytes_.has(0, "II") || bytes_.has(0, "MM")) || (magic != 42 && magic != 43)) {
        throw BadPicture(PictureStatus::corrupt, "no TIFF header");
    }
    big_ = magic == 43;
    const std::uint64_t directory = offset != 0 ? offset : big_ ? bytes_.u64(8) : bytes_.u32(4);
    const std::uint64_t count = big_ ? bytes_.u64(directory) : bytes_.u16(directory);
    const std::uint64_t first = directory + (big_ ? 8 : 2);
    const std::uint64_t entry_size = big_ ? 20 : 12;
    if (count > bytes_.size() / entry_size) {
        throw BadPicture(PictureStatus::corrupt,
                         fmt::format("TIFF directory of {} entries in {} bytes", count, bytes_.size()));
    }
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t at = first + i * entry_size;
        entries_.push_back({bytes_.u16(at), bytes_.u16(at + 2),
                            big_ ? bytes_.u64(at + 4) : bytes_.u32(at + 4), at + (big_ ? 12 : 8)});
    }
    const std::uint64_t end = first + count * entry_size;
    const bool whole = end <= bytes_.size() && bytes_.size() - end >= (big_ ? 8 : 4);
    next_ = !whole ? 0 : big_ ? bytes_.u64(end) : bytes_.u32(end);
}

std::vector<std::uint64_t> TiffDirectory::numbers(std::uint16_t tag) const {
    std::vector<std::uint64_t> values;
    for (const Entry& entry : entries_) {
        const std::uint64_t width = width_of(entry.type);
        if (entry.tag != tag || width == 0) {
            continue;
        }
        if (entry.count > most_numbers || entry.count * width > bytes_.size()) {
            throw BadPicture(PictureStatus::corrupt, fmt::format("TIFF tag {} of {} values in {} bytes", tag,
                                                                 entry.count, bytes_.size()));
        }
        const bool inside = entry.count * width <= (big_ ? 8U : 4U);
        std::uint64_t at = inside ? entry.at : (big_ ? bytes_.u64(entry.at) : bytes_.u32(entry.at));
        values.reserve(entry.count);
        for (std::uint64_t i = 0; i < entry.count; ++i, at += width) {
            values.push_back(width == 1   ? bytes_.u8(at)
                             : width == 2 ? bytes_.u16(at)
                             : width == 4 ? bytes_.u32(at)
                                          : bytes_.u64(at));
        }
        return values;
    }
    return values;
}

std::uint64_t TiffDirectory::number(std::uint16_t tag, std::uint64_t otherwise) const {
    const std::vector<std::uint64_t> values = numbers(tag);
    return values.empty() ? otherwise : values.front();
}

int exif_orientation(ByteSpan block) {
    using namespace std::string_view_literals;
    if (Bytes(block, false).has(0, "Exif\0\0"sv)) {
        block = block.subspan(6);
    }
    try {
        const std::uint64_t value = TiffDirectory(block).number(orientation_tag, 1);
        return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    } catch (const BadPicture&) {
        return 1;
    }
}

void turn_upright(cv::Mat& pixels, int orientation) {
    if (orientation >= 5) {  // 5 to 8 are stored with rows for columns
        pixels = pixels.t();
    }
    switch (orientation) {
        case 2:
        case 6:
            cv::flip(pixels, pixels, 1);
            break;
        case 3:
        case 7:
            cv::flip(pixels, pixels, -1);
            break;
        case 4:
        case 8:
            cv::flip(pixels, pixels, 0);
            break;
        default:
            break;
    }
}

}  // namespace stackae::image

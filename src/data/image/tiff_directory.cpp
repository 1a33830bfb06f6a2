#include "data/image/tiff_directory.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace stackae::data {
namespace {

/// More are refused, by libtiff too. A BigTIFF could name any number.
constexpr std::uint64_t max_entries = 65535;

/// Bytes of a whole number of a type; 0 for types that are none.
std::uint64_t width_of_number(std::uint16_t type) {
    switch (type) {
        case 1:
            return 1;  // BYTE
        case 3:
            return 2;  // SHORT
        case 4:
        case 13:
            return 4;  // LONG, IFD
        case 16:
        case 18:
            return 8;  // LONG8, IFD8
        default:
            return 0;
    }
}

std::uint64_t width_of_text(std::uint16_t type) {
    return type == 2 ? 1 : 0;  // ASCII
}

}  // namespace

TiffHeader::TiffHeader(const RandomAccess& file)
    : bytes(file.read(0, std::min<std::uint64_t>(file.size(), 16))),
      big_endian(Bytes(bytes, false).has(0, "MM")) {
    const Bytes content(bytes, big_endian);
    const std::uint16_t magic = content.u16(2);
    if (!(content.has(0, "II") || content.has(0, "MM")) || (magic != 42 && magic != 43)) {
        corrupt("no TIFF header");
    }
    big = magic == 43;
    first = big ? content.u64(8) : content.u32(4);
}

TiffDirectory::TiffDirectory(const RandomAccess& file, const TiffHeader& header, std::uint64_t offset)
    : file_(file), big_endian_(header.big_endian), big_(header.big) {
    constexpr std::uint64_t first_read = 512;  // most directories are smaller
    const std::uint64_t count_bytes = big_ ? 8 : 2;
    const std::uint64_t entry_bytes = big_ ? 20 : 12;
    const std::uint64_t next_bytes = big_ ? 8 : 4;
    check_inside(file.size(), offset, count_bytes);
    const std::uint64_t left = file.size() - offset;
    content_ = file.read(offset, std::min(first_read, left));
    count_ = big_ ? content().u64(0) : content().u16(0);
    if (count_ > std::min(max_entries, (left - count_bytes) / entry_bytes)) {
        corrupt(fmt::format("TIFF directory of {} entries in {} bytes", count_, left));
    }
    const std::uint64_t end = count_bytes + count_ * entry_bytes;
    const std::uint64_t whole = std::min(end + next_bytes, left);
    if (whole > content_.size()) {
        content_ = file.read(offset, whole);
    }
    if (end + next_bytes <= content_.size()) {  // else the file ends with its last directory
        next_ = big_ ? content().u64(end) : content().u32(end);
    }
}

std::optional<TiffDirectory::Entry> TiffDirectory::find(std::uint16_t tag,
                                                        std::uint64_t (*width_of)(std::uint16_t)) const {
    const std::uint64_t entry_bytes = big_ ? 20 : 12;
    std::uint64_t at = big_ ? 8 : 2;
    for (std::uint64_t i = 0; i < count_; ++i, at += entry_bytes) {
        const std::uint64_t width = width_of(content().u16(at + 2));
        if (content().u16(at) == tag && width > 0) {
            return Entry{width, big_ ? content().u64(at + 4) : content().u32(at + 4), at + (big_ ? 12 : 8)};
        }
    }
    return std::nullopt;
}

std::vector<std::byte> TiffDirectory::values(std::uint16_t tag, const Entry& entry,
                                             std::uint64_t most) const {
    if (entry.count > file_.size() / entry.width) {
        corrupt(fmt::format("TIFF tag {} of {} values in {} bytes", tag, entry.count, file_.size()));
    }
    const std::uint64_t bytes = std::min(entry.count, most) * entry.width;
    if (entry.count * entry.width <= (big_ ? 8U : 4U)) {
        const ByteSpan inside = content().part(entry.at, bytes);
        return {inside.begin(), inside.end()};
    }
    const std::uint64_t offset = big_ ? content().u64(entry.at) : content().u32(entry.at);
    check_inside(file_.size(), offset, entry.count * entry.width);
    return file_.read(offset, bytes);
}

std::vector<std::uint64_t> TiffDirectory::numbers(std::uint16_t tag, std::uint64_t most) const {
    std::vector<std::uint64_t> result;
    const std::optional<Entry> entry = find(tag, width_of_number);
    if (!entry) {
        return result;
    }
    const std::vector<std::byte> bytes = values(tag, *entry, most);
    const Bytes content(bytes, big_endian_);
    for (std::uint64_t at = 0; at < bytes.size(); at += entry->width) {
        result.push_back(entry->width == 1   ? content.u8(at)
                         : entry->width == 2 ? content.u16(at)
                         : entry->width == 4 ? content.u32(at)
                                             : content.u64(at));
    }
    return result;
}

std::uint64_t TiffDirectory::number(std::uint16_t tag, std::uint64_t otherwise) const {
    const std::vector<std::uint64_t> first = numbers(tag, 1);
    return first.empty() ? otherwise : first.front();
}

std::string TiffDirectory::text(std::uint16_t tag, std::uint64_t most) const {
    const std::optional<Entry> entry = find(tag, width_of_text);
    if (!entry) {
        return {};
    }
    const std::vector<std::byte> bytes = values(tag, *entry, most);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace stackae::data

#include "image/tiff_pages.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <optional>
#include <unordered_set>

namespace stackae::image {
namespace {

constexpr std::uint64_t first_read = 512;  // of a directory; most are smaller
constexpr std::uint16_t new_subfile_type = 254;
constexpr std::uint16_t old_subfile_type = 255;

struct Directory {
    bool page = true;
    std::uint64_t next = 0;
};

/// Follows the chain of one file.
class Chain {
public:
    Chain(std::uint64_t size, const ReadAt& read) : size_(size), read_(read) {}

    /// The offset of the first directory; nothing where this is no TIFF.
    std::optional<std::uint64_t> first() {
        if (size_ < 8) {
            return std::nullopt;
        }
        std::array<std::byte, 16> head{};
        const ByteSpan found = std::span(head).first(std::min<std::uint64_t>(size_, head.size()));
        read_(0, std::span(head).first(found.size()));
        big_endian_ = Bytes(found, false).has(0, "MM");
        const Bytes bytes(found, big_endian_);
        const std::uint16_t magic = bytes.u16(2);
        big_ = magic == 43;
        if ((!big_endian_ && !bytes.has(0, "II")) || (!big_ && magic != 42) || (big_ && size_ < 16)) {
            return std::nullopt;
        }
        return big_ ? bytes.u64(8) : bytes.u32(4);
    }

    /// Nothing where it does not lie in the file.
    std::optional<Directory> directory(std::uint64_t at) {
        const std::uint64_t count_bytes = big_ ? 8 : 2;
        const std::uint64_t entry_bytes = big_ ? 20 : 12;
        if (at > size_ || size_ - at < count_bytes) {
            return std::nullopt;
        }
        buffer_.resize(std::min(first_read, size_ - at));
        read_(at, buffer_);
        const std::uint64_t count = big_ ? bytes().u64(0) : bytes().u16(0);
        if (count == 0 || count > (size_ - at - count_bytes) / entry_bytes) {
            return std::nullopt;
        }
        const std::uint64_t end = count_bytes + count * entry_bytes;
        if (end + (big_ ? 8 : 4) > buffer_.size()) {
            buffer_.resize(std::min(end + (big_ ? 8 : 4), size_ - at));
            read_(at, buffer_);
        }
        Directory result;
        for (std::uint64_t entry = count_bytes; entry < end; entry += entry_bytes) {
            const std::uint16_t tag = bytes().u16(entry);
            const std::uint64_t value = entry + (big_ ? 12 : 8);
            if (tag == new_subfile_type) {
                result.page =
                    ((bytes().u16(entry + 2) == 3 ? bytes().u16(value) : bytes().u32(value)) & 5U) == 0;
            } else if (tag == old_subfile_type) {
                result.page = bytes().u16(value) != 2;
            }
        }
        if (end + (big_ ? 8 : 4) <= buffer_.size()) {  // else the file ends with its last directory
            result.next = big_ ? bytes().u64(end) : bytes().u32(end);
        }
        return result;
    }

private:
    [[nodiscard]] Bytes bytes() const { return {buffer_, big_endian_}; }

    std::uint64_t size_;
    const ReadAt& read_;
    bool big_endian_ = false;
    bool big_ = false;
    std::vector<std::byte> buffer_;
};

}  // namespace

std::vector<std::uint64_t> tiff_pages(std::uint64_t size, const ReadAt& read) {
    Chain chain(size, read);
    const std::optional<std::uint64_t> first = chain.first();
    std::vector<std::uint64_t> pages;
    if (!first) {
        return pages;
    }
    std::unordered_set<std::uint64_t> seen;
    for (std::uint64_t at = *first; at != 0 && seen.insert(at).second;) {
        const std::optional<Directory> directory = chain.directory(at);
        if (!directory) {
            break;
        }
        if (seen.size() > most_tiff_pages) {
            unsupported(fmt::format("TIFF of more than {} pages", most_tiff_pages));
        }
        if (directory->page) {
            pages.push_back(at);
        }
        at = directory->next;
    }
    if (pages.empty() && !seen.empty()) {
        pages.push_back(*first);
    }
    return pages;
}

std::vector<std::uint64_t> tiff_pages(ByteSpan file) {
    return tiff_pages(file.size(), [file](std::uint64_t offset, std::span<std::byte> bytes) {
        std::memcpy(bytes.data(), file.subspan(offset, bytes.size()).data(), bytes.size());
    });
}

}  // namespace stackae::image

#include "data/image/tiff_pages.hpp"

#include <fmt/format.h>
#include <optional>
#include <unordered_set>

#include "data/image/tiff_directory.hpp"
#include "data/image/tiff_slices.hpp"

namespace stackae::data {
namespace {

constexpr std::uint16_t new_subfile_type = 254;
constexpr std::uint16_t old_subfile_type = 255;
constexpr std::uint64_t reduced_or_mask = 5;  // of the new type
constexpr std::uint64_t reduced = 2;          // of the old one

[[noreturn]] void refuse_so_many() {
    unsupported(fmt::format("TIFF of more than {} pages", most_tiff_pages));
}

/// Nothing where this is no TIFF.
std::optional<TiffHeader> header_of(const RandomAccess& file) {
    try {
        return TiffHeader(file);
    } catch (const BadPicture&) {
        return std::nullopt;
    }
}

/// Nothing where it does not lie in the file.
std::optional<TiffDirectory> directory_at(const RandomAccess& file, const TiffHeader& header,
                                          std::uint64_t offset) {
    try {
        return TiffDirectory(file, header, offset);
    } catch (const BadPicture&) {
        return std::nullopt;
    }
}

bool is_page(const TiffDirectory& directory) {
    try {
        return (directory.number(new_subfile_type, 0) & reduced_or_mask) == 0 &&
               directory.number(old_subfile_type, 0) != reduced;
    } catch (const BadPicture&) {
        return true;  // reading it will say what is wrong
    }
}

}  // namespace

std::vector<Page> tiff_pages(const RandomAccess& file) {
    std::vector<Page> pages;
    const std::optional<TiffHeader> header = header_of(file);
    if (!header) {
        return pages;
    }
    std::unordered_set<std::uint64_t> seen;
    std::optional<TiffSlices> slices;
    for (std::uint64_t at = header->first; at != 0 && seen.insert(at).second;) {
        const std::optional<TiffDirectory> directory = directory_at(file, *header, at);
        if (!directory || directory->empty()) {
            break;
        }
        if (seen.size() > most_tiff_pages) {
            refuse_so_many();
        }
        if (is_page(*directory)) {
            pages.push_back({at});
        }
        at = directory->next();
        if (seen.size() == 1) {
            slices = tiff_slices(file, *directory);
        }
    }
    if (pages.empty() && !seen.empty()) {
        pages.push_back({header->first});
    }
    if (slices && slices->whole) {
        if (slices->count > most_tiff_pages) {
            refuse_so_many();
        }
        for (std::uint64_t slice = 1; slice < slices->count; ++slice) {
            pages.push_back({header->first, slice * slices->bytes});
        }
    }
    return pages;
}

}  // namespace stackae::data

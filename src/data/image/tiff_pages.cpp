#include "data/image/tiff_pages.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <string>
#include <unordered_set>

namespace stackae::data {
namespace {

constexpr std::uint16_t new_subfile_type = 254;
constexpr std::uint16_t old_subfile_type = 255;
constexpr std::uint16_t width_tag = 256;
constexpr std::uint16_t height_tag = 257;
constexpr std::uint16_t bits_tag = 258;
constexpr std::uint16_t compression_tag = 259;
constexpr std::uint16_t photometric_tag = 262;
constexpr std::uint16_t description_tag = 270;
constexpr std::uint16_t strip_offsets_tag = 273;
constexpr std::uint16_t samples_tag = 277;
constexpr std::uint16_t sub_directories_tag = 330;
constexpr std::uint16_t dng_version_tag = 50706;
constexpr std::uint64_t reduced_or_mask = 5;  // of the new type
constexpr std::uint64_t reduced = 2;          // of the old one
constexpr std::uint64_t uncompressed = 1;
constexpr std::uint64_t colour_filters = 32803;  ///< TIFF/EP: a colour a pixel, by a filter before the sensor
constexpr std::uint64_t linear_raw = 34892;      ///< DNG: a sensor's values without such a filter

[[noreturn]] void refuse_so_many() {
    unsupported(fmt::format("TIFF of more than {} pages", max_tiff_pages));
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

/// As the lines "ImageJ=1.54f" and "images=512" say; 1 where there are none such.
std::uint64_t slices_described(const std::string& description) {
    const std::string key = "\nimages=";
    const std::size_t at = description.find(key);
    std::uint64_t count = 1;
    if (description.starts_with("ImageJ=") && at != std::string::npos) {
        std::from_chars(description.data() + at + key.size(), description.data() + description.size(), count);
    }
    return count;
}

/// Bytes of the picture; 0 where the file has less, or their number is none of ImageJ's.
std::uint64_t bytes_of(const TiffDirectory& directory, std::uint64_t most) {
    const std::uint64_t width = directory.number(width_tag, 0);
    const std::uint64_t height = directory.number(height_tag, 0);
    const std::uint64_t bits = directory.number(bits_tag, 0);
    const std::uint64_t samples = directory.number(samples_tag, 1);
    if (width == 0 || height == 0 || (bits != 8 && bits != 16 && bits != 32) || samples == 0 || samples > 4) {
        return 0;
    }
    const std::uint64_t pixel = bits / 8 * samples;
    return width <= most / pixel && height <= most / (pixel * width) ? pixel * width * height : 0;
}

bool is_sensor(const TiffDirectory& directory) {
    const std::uint64_t photometric = directory.number(photometric_tag, 0);
    return photometric == colour_filters || photometric == linear_raw;
}

bool holds_sensor(const RandomAccess& file, const TiffHeader& header, std::uint64_t directory) {
    try {
        return is_sensor(TiffDirectory(file, header, directory));
    } catch (const BadPicture&) {
        return false;  // no directory, and so no reason to refuse the page
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
        if (seen.size() > max_tiff_pages) {
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
        if (slices->count > max_tiff_pages) {
            refuse_so_many();
        }
        for (std::uint64_t slice = 1; slice < slices->count; ++slice) {
            pages.push_back({header->first, slice * slices->bytes});
        }
    }
    return pages;
}

std::optional<TiffSlices> tiff_slices(const RandomAccess& file, const TiffDirectory& directory) {
    constexpr std::uint64_t max_description = 4096;  // ImageJ's is some 100 characters
    try {
        if (directory.next() != 0 || directory.number(compression_tag, uncompressed) != uncompressed) {
            return std::nullopt;
        }
        TiffSlices slices{slices_described(directory.text(description_tag, max_description))};
        if (slices.count <= 1) {
            return std::nullopt;
        }
        const std::vector<std::uint64_t> strips = directory.numbers(strip_offsets_tag, 2);
        if (strips.size() != 1 || strips.front() > file.size()) {
            return std::nullopt;
        }
        const std::uint64_t most = file.size() - strips.front();
        slices.bytes = bytes_of(directory, most);
        slices.whole = slices.bytes > 0 && slices.count <= most / slices.bytes;
        return slices.bytes > 0 ? std::optional(slices) : std::nullopt;
    } catch (const BadPicture&) {  // reading the first slice will say what is wrong
        return std::nullopt;
    }
}

bool is_camera_raw(const RandomAccess& file, const TiffHeader& header, const TiffDirectory& directory) {
    constexpr std::uint64_t canon_at = 8;
    if (Bytes(header.bytes, false).has(canon_at, "CR\2") || directory.number(dng_version_tag, 0) != 0 ||
        is_sensor(directory)) {
        return true;
    }
    const std::vector<std::uint64_t> below = directory.numbers(sub_directories_tag);
    return std::any_of(below.begin(), below.end(),
                       [&](std::uint64_t at) { return at != 0 && holds_sensor(file, header, at); });
}

}  // namespace stackae::data

#include "data/image/tiff_slices.hpp"

#include <charconv>
#include <string>

namespace stackae::data {
namespace {

constexpr std::uint16_t width_tag = 256;
constexpr std::uint16_t height_tag = 257;
constexpr std::uint16_t bits_tag = 258;
constexpr std::uint16_t compression_tag = 259;
constexpr std::uint16_t description_tag = 270;
constexpr std::uint16_t strip_offsets_tag = 273;
constexpr std::uint16_t samples_tag = 277;
constexpr std::uint64_t uncompressed = 1;

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

}  // namespace

std::optional<TiffSlices> tiff_slices(const RandomAccess& file, const TiffDirectory& directory) {
    constexpr std::uint64_t most_description = 4096;  // ImageJ's is some 100 characters
    try {
        if (directory.next() != 0 || directory.number(compression_tag, uncompressed) != uncompressed) {
            return std::nullopt;
        }
        TiffSlices slices{slices_described(directory.text(description_tag, most_description))};
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

}  // namespace stackae::data

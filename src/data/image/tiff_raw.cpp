#include "data/image/tiff_raw.hpp"

#include <algorithm>

namespace stackae::data {
namespace {

constexpr std::uint16_t photometric_tag = 262;
constexpr std::uint16_t sub_directories_tag = 330;
constexpr std::uint16_t dng_version_tag = 50706;
constexpr std::uint64_t colour_filters = 32803;  ///< TIFF/EP: a colour a pixel, by a filter before the sensor
constexpr std::uint64_t linear_raw = 34892;      ///< DNG: a sensor's values without such a filter

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

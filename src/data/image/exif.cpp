#include "data/image/exif.hpp"

#include <opencv2/core.hpp>
#include <string_view>
#include <vector>

#include "data/image/tiff_directory.hpp"

namespace stackae::data {
namespace {

constexpr std::uint16_t orientation_tag = 274;

}  // namespace

int exif_orientation(ByteSpan block) {
    using namespace std::string_view_literals;
    if (Bytes(block, false).has(0, "Exif\0\0"sv)) {
        block = block.subspan(6);
    }
    try {
        const RandomAccess file(block);
        const TiffHeader header(file);
        const std::uint64_t value = TiffDirectory(file, header, header.first).number(orientation_tag, 1);
        return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
    } catch (const BadPicture&) {
        return 1;
    }
}

void turn_upright(cv::Mat& pixels, int orientation) {
    if (pixels.channels() > 4 && orientation >= 2) {  // OpenCV does not turn pixels of any size
        std::vector<cv::Mat> channels;
        cv::split(pixels, channels);
        for (cv::Mat& channel : channels) {
            turn_upright(channel, orientation);
        }
        cv::merge(channels, pixels);
        return;
    }
    if (orientation >= 5) {  // 5 to 8 are stored with rows for columns
        pixels = pixels.t();
    }
    if (orientation >= 2 && orientation <= 8 && orientation != 5) {
        const int which = orientation % 4;  // columns, both, rows, as OpenCV numbers them
        cv::flip(pixels, pixels, which == 2 ? 1 : which == 3 ? -1 : 0);
    }
}

}  // namespace stackae::data

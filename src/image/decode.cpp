#include "image/decode.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <opencv2/imgproc.hpp>

#include "core/file_io.hpp"
#include "image/codecs.hpp"
#include "image/format.hpp"
#include "image/jpeg.hpp"
#include "image/png.hpp"

namespace stackae::image {
namespace {

cv::Mat decode_with_opencv(ByteSpan file) {
    cv::Mat pixels;
    try {
        pixels = decode_by_opencv(file);
    } catch (const cv::Exception& error) {
        throw BadPicture(PictureStatus::corrupt, fmt::format("cannot be decoded: {}", error.err));
    }
    if (pixels.empty()) {
        throw BadPicture(PictureStatus::corrupt, "cannot be decoded: damaged, or of a rare kind");
    }
    return pixels;
}

/// To 8U, 16U or 32F; returns the value that stands for 1.
double settle_depth(cv::Mat& pixels) {
    switch (pixels.depth()) {
        case CV_8U:
            return 255.0;
        case CV_16U:
            return 65535.0;
        case CV_32F:
        case CV_64F:
            pixels.convertTo(pixels, CV_32F);
            check_unit_range(pixels);
            return 1.0;
        default:
            throw BadPicture(PictureStatus::unsupported,
                             "signed or 32-bit whole numbers found; 8 or 16 bits or floats expected");
    }
}

void settle_channels(cv::Mat& pixels) {
    if (pixels.channels() == 2) {  // gray and alpha
        cv::Mat four(pixels.size(), CV_MAKETYPE(pixels.depth(), 4));
        cv::mixChannels(pixels, four, {0, 0, 0, 1, 0, 2, 1, 3});
        pixels = four;
    }
    if (pixels.channels() != 1 && pixels.channels() != 3 && pixels.channels() != 4) {
        throw BadPicture(PictureStatus::unsupported,
                         fmt::format("{} channels found; 1 to 4 expected", pixels.channels()));
    }
}

/// A BMP's fourth byte is often left 0 by programs that know no alpha.
void drop_unset_alpha(cv::Mat& pixels) {
    cv::Mat alpha;
    cv::extractChannel(pixels, alpha, 3);
    if (cv::countNonZero(alpha) == 0) {
        cv::cvtColor(pixels, pixels, cv::COLOR_BGRA2BGR);
    }
}

}  // namespace

void check_unit_range(const cv::Mat& pixels) {
    const int row = pixels.cols * pixels.channels();
    for (int y = 0; y < pixels.rows; ++y) {
        const auto* values = pixels.ptr<float>(y);
        for (int x = 0; x < row; ++x) {
            if (!(values[x] >= 0.0F && values[x] <= 1.0F)) {
                throw BadPicture(PictureStatus::unsupported,
                                 fmt::format("value {} found; floats in [0, 1] expected", values[x]));
            }
        }
    }
}

Picture decode(ByteSpan file, const PictureLimits& limits, const Recipe* recipe) {
    const Format format = detect_format(file);
    if (format == Format::jpeg) {
        return decode_jpeg(file, limits, recipe);
    }
    const PictureHeader header = inspect(file, format);
    if (header.pixels > static_cast<std::uint64_t>(limits.max_pixels)) {
        throw BadPicture(PictureStatus::too_large,
                         fmt::format("{} × {} pixels found, at most {} in all expected", header.width,
                                     header.height, limits.max_pixels));
    }
    Picture picture;
    if (format == Format::png) {
        picture.pixels = header.extras ? decode_png(bare_png(file)) : decode_png(file);
    } else {
        picture.pixels = decode_with_opencv(file);
    }
    picture.white = settle_depth(picture.pixels);
    picture.bgr = format != Format::png;
    settle_channels(picture.pixels);
    if (header.white) {
        picture.white = *header.white;
    }
    if (picture.pixels.channels() == 4) {
        // libtiff multiplies by alpha itself where it decodes to 8 bits.
        picture.premultiplied =
            format == Format::tiff && (header.premultiplied || picture.pixels.depth() == CV_8U);
        if (format == Format::bmp) {
            drop_unset_alpha(picture.pixels);
        }
    }
    if (header.white_is_zero && picture.pixels.depth() == CV_16U && picture.pixels.channels() == 1) {
        cv::bitwise_not(picture.pixels, picture.pixels);  // OpenCV does so for 8 bits only
    }
    turn_upright(picture.pixels, header.orientation);
    return picture;
}

Picture decode_file(const std::string& path, const PictureLimits& limits, const Recipe* recipe) {
    const auto most = std::min<std::uint64_t>(
        std::numeric_limits<int>::max(), static_cast<std::uint64_t>(limits.max_pixels) * 16 + (64U << 20U));
    const auto reason = [&](const IoError& failure) {
        const std::string text = failure.what();
        return text.starts_with(path + ": ") ? text.substr(path.size() + 2) : text;
    };
    std::vector<std::byte> file;
    try {
        file = core::read_file(path, most);
    } catch (const core::FileTooLarge& failure) {
        throw BadPicture(PictureStatus::too_large, reason(failure));
    } catch (const IoError& failure) {
        std::error_code error;
        const bool missing = !std::filesystem::exists(path, error) && !error;
        throw BadPicture(missing ? PictureStatus::missing : PictureStatus::unreadable, reason(failure));
    }
    return decode(file, limits, recipe);
}

}  // namespace stackae::image

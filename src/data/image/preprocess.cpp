#include "data/image/preprocess.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <opencv2/imgproc.hpp>

#include "base/rows.hpp"

namespace stackae::data {
namespace {

/// Where a picture's pixels land in the preprocessing's frame; the rest of it is background.
struct Placement {
    cv::Rect cut;    ///< of the picture
    cv::Rect place;  ///< in the frame
};

int scaled(double length, double scale, int most) {
    return std::clamp(static_cast<int>(std::lround(length * scale)), 1, most);
}

Placement placement(const Preprocessing& preprocessing, int width, int height) {
    Placement result{{0, 0, width, height}, {0, 0, preprocessing.width, preprocessing.height}};
    const double by_width = static_cast<double>(preprocessing.width) / width;
    const double by_height = static_cast<double>(preprocessing.height) / height;
    if (preprocessing.resize == ResizeMode::border) {
        const double scale = std::min(by_width, by_height);
        result.place.width = scaled(width, scale, preprocessing.width);
        result.place.height = scaled(height, scale, preprocessing.height);
        result.place.x = (preprocessing.width - result.place.width) / 2;
        result.place.y = (preprocessing.height - result.place.height) / 2;
    } else if (preprocessing.resize == ResizeMode::center) {
        // Cut first, then scaled: a long thin picture is never blown up whole.
        const double scale = std::max(by_width, by_height);
        result.cut.width = scaled(preprocessing.width, 1.0 / scale, width);
        result.cut.height = scaled(preprocessing.height, 1.0 / scale, height);
        result.cut.x = (width - result.cut.width) / 2;
        result.cut.y = (height - result.cut.height) / 2;
    }
    return result;
}

/// Area averaging along the sides that shrink, then bilinear along those that grow. OpenCV does not
/// average at all when one side grows, hence the two steps.
cv::Mat resized(const cv::Mat& pixels, cv::Size size) {
    cv::Mat result = pixels;
    const cv::Size smaller(std::min(size.width, pixels.cols), std::min(size.height, pixels.rows));
    if (smaller != pixels.size()) {
        cv::Mat shrunk;
        cv::resize(result, shrunk, smaller, 0, 0, cv::INTER_AREA);
        result = shrunk;
    }
    if (size != smaller) {
        cv::Mat grown;
        cv::resize(result, grown, size, 0, 0, cv::INTER_LINEAR);
        result = grown;
    }
    return result;
}

/// Channel by channel where there are more than OpenCV promises to take at once.
cv::Mat resized_channels(const cv::Mat& pixels, cv::Size size) {
    if (pixels.channels() <= 4) {
        return resized(pixels, size);
    }
    std::vector<cv::Mat> channels;
    cv::split(pixels, channels);
    for (cv::Mat& channel : channels) {
        channel = resized(channel, size);
    }
    cv::Mat result;
    cv::merge(channels, result);
    return result;
}

/// Whole numbers that do not fill their type, of 5 or 12 bits say, to floats in [0, 1]: they would be rounded
/// to whole steps on the way.
Picture without_coarse_steps(const Picture& picture) {
    const int depth = picture.pixels.depth();
    const double full = depth == CV_8U ? 255.0 : depth == CV_16U ? 65535.0 : picture.white;
    if (picture.white == full) {
        return picture;
    }
    Picture result = picture;
    result.pixels = cv::Mat();
    picture.pixels.convertTo(result.pixels, CV_32F, 1.0 / picture.white);
    result.white = 1.0;
    return result;
}

template <class T>
bool is_opaque(const cv::Mat& pixels, float white) {
    const int channels = pixels.channels();
    for (int y = 0; y < pixels.rows; ++y) {
        const auto* row = pixels.ptr<T>(y);
        for (int x = 0; x < pixels.cols; ++x) {
            if (static_cast<float>(row[channels * (x + 1) - 1]) < white) {
                return false;
            }
        }
    }
    return true;
}

/// c · α + background · (1 − α), in floats, at most `most` times white.
template <class T>
cv::Mat blended(const Picture& picture, float background, float most) {
    const cv::Mat& pixels = picture.pixels;
    const auto white = static_cast<float>(picture.white);
    const int colours = pixels.channels() - 1;
    cv::Mat result(pixels.size(), CV_32FC(colours));
    for (int y = 0; y < pixels.rows; ++y) {
        const auto* from = pixels.ptr<T>(y);
        auto* to = result.ptr<float>(y);
        for (int x = 0; x < pixels.cols; ++x, from += colours + 1, to += colours) {
            const float alpha = std::min(1.0F, static_cast<float>(from[colours]) / white);
            const float behind = background * white * (1.0F - alpha);
            for (int c = 0; c < colours; ++c) {
                const float colour = static_cast<float>(from[c]) * (picture.premultiplied ? 1.0F : alpha);
                to[c] = std::min(most * white, colour + behind);
            }
        }
    }
    return result;
}

template <class T>
cv::Mat without_alpha(const Picture& picture, float background, float most) {
    if (!is_opaque<T>(picture.pixels, static_cast<float>(picture.white))) {
        return blended<T>(picture, background, most);
    }
    cv::Mat result;  // as the same picture without an alpha channel would come in
    if (picture.pixels.channels() == 2) {
        cv::extractChannel(picture.pixels, result, 0);
    } else {
        cv::cvtColor(picture.pixels, result, cv::COLOR_BGRA2BGR);
    }
    return result;
}

/// 1 or 3 channels, or those that are measured.
cv::Mat flattened(const Picture& picture, float background, float most = 1.0F) {
    if (picture.measured || picture.pixels.channels() % 2 == 1) {
        return picture.pixels;
    }
    return with_depth(picture.pixels.depth(),
                      [&]<class T>(T /*zero*/) { return without_alpha<T>(picture, background, most); });
}

/// Values over white, at most `most`, into their place, with the channels the preprocessing wants, red first.
template <class T>
void place_values(const cv::Mat& pixels, float white, const Preprocessing& preprocessing, cv::Rect place,
                  float most, float* out) {
    const auto unit = [white, most](T value) { return std::min(most, static_cast<float>(value) / white); };
    const int channels = preprocessing.channels;
    for (int y = 0; y < pixels.rows; ++y) {
        const auto* from = pixels.ptr<T>(y);
        float* to = out + (std::int64_t{place.y + y} * preprocessing.width + place.x) * channels;
        if (pixels.channels() == channels) {
            for (int i = 0; i < pixels.cols * channels; ++i) {
                to[i] = unit(from[i]);
            }
        } else {
            for (int x = 0; x < pixels.cols; ++x) {
                std::fill_n(to + 3 * x, 3, unit(from[x]));
            }
        }
    }
}

/// Numbers as files hold them, in place, to shares of their channel's range.
void scale_to_ranges(const Preprocessing& preprocessing, cv::Rect place, float* out) {
    const bool bounded = preprocessing.mean.empty();
    for (int y = 0; y < place.height; ++y) {
        float* value =
            out + (std::int64_t{place.y + y} * preprocessing.width + place.x) * preprocessing.channels;
        for (int x = 0; x < place.width; ++x) {
            for (const ChannelRange& range : preprocessing.ranges) {
                const float share = (*value - range.low) / (range.high - range.low);
                *value++ = bounded ? std::clamp(share, 0.0F, 1.0F) : share;
            }
        }
    }
}

std::string count_text(const Picture& picture) {
    const int channels = picture.pixels.channels();
    constexpr std::array<const char*, 4> colours{"gray", "gray, alpha", "R, G, B", "R, G, B, alpha"};
    return fmt::format("{} channel{}{}", channels, channels == 1 ? "" : "s",
                       picture.measured || channels > 4
                           ? ""
                           : fmt::format(" ({})", colours[static_cast<std::size_t>(channels - 1)]));
}

void standardise(const Preprocessing& preprocessing, std::span<float> out) {
    for (std::size_t i = 0; i < preprocessing.mean.size(); ++i) {
        const float value = out[i];
        out[i] = static_cast<float>(preprocessing.standardised(double{value}, i));
        if (!std::isfinite(out[i])) {
            unsupported(fmt::format("value {} at place {} is too far from the mean {} and the deviation {}",
                                    value, i, preprocessing.mean[i], preprocessing.deviation[i]));
        }
    }
}

}  // namespace

Picture with_channels_of(const Preprocessing& preprocessing, const Picture& picture) {
    const int found = picture.pixels.channels();
    const int wanted = preprocessing.channels;
    Picture taken = picture;
    if (preprocessing.measured) {
        if (found != wanted) {
            unsupported(fmt::format("{} found; {} channel{} expected", count_text(picture), wanted,
                                    wanted == 1 ? "" : "s"));
        }
        taken.measured = true;
        return taken;
    }
    if (picture.measured && picture.colours == 0) {
        unsupported(fmt::format("{} found that are no colours; {} expected", count_text(picture),
                                channels_text(preprocessing)));
    }
    if (picture.measured) {
        taken.measured = false;
        taken.pixels = cv::Mat(picture.pixels.size(), CV_MAKETYPE(picture.pixels.depth(), picture.colours));
        std::vector<int> from_to;
        for (int c = 0; c < picture.colours; ++c) {
            from_to.insert(from_to.end(), {c, c});
        }
        cv::mixChannels(&picture.pixels, 1, &taken.pixels, 1, from_to.data(),
                        static_cast<std::size_t>(picture.colours));
    }
    return taken;
}

void preprocess(const Preprocessing& preprocessing, const Picture& decoded, std::span<float> out) {
    const Picture taken = with_channels_of(preprocessing, decoded);
    check_range(taken, preprocessing.takes_any_number() ? ValueRange::finite : ValueRange::unit);
    const bool ranged = !preprocessing.ranges.empty();
    // Rounding on the way must not take a value above white, unless values may lie anywhere.
    const bool any = ranged || (!preprocessing.mean.empty() && taken.pixels.depth() == CV_32F);
    const float most = any ? std::numeric_limits<float>::infinity() : 1.0F;
    const Picture picture = ranged ? taken : without_coarse_steps(taken);
    cv::Mat pixels = flattened(picture, preprocessing.background, most);
    if (ranged) {  // whole numbers may use a small part of their type, and would be rounded on the way
        cv::Mat numbers;
        pixels.convertTo(numbers, CV_32F);
        pixels = numbers;
    }
    const Placement where = placement(preprocessing, pixels.cols, pixels.rows);
    if (where.cut.size() != pixels.size()) {
        pixels = pixels(where.cut);
    }
    if (!preprocessing.measured && preprocessing.channels == 1 && pixels.channels() == 3) {
        cv::Mat gray;
        cv::cvtColor(pixels, gray, cv::COLOR_RGB2GRAY);
        pixels = gray;
    }
    if (where.place.size() != pixels.size()) {
        pixels = resized_channels(pixels, where.place.size());
    }
    if (where.place.area() != preprocessing.width * preprocessing.height) {
        std::fill(out.begin(), out.end(), preprocessing.background);
    }
    const float white = ranged ? 1.0F : static_cast<float>(picture.white);
    with_depth(pixels.depth(), [&]<class T>(T /*zero*/) {
        place_values<T>(pixels, white, preprocessing, where.place, most, out.data());
    });
    if (ranged) {
        scale_to_ranges(preprocessing, where.place, out.data());
    }
    if (preprocessing.contrast) {
        base::contrast_normalize(out, double{preprocessing.contrast_epsilon}, out);
    }
    standardise(preprocessing, out);
}

void check_range(const Picture& picture, ValueRange range) {
    const cv::Mat& pixels = picture.pixels;
    if (pixels.depth() != CV_32F) {
        return;
    }
    const int channels = pixels.channels();
    const auto white = static_cast<float>(picture.white);
    for (int y = 0; y < pixels.rows; ++y) {
        const auto* values = pixels.ptr<float>(y);
        for (int i = 0; i < pixels.cols * channels; ++i) {
            const bool unit = values[i] >= 0.0F && values[i] <= white;
            const bool alpha = !picture.measured && channels % 2 == 0 && i % channels == channels - 1;
            const bool finite = range == ValueRange::finite && !alpha && std::isfinite(values[i]);
            if (unit || finite) {
                continue;
            }
            const std::string place = pixels.rows == 1 ? fmt::format("column {}", i / channels)
                                                       : fmt::format("row {}, column {}", y, i / channels);
            const bool could = range == ValueRange::unit && !alpha && std::isfinite(values[i]);
            unsupported(fmt::format(
                "value {} found at {}; {} expected{}", values[i], place,
                range == ValueRange::finite && !alpha ? "a finite number" : fmt::format("0 to {}", white),
                could ? " (training with --standardize takes any finite range)" : ""));
        }
    }
}

bool is_gray(const Picture& picture) {
    if (picture.measured) {
        return false;
    }
    const cv::Mat pixels = flattened(picture, 0.5F);
    if (pixels.channels() == 1) {
        return true;
    }
    std::vector<cv::Mat> channels;
    cv::split(pixels, channels);
    return cv::norm(channels[0], channels[1], cv::NORM_INF) == 0.0 &&
           cv::norm(channels[0], channels[2], cv::NORM_INF) == 0.0;
}

}  // namespace stackae::data

#include "data/image/channels.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <utility>

#include "stackae/error.hpp"

#include "base/rows.hpp"
#include "data/image/preprocess.hpp"

namespace stackae {

std::string channels_text(const Preprocessing& preprocessing) {
    if (!preprocessing.measured) {
        return preprocessing.channels == 1 ? "gray" : "rgb";
    }
    return fmt::format("{} channel{}", preprocessing.channels, preprocessing.channels == 1 ? "" : "s");
}

PictureLimits PictureLimits::with(const ChannelFiles& channel_files) const {
    PictureLimits limits = *this;
    if (channel_files.pages) {
        limits.pages = PageSelection::channels;
    }
    if (!channel_files.suffixes.empty()) {
        limits.channel_suffixes = channel_files.suffixes;
    }
    return limits;
}

namespace data {
namespace {

constexpr std::int64_t max_ranged_pictures = 2000;
/// Values that a channel's range is found from, and of all channels together.
constexpr std::int64_t max_values_a_channel = std::int64_t{1} << 20;
constexpr std::int64_t max_values = std::int64_t{1} << 24;
/// Values beyond which a range ends, on either side.
constexpr double beyond_range = 0.001;

[[noreturn]] void refuse(const std::string& text) {
    throw InvalidArgument("preprocessing: " + text);
}

/// values: not empty; their order is lost.
ChannelRange range_of(std::vector<float>& values) {
    const auto at = [&](double share) {
        const auto place = values.begin() + static_cast<std::ptrdiff_t>(
                                                std::lround(share * static_cast<double>(values.size() - 1)));
        std::nth_element(values.begin(), place, values.end());
        return *place;
    };
    ChannelRange range{at(beyond_range), at(1.0 - beyond_range)};
    if (!(range.low < range.high)) {
        range = {at(0.0), at(1.0)};
    }
    if (!(range.low < range.high)) {  // the next number may be no other, where they are large
        range.high = range.low + std::max(1.0F, 0.001F * std::abs(range.low));
    }
    return range;
}

/// Numbers as files hold them, of any size.
Preprocessing as_they_are(const Preprocessing& preprocessing) {
    Preprocessing plain = preprocessing;
    plain.resize = ResizeMode::squash;  // no border, which is of no picture
    plain.contrast = false;
    plain.ranges.assign(static_cast<std::size_t>(plain.channels), ChannelRange{});
    plain.mean.assign(static_cast<std::size_t>(plain.size()), 0.0F);
    plain.deviation.assign(static_cast<std::size_t>(plain.size()), 1.0F);
    return plain;
}

/// What a part adds to the picture. Throws BadPicture, without the part's name.
cv::Mat channels_of(const ChannelPart& part, const Picture& picture, const Picture& first, cv::Size size) {
    cv::Mat pixels = picture.pixels;
    if (!picture.measured && pixels.channels() % 2 == 0) {
        unsupported("a picture with alpha found; channels without expected");
    }
    if (!picture.measured && pixels.channels() == 3 && is_gray(picture)) {
        cv::extractChannel(picture.pixels, pixels, 0);
    }
    if (part.one_channel && pixels.channels() != 1) {
        unsupported(fmt::format("{} channels found; one expected", pixels.channels()));
    }
    if (pixels.size() != size) {
        unsupported(fmt::format("{} × {} pixels found; {} × {} expected, as the first has", pixels.cols,
                                pixels.rows, size.width, size.height));
    }
    if (pixels.depth() != first.pixels.depth() || picture.white != first.white) {
        cv::Mat numbers;
        pixels.convertTo(numbers, CV_32F);
        pixels = numbers;
    }
    return pixels;
}

}  // namespace

void validate_channels(const Preprocessing& preprocessing) {
    const int channels = preprocessing.channels;
    const bool colours = channels == 1 || channels == 3;
    if (channels < 1 || channels > Preprocessing::max_channels || (!colours && !preprocessing.measured)) {
        refuse(fmt::format("channels: {} found, 1 (gray), 3 (RGB) or 2 to {} that are measured expected",
                           channels, Preprocessing::max_channels));
    }
    const ChannelFiles& files = preprocessing.channel_files;
    if (files.are_apart() && (!preprocessing.measured || (files.pages && !files.suffixes.empty()))) {
        refuse("channel_files: channels in pages or in files, not both, that are measured expected");
    }
    const bool any_empty = std::any_of(files.suffixes.begin(), files.suffixes.end(),
                                       [](const std::string& suffix) { return suffix.empty(); });
    if (any_empty || (!files.suffixes.empty() && std::ssize(files.suffixes) != channels)) {
        refuse(fmt::format("channel_files: {} suffixes found, {} that are not empty expected",
                           files.suffixes.size(), channels));
    }
    if (!preprocessing.ranges.empty() && std::ssize(preprocessing.ranges) != channels) {
        refuse(fmt::format("ranges: {} found, {} or none expected", preprocessing.ranges.size(), channels));
    }
    for (const ChannelRange& range : preprocessing.ranges) {
        if (!std::isfinite(range.low) || !std::isfinite(range.high) || !(range.low < range.high) ||
            !std::isfinite(range.high - range.low)) {
            refuse(fmt::format("ranges: {} to {} found, two finite numbers, the smaller first, expected",
                               range.low, range.high));
        }
    }
}

std::vector<ChannelRange> given_ranges(const std::vector<ChannelRange>& ranges, int channels) {
    if (ranges.size() == 1) {
        return std::vector<ChannelRange>(static_cast<std::size_t>(channels), ranges.front());
    }
    if (std::ssize(ranges) != channels) {
        refuse(fmt::format("ranges: {} found, one for all or {} expected", ranges.size(), channels));
    }
    return ranges;
}

std::vector<ChannelRange> fit_ranges(const ImageDataset& pictures, const Preprocessing& preprocessing,
                                     int threads) {
    const ImageDataset some = pictures.subset(base::spread_rows(pictures.size(), max_ranged_pictures));
    const Preprocessing plain = as_they_are(preprocessing);
    const std::int64_t pixels = std::int64_t{plain.height} * plain.width;
    const std::int64_t kept = std::min(max_values_a_channel, max_values / plain.channels);
    const std::int64_t step = std::max<std::int64_t>(1, some.size() * pixels / kept);
    std::vector<std::vector<float>> values(static_cast<std::size_t>(plain.channels));
    PictureReader reader(some, plain, {.threads = threads});
    for (PictureBatch batch; reader.next(batch);) {
        for (std::int64_t row = 0; row < batch.pictures.rows(); ++row) {
            const std::span<const float> picture = std::as_const(batch.pictures).row(row);
            // Another pixel first in each picture, so that no column is looked at alone.
            const std::int64_t first = batch.indices[static_cast<std::size_t>(row)] % std::min(step, pixels);
            for (std::int64_t pixel = first; pixel < pixels; pixel += step) {
                for (std::size_t c = 0; c < values.size(); ++c) {
                    values[c].push_back(picture[static_cast<std::size_t>(pixel) * values.size() + c]);
                }
            }
        }
    }
    if (values.front().empty()) {
        throw InvalidArgument(
            fmt::format("{}: ranges of channels: not one picture can be read", pictures.path()));
    }
    std::vector<ChannelRange> ranges;
    std::transform(values.begin(), values.end(), std::back_inserter(ranges), range_of);
    return ranges;
}

Picture joined_channels(const std::vector<ChannelPart>& parts) {
    Picture joined;
    std::vector<cv::Mat> channels;
    int count = 0;
    for (const ChannelPart& part : parts) {
        try {
            Picture picture = part.load();
            const cv::Size size = channels.empty() ? picture.pixels.size() : channels.front().size();
            if (channels.empty()) {
                joined = picture;
            }
            channels.push_back(channels_of(part, picture, joined, size));
            count += channels.back().channels();
            if (count > Preprocessing::max_channels) {
                unsupported(fmt::format("more than {} channels", Preprocessing::max_channels));
            }
        } catch (const BadPicture& bad) {
            throw BadPicture(bad.status(), fmt::format("{}: {}", part.name, bad.what()));
        }
    }
    const bool alike = std::all_of(channels.begin(), channels.end(), [&](const cv::Mat& part) {
        return part.depth() == channels.front().depth();
    });
    if (!alike) {  // numbers as they are, whatever their types make of white
        for (cv::Mat& part : channels) {
            part.convertTo(part, CV_32F);
        }
        joined.white = 1.0;
    }
    cv::merge(channels, joined.pixels);
    joined.measured = true;
    joined.full_size = {};
    return joined;
}

}  // namespace data
}  // namespace stackae

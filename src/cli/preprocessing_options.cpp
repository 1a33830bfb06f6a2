#include "cli/preprocessing_options.hpp"

#include <fmt/format.h>
#include <limits>
#include <string>
#include <string_view>

#include "stackae/enum_names.hpp"

#include "cli/parse.hpp"

namespace stackae::cli {
namespace {

int parse_channels(const std::string& text) {
    if (text == "gray" || text == "grey" || text == "1") {
        return 1;
    }
    if (text == "rgb" || text == "color" || text == "3") {
        return 3;
    }
    if (text.find_first_not_of("0123456789") != std::string::npos) {
        throw UsageError(fmt::format("'{}' is neither gray nor rgb nor a number of channels", text));
    }
    return static_cast<int>(parse_integer(text, 1, Preprocessing::max_channels));
}

/// LOW:HIGH.
ChannelRange parse_range(std::string_view text) {
    constexpr double most = std::numeric_limits<float>::max();
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
        throw UsageError(fmt::format(
            "'{}' found; auto, type, or the numbers that become 0 and 1, such as 0:4095, expected", text));
    }
    const ChannelRange range{static_cast<float>(parse_number(text.substr(0, colon), -most, most)),
                             static_cast<float>(parse_number(text.substr(colon + 1), -most, most))};
    if (!(range.low < range.high)) {
        throw UsageError(fmt::format("'{}' found; the smaller number first expected", text));
    }
    return range;
}

}  // namespace

void declare(OptionParser& parser, PreprocessingOptions& wanted) {
    parser.group("How pictures are prepared (kept in the model)");
    parser.option("img-size", "N|HxW", "height and width; else the pictures' median, at most 64",
                  [&wanted](const std::string& text) {
                      const PictureSize size = parse_picture_size(text);
                      wanted.height = size.height;
                      wanted.width = size.width;
                  });
    parser.option(
        "channels", "gray|rgb|N",
        fmt::format("N measured channels, to {}; else as many as the pictures have, or gray if all are gray",
                    Preprocessing::max_channels),
        [&wanted](const std::string& text) { wanted.channels = parse_channels(text); });
    parser.option(
        "channel-range", "auto|type|LOW:HIGH,...",
        "the numbers that become 0 and 1, one pair for all channels or one each: auto finds them from the "
        "pictures (when not given: of measured channels alone), type scales by the type of the values (of "
        "gray "
        "and rgb)",
        [&wanted](const std::string& text) {
            wanted.ranges.clear();
            wanted.fit_ranges.reset();
            if (text == "auto" || text == "type") {
                wanted.fit_ranges = text == "auto";
            } else {
                wanted.ranges = parse_list(text, parse_range);
            }
        });
    parser.option("crop-mode", "MODE",
                  "other shapes are squashed, given a border, or cut to the center: "
                  "squash|border|center",
                  [&wanted](const std::string& text) { wanted.resize = parse<ResizeMode>(text); });
    parser.option("background", "P", "gray level, 0 to 1, behind transparency and in borders",
                  [&wanted](const std::string& text) {
                      wanted.background = static_cast<float>(parse_number(text, 0.0, 1.0));
                  });
    parser.flag("contrast-norm", "bring each picture to mean 0 and deviation 1", wanted.contrast);
    parser.flag(
        "standardize",
        "subtract each value's mean, divide by its deviation (of measured channels: each channel's): values "
        "may then lie outside of 0 to 1; so it is for rows of numbers (n×d) where --img-size does not say "
        "that they are pictures",
        [&wanted] { wanted.standardize = true; });
    parser.flag("no-standardize", "leave values as they are, also rows of numbers",
                [&wanted] { wanted.standardize = false; });
    parser.opposites("standardize", "no-standardize");
}

}  // namespace stackae::cli

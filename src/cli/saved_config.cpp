#include "cli/saved_config.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string_view>
#include <vector>

#include "stackae/enum_names.hpp"
#include "stackae/short_forms.hpp"

namespace stackae::cli {
namespace {

/// Options of training that stacks of any kind have.
constexpr std::array<std::string_view, 3> of_any_stack{"seed", "validation", "rows"};

std::string hyphened(std::string name) {
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

/// As --channels reads it: measured pictures say themselves that they are.
std::string channels_value(const Preprocessing& preprocessing) {
    return preprocessing.measured ? fmt::format("{}", preprocessing.channels) : channels_text(preprocessing);
}

/// Where channels lie and what becomes of their values, where that is not what is usual.
std::string channel_lines(const Preprocessing& preprocessing) {
    std::string text;
    const ChannelFiles& files = preprocessing.channel_files;
    if (files.pages) {
        text += "# The pages of a TIFF are the channels of a picture.\npages = channels\n";
    }
    if (!files.suffixes.empty()) {
        text += fmt::format("# Files are the channels of a picture.\nchannel-suffix = {}\n",
                            fmt::join(files.suffixes, ","));
    }
    if (!preprocessing.ranges.empty()) {
        std::vector<std::string> ranges;
        for (const ChannelRange& range : preprocessing.ranges) {
            ranges.push_back(fmt::format("{}:{}", range.low, range.high));
        }
        text += fmt::format("# Numbers that become 0 and 1, of each channel.\nchannel-range = {}\n",
                            fmt::join(ranges, ","));
    } else if (preprocessing.measured) {
        text += "channel-range = type\n";
    }
    return text;
}

}  // namespace

std::string config_file(const TrainConfig& config, bool gradients) {
    // The options below would be taken for an elsa's own.
    std::string text = fmt::format("# The layers, bottom up.\nstack = {}\n",
                                   to_text(gradients ? with_elsa_fields_said(config.stack) : config.stack));
    for (const OptionInfo& info : config.describe()) {
        if (gradients ||
            std::find(of_any_stack.begin(), of_any_stack.end(), info.name) != of_any_stack.end()) {
            text += fmt::format("# {} ({})\n{} = {}\n", info.help, info.expected, hyphened(info.name),
                                info.value);
        }
    }
    return text;
}

std::string config_lines(const Preprocessing& preprocessing) {
    return channel_lines(preprocessing) + fmt::format(
                                              "# How pictures are prepared.\nimg-size = {}x{}\nchannels = "
                                              "{}\ncrop-mode = {}\nbackground = {}\n"
                                              "contrast-norm = {}\n{} = true\n",
                                              preprocessing.height, preprocessing.width,
                                              channels_value(preprocessing), name(preprocessing.resize),
                                              preprocessing.background, preprocessing.contrast,
                                              preprocessing.mean.empty() ? "no-standardize" : "standardize");
}

}  // namespace stackae::cli

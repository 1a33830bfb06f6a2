#include "cli/saved_config.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>

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
    return fmt::format(
        "# How pictures are prepared.\nimg-size = {}x{}\nchannels = {}\ncrop-mode = {}\nbackground = {}\n"
        "contrast-norm = {}\n{} = true\n",
        preprocessing.height, preprocessing.width, preprocessing.channels == 1 ? "gray" : "rgb",
        name(preprocessing.resize), preprocessing.background, preprocessing.contrast,
        preprocessing.mean.empty() ? "no-standardize" : "standardize");
}

}  // namespace stackae::cli

#include "stackae/train_config.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "stackae/error.hpp"

#include "base/fields.hpp"
#include "base/with_context.hpp"

namespace stackae {
namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blank = " \t\r";
    const std::size_t begin = std::min(text.find_first_not_of(blank), text.size());
    return text.substr(begin, text.find_last_not_of(blank) + 1 - begin);
}

void read_line(std::string_view line, base::FieldTable& table, TrainConfig& config) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
        throw InvalidArgument(fmt::format("\"{}\" found, a name, = and a value expected", line));
    }
    const std::string_view name = trimmed(line.substr(0, equals));
    const std::string_view value = trimmed(line.substr(equals + 1));
    if (name == "stack") {
        config.stack = parse_stack(value);
    } else if (name == "preset") {
        config.preset = value;
    } else if (base::Field* field = table.find(name)) {
        field->parse(value);
    } else {
        throw InvalidArgument(
            fmt::format("\"{}\" found, one of stack, preset, {} expected", name, table.names()));
    }
}

}  // namespace

void validate(const TrainConfig& config) {
    base::fields_of(config).check();
    const auto refuse = [](const char* option, const auto& found, const std::string& expected) {
        throw InvalidArgument(fmt::format("{}: {} found, {} expected", option, found, expected));
    };
    if (config.stack.empty()) {
        refuse("stack", "no layer", "at least 1");
    }
    if ((config.sparsity_target > 0.0) != (config.sparsity_weight > 0.0)) {
        refuse("sparsity_weight", *config.sparsity_weight,
               config.sparsity_target > 0.0
                   ? fmt::format("a number above 0 with sparsity_target {}", *config.sparsity_target)
                   : "0 without a sparsity_target");
    }
    if (config.corruption != Corruption::gaussian && config.corruption_level >= 1.0) {
        refuse("corruption_level", *config.corruption_level, "a number from 0 and below 1");
    }
    if (config.corruption != Corruption::gaussian && config.fine_tune_corruption_level >= 1.0) {
        refuse("fine_tune_corruption_level", *config.fine_tune_corruption_level,
               "a number from 0 and below 1");
    }
    if (config.nesterov && config.optimizer == OptimizerKind::sgd && config.momentum == 0.0) {
        refuse("momentum", *config.momentum, "a number above 0 with nesterov");
    }
    if (config.patience > 0 && config.validation == 0.0) {
        refuse("patience", *config.patience, "0 without a validation part");
    }
}

std::string to_text(const TrainConfig& config) {
    const TrainConfig standard;
    const base::FieldTable defaults = base::fields_of(standard);
    std::string text = fmt::format("preset = {}\n", config.preset);
    if (!config.stack.empty()) {
        text += fmt::format("stack = {}\n", to_text(config.stack));
    }
    auto other = defaults.begin();
    for (const auto& field : base::fields_of(config)) {
        if (const std::string value = field->text(); value != (*other++)->text()) {
            text += fmt::format("{} = {}\n", field->name(), value);
        }
    }
    return text;
}

void read_config(std::string_view text, TrainConfig& config) {
    TrainConfig changed = config;
    base::FieldTable table;
    changed.fields(table);
    std::size_t number = 1;
    for (std::size_t begin = 0; begin < text.size(); ++number) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view line = text.substr(begin, end - begin);
        begin = end + 1;
        const std::string_view said = trimmed(line.substr(0, line.find('#')));
        if (said.empty()) {
            continue;
        }
        base::with_context(fmt::format("line {}", number), [&] { read_line(said, table, changed); });
    }
    config = changed;
}

TrainConfig preset(std::string_view name) {
    const auto& all = presets();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Preset& p) { return p.name == name; });
    if (found == all.end()) {
        std::vector<std::string> names(all.size());
        std::transform(all.begin(), all.end(), names.begin(), [](const Preset& p) { return p.name; });
        throw InvalidArgument(
            fmt::format("preset: \"{}\" found, one of {} expected", name, fmt::join(names, ", ")));
    }
    TrainConfig config;
    read_config(found->config, config);
    config.preset = found->name;
    return config;
}

}  // namespace stackae

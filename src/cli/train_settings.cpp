#include "cli/train_settings.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string_view>

#include "stackae/enum_names.hpp"
#include "stackae/error.hpp"
#include "stackae/fit_table.hpp"

#include "cli/preprocessing_options.hpp"

namespace stackae::cli {
namespace {

constexpr const char* automatic_name = "auto";

/// What options of training begin a group with, and its caption.
constexpr std::array<std::pair<std::string_view, const char*>, 5> captions{{
    {"seed", "The run (kept in the model)"},
    {"epochs", "Training layer by layer"},
    {"augment_shift", "Pictures moved at random"},
    {"fine_tune_epochs", "Fine-tuning of the unrolled stack"},
    {"optimizer", "The optimiser"},
}};
/// Options of training that stacks of any kind have.
constexpr std::array<std::string_view, 4> of_any_stack{"seed", "validation", "rows", "retries"};
/// Options of gradients, which convolutions may follow too.
constexpr std::array<std::string_view, 2> of_any_gradient{"learning_rate", "lifetime_sparsity"};
/// Options with more to say than one value.
constexpr std::array<std::string_view, 3> of_lists{"epochs", "corruption", "corruption_level"};
/// Options whose like an elsa has of its own.
constexpr std::array<std::string_view, 3> of_elsa{"epochs", "batch_size", "learning_rate"};
/// What follows augment_ in the names of options.
constexpr std::array<std::string_view, 5> ways_to_move{"shift", "rotate", "scale", "shear", "elastic"};

template <class Names>
bool holds(const Names& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

auto whole(std::int64_t low) {
    return [low](std::string_view text) { return parse_integer(text, low); };
}

std::string hyphened(std::string name) {
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

/// "lr,learning-rate", "batch-size,b".
std::string option_names(const OptionInfo& info) {
    const std::string name = hyphened(info.name);
    return info.alias.empty()       ? name
           : info.alias.size() == 1 ? name + "," + info.alias
                                    : info.alias + "," + name;
}

std::string preset_names() {
    std::string names;
    for (const Preset& each : presets()) {
        names += (names.empty() ? "" : ", ") + each.name;
    }
    return names;
}

/// The common level of a kind of corruption that is named alone.
const char* common_level(Corruption corruption) {
    return corruption == Corruption::none      ? "0"
           : corruption == Corruption::masking ? "0.25"
           : corruption == Corruption::dropout ? "0.5"
                                               : "0.1";
}

}  // namespace

void TrainSettings::declare(OptionParser& parser) {
    parser_ = &parser;
    declare_stack(parser);
    declare_config(parser);
    declare_run(parser);
    cli::declare(parser, preprocessing_);
}

void TrainSettings::declare_stack(OptionParser& parser) {
    parser.group("The stack");
    parser.option(
        "preset", "NAME",
        "where all values come from that are not named here: auto (also when none is given: a stack "
        "that suits the pictures and the budget), " +
            preset_names() + " (stackae info --presets shows them)",
        [this](const std::string& text) {
            const auto& all = presets();
            if (text != automatic_name &&
                std::none_of(all.begin(), all.end(), [&](const Preset& each) { return each.name == text; })) {
                throw UsageError(
                    fmt::format("'{}' found, one of {}, {} expected", text, automatic_name, preset_names()));
            }
            preset_ = text;
        });
    parser.overrides("preset", "stack");
    parser.option("budget", "TIME",
                  "of auto, for training and for extracting once, such as 90s, 10m or 2h on two cores (15m "
                  "when not given)",
                  [this](const std::string& text) { budget_ = parse_duration(text); });
    parser.option("stack", "LAYER,...",
                  "the layers bottom up, such as 'conv2d:256:kernel=7, pool2d:2, dense:100' (stackae info "
                  "--layer-kinds shows them); trained as the preset says, or as dense",
                  [this](const std::string& text) { stack_ = parse_stack(text); });
    parser.config_file("config",
                       "lines NAME = VALUE for options that are not named here, as --save-config writes");

    parser.group("Short forms of the stack's text");
    parser.option("convolutions", "UNITS@KERNEL[:pool=N],...", "convolutions with their pooling, bottom up",
                  [this](const std::string& text) {
                      forms_.convolutions = split_list(text);
                      (void)apply({.convolutions = forms_.convolutions}, {});
                  });
    parser.option("layers", "N,N,...", "units of each dense layer, bottom up",
                  [this](const std::string& text) {
                      forms_.layers = parse_list(text, whole(1));
                      mark_dense("layers");
                  });
    parser.option("activations", "F,F,...",
                  "one for all dense layers, or one each: linear, sigmoid, tanh, relu, elu, silu",
                  [this](const std::string& text) {
                      forms_.activations = parse_list(text, parse<Activation>);
                      mark_dense("activations");
                  });
    parser.option("output-activation", "F",
                  "of the lowest dense layer's decoder; else suited to what it sees",
                  [this](const std::string& text) {
                      forms_.output = parse<Activation>(text);
                      mark_dense("output-activation");
                  });
    parser.flag("tied", "dense decoders use the encoder's weights, transposed", [this] {
        forms_.tied = true;
        mark_dense("tied");
    });
    parser.flag("untied", "dense decoders have weights of their own", [this] {
        forms_.tied = false;
        mark_dense("untied");
    });
    parser.opposites("tied", "untied");
    parser.option("code-size", "N", "principal components on top of all of them; 0 for none",
                  integer_into(forms_.code_size, 0));
    parser.flag("power-norm", "power normalisation below them", [this] { forms_.power_norm = true; });
    parser.flag("no-power-norm", "none there", [this] { forms_.power_norm = false; });
    parser.opposites("power-norm", "no-power-norm");
    parser.option("nystroem", "N",
                  "Nystroem features of them by N landmarks, a wide code for linear classifiers; 0 for none",
                  integer_into(forms_.nystroem, 0));
    parser.option(
        "invariance", "none|mirror|rotate90|dihedral",
        "pictures and their mirror images, turns by right angles or both are to have the same code: "
        "what convolutions make of each is averaged, which takes 2, 4 or 8 times as long",
        [this](const std::string& text) {
            (void)apply({.invariance = text}, parse_stack("conv2d:1"));
            forms_.invariance = text;
        });
    parser.option("patches", "N", "from which each convolution learns, at most",
                  integer_into(forms_.patches, 1000));
    parser.option("patch-epochs", "N", "passes over them with winner-take-all, after k-means",
                  integer_into(forms_.patch_epochs, 0));
}

void TrainSettings::declare_config(OptionParser& parser) {
    for (const OptionInfo& info : TrainConfig().describe()) {
        for (const auto& [first, caption] : captions) {
            if (info.name == first) {
                parser.group(caption);
            }
        }
        if (info.name == of_lists.front()) {
            declare_lists(parser);
        }
        if (info.name == "augment_shift") {
            declare_augment(parser);
        }
        if (!holds(of_lists, info.name)) {
            declare_option(parser, info);
        }
    }
}

void TrainSettings::declare_augment(OptionParser& parser) {
    parser.option(
        "augment", "KIND:BOUND,...", "several at once, such as shift:0.03,rotate:5; or none",
        [this](const std::string& text) {
            for (const std::string_view kind : ways_to_move) {
                put(fmt::format("augment_{}", kind), "0");
            }
            for (const std::string& part : text == "none" ? std::vector<std::string>{} : split_list(text)) {
                const std::size_t colon = std::min(part.find(':'), part.size());
                const std::string kind = part.substr(0, colon);
                if (!holds(ways_to_move, kind)) {
                    throw UsageError(
                        fmt::format("'{}' found, one of {} expected", kind, fmt::join(ways_to_move, ", ")));
                }
                put("augment_" + kind, part.substr(std::min(colon + 1, part.size())));
            }
            mark_dense("augment");
        });
    for (const std::string_view kind : ways_to_move) {
        parser.overrides("augment", fmt::format("augment-{}", kind));
    }
}

void TrainSettings::declare_option(OptionParser& parser, const OptionInfo& info) {
    const std::string names = option_names(info);
    const std::string shown = names.substr(0, names.find(','));
    const auto handle = [this, shown, name = info.name](const std::string& text) {
        put(name, text);
        if (is_over_stack(shown)) {
            over_stack_.push_back(name);
        }
        if (holds(of_any_gradient, name)) {
            mark_typed(shown);
        } else if (!holds(of_any_stack, name)) {
            mark_dense(shown);
        }
    };
    if (info.kind == ValueKind::flag && info.value == "false") {
        parser.flag(names, info.help, [handle] { handle("true"); });
    } else {
        parser.option(names,
                      info.kind == ValueKind::whole  ? "N"
                      : info.kind == ValueKind::real ? "X"
                                                     : "NAME",
                      fmt::format("{} ({})", info.help, info.expected), handle);
    }
}

void TrainSettings::declare_lists(OptionParser& parser) {
    parser.option("epochs", "N,N,...", "of each layer: one number for all, or one a dense layer",
                  [this](const std::string& text) {
                      const auto epochs = parse_list(text, whole(0));
                      if (epochs.size() > 1 || is_over_stack("epochs")) {
                          forms_.epochs = epochs;
                      }
                      if (is_over_stack("epochs")) {
                          over_stack_.emplace_back("epochs");
                      }
                      put("epochs", fmt::format("{}", epochs.front()));
                      mark_dense("epochs");
                  });
    const auto set_levels = [this](const std::string& text, bool each) {
        const auto levels = parse_list(text, [](std::string_view part) { return parse_number(part, 0.0); });
        forms_.corruption_level = levels.size() > 1 || each ? levels : std::vector<double>{};
        put("corruption_level", fmt::format("{}", levels.front()));
    };
    parser.option(
        "corruption", "KIND[:LEVEL,...]",
        "none, masking, dropout, gaussian or salt_and_pepper of a layer's input, but not of its target "
        "(Vincent et al. 2010), with one level for all layers or one a dense layer",
        [this, set_levels](const std::string& text) {
            const std::size_t colon = std::min(text.find(':'), text.size());
            const std::string kind = text.substr(0, colon);
            put("corruption", kind);
            set_levels(colon < text.size() ? text.substr(colon + 1) : common_level(parse<Corruption>(kind)),
                       is_over_stack("corruption"));
            mark_dense("corruption");
        });
    parser.overrides("corruption", "corruption-level");  // it brings a level
    parser.option("corruption-level", "P,P,...", "probability or deviation of the corruption",
                  [this, set_levels](const std::string& text) {
                      set_levels(text, is_over_stack("corruption-level"));
                      mark_dense("corruption-level");
                  });
}

void TrainSettings::declare_run(OptionParser& parser) {
    parser.group("The machine (not kept in the model, but for where channels lie)");
    reading_.declare(parser);
    parser.option("temporary-folder", "DIR", "where pictures and codes go that the memory does not hold",
                  text_into(temporary_folder_));
    parser.flag("resume", "go on where MODEL.ckpt is; with the options that it was begun with", resume_);
    parser.option(
        "checkpoint-every", "TIME",
        "how often MODEL.ckpt is written within a stage (5m when not given; 0: at every step); it is "
        "written between stages and when training is interrupted too, and goes when the model is "
        "there",
        [this](const std::string& text) { checkpoint_every_ = parse_interval(text); });
}

void TrainSettings::put(const std::string& name, const std::string& value) {
    TrainConfig().set(name, value);
    named_.emplace_back(name, value);
}

bool TrainSettings::is_over_stack(const std::string& option) const {
    return parser_->is_from_file("stack") && !parser_->is_from_file(option);
}

void TrainSettings::mark_typed(const std::string& option) {
    if (!parser_->is_from_file(option)) {
        typed_.push_back(option);
    }
}

void TrainSettings::mark_dense(const std::string& option) {
    mark_typed(option);
    const bool preset_typed = !preset_.empty() && !parser_->is_from_file("preset");
    if (!preset_typed || !parser_->is_from_file(option)) {
        dense_because_ = option;
    }
}

std::string TrainSettings::named_stack() const {
    return !preset_.empty() && preset_ != automatic_name ? "preset " + preset_
           : stack_                                      ? "stack"
           : !forms_.convolutions.empty()                ? "convolutions"
                                                         : "";
}

bool TrainSettings::is_named(std::string_view name) const {
    return std::any_of(named_.begin(), named_.end(),
                       [&](const auto& option) { return option.first == name; });
}

bool TrainSettings::automatic() const {
    return preset_ == automatic_name || (named_stack().empty() && dense_because_.empty());
}

void TrainSettings::check_automatic() const {
    const std::string settled = named_stack().empty() ? dense_because_ : named_stack();
    if (preset_ == automatic_name && !settled.empty()) {
        throw UsageError(fmt::format("--preset auto chooses the stack; --{} is for another preset", settled));
    }
    if (budget_ && !automatic()) {
        throw UsageError(fmt::format("--budget is for --preset auto; --{} settles the stack", settled));
    }
}

TrainConfig TrainSettings::config() const {
    if (!preset_.empty() && preset_ != automatic_name) {
        return config(preset(preset_));
    }
    if (stack_) {
        TrainConfig base = preset("dense");
        base.preset = TrainConfig().preset;
        return config(base);
    }
    return config(preset(dense_because_.empty() || !forms_.convolutions.empty() ? "conv" : "dense"));
}

TrainConfig TrainSettings::table_config() const {
    const bool alone = preset_.empty() || preset_ == automatic_name;
    if (!alone || !forms_.convolutions.empty() || !names_stack()) {
        return config();
    }
    TrainConfig base = table_base("");
    if (!stack_) {
        base.stack = preset("dense").stack;
    }
    return config(base);
}

Stack TrainSettings::with_own_fields(Stack stack) const {
    for (const auto& [name, value] : named_) {
        if (holds(of_elsa, name)) {
            stack = with_elsa_field(stack, name, value, holds(over_stack_, name));
        }
    }
    return stack;
}

TrainConfig TrainSettings::config(const TrainConfig& base) const {
    try {
        check_automatic();
        TrainConfig config = base;
        config.stack = apply(forms_, stack_.value_or(base.stack));
        for (const auto& [name, value] : named_) {
            config.set(name, value);
        }
        config.stack = with_own_fields(config.stack);
        if (is_named("patience") && !is_named("validation") && config.validation == 0.0) {
            config.validation = *TrainConfig().validation;  // it waits for what is held out
        }
        validate(config);
        return config;
    } catch (const InvalidArgument& error) {
        throw UsageError(error.what());
    }
}

RunOptions TrainSettings::run() const {
    RunOptions run;
    run.threads = reading_.threads;
    run.memory_limit = reading_.memory;
    run.temporary_folder = temporary_folder_;
    run.checkpoint_every = checkpoint_every_;
    run.resume = resume_;
    return run;
}

bool TrainSettings::suit_small_sets(TrainConfig& config, std::int64_t pictures) const {
    if (!preset_.empty() && preset_ != automatic_name) {
        return false;
    }
    return fit_to_small_set(config, pictures,
                            {.batch_size = !is_named("batch_size"),
                             .epochs = !is_named("epochs"),
                             .fine_tune_epochs = !is_named("fine_tune_epochs")});
}

}  // namespace stackae::cli

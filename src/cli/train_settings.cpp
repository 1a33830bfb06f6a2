#include "cli/train_settings.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "stackae/error.hpp"

namespace stackae::cli {
namespace {

auto whole(std::int64_t low, std::int64_t high = std::numeric_limits<std::int64_t>::max()) {
    return [low, high](std::string_view text) { return parse_integer(text, low, high); };
}

auto number(double low, double high = std::numeric_limits<double>::max()) {
    return [low, high](std::string_view text) { return parse_number(text, low, high); };
}

template <class ParseOne>
auto list_of(ParseOne parse_one) {
    return [parse_one](std::string_view text) { return parse_list(text, parse_one); };
}

std::string preset_names() {
    std::string names;
    for (const Preset& preset : presets()) {
        names += (names.empty() ? "" : ", ") + preset.name;
    }
    return names;
}

int parse_channels(const std::string& text) {
    if (text == "gray" || text == "grey" || text == "1") {
        return 1;
    }
    if (text == "rgb" || text == "color" || text == "3") {
        return 3;
    }
    throw UsageError(fmt::format("'{}' is neither gray nor rgb", text));
}

}  // namespace

CorruptionSetting parse_corruption(const std::string& text) {
    const std::size_t colon = text.find(':');
    CorruptionSetting setting;
    setting.corruption = parse<Corruption>(text.substr(0, colon));
    if (colon != std::string::npos) {
        setting.level = parse_list(text.substr(colon + 1), number(0.0));
    } else if (setting.corruption == Corruption::none) {
        setting.level = {0.0};
    } else {
        setting.level = {setting.corruption == Corruption::masking ? 0.25 : 0.1};
    }
    return setting;
}

/// Whether it is of roots.
bool parse_code_of(const std::string& text) {
    if (text != "values" && text != "roots") {
        throw UsageError(fmt::format("'{}' is neither values nor roots", text));
    }
    return text == "roots";
}

Augmentation parse_augmentation(const std::string& text) {
    Augmentation augmentation;
    for (const std::string& part : text == "none" ? std::vector<std::string>{} : split_list(text)) {
        const std::size_t colon = part.find(':');
        const std::string kind = part.substr(0, colon);
        double* bound = kind == "shift"    ? &augmentation.shift
                        : kind == "rotate" ? &augmentation.rotate
                        : kind == "scale"  ? &augmentation.scale
                        : kind == "shear"  ? &augmentation.shear
                                           : nullptr;
        if (bound == nullptr || colon == std::string::npos) {
            throw UsageError(
                fmt::format("'{}' is none of shift:X, rotate:X, scale:X, shear:X, or none", part));
        }
        *bound = parse_number(part.substr(colon + 1), 0.0);
    }
    return augmentation;
}

void TrainSettings::declare(OptionParser& parser) {
    declare_stack(parser);
    declare_greedy(parser);
    declare_optimizer(parser);
    declare_run(parser);
    declare_recipe(parser);
}

void TrainSettings::declare_stack(OptionParser& parser) {
    parser.group("The stack");
    parser.option(
        "preset", "NAME",
        "where all values come from that are not named here: auto (also when none is given: a stack "
        "that suits the pictures and the budget), " +
            preset_names() + " (stackae info --presets shows them)",
        [this](const std::string& text) {
            if (text != automatic_name) {
                (void)stackae::preset(text);
            }
            preset_ = text;
        });
    parser.option(
        "budget", "TIME",
        "of auto, for training and for extracting once, such as 90s, 10m or 2h (10m when not given)",
        [this](const std::string& text) { budget_ = parse_duration(text); });
    parser.option("convolutions", "UNITS@KERNEL[:pool=N],...", "convolutional layers below them, bottom up",
                  keep(
                      [this](const std::string& text) {
                          convolutions_named_ = true;
                          return parse_list(text, parse_convolution);
                      },
                      [](auto& o, const auto& v) { o.convolutions = v; }));
    parser.option("code-size", "N", "values of a linear layer on top, solved in closed form; 0 for none",
                  keep(whole(0), [](auto& o, std::int64_t v) { o.code_size = v; }));
    parser.option("code-of", "values|roots", "what that layer sees of convolutional codes right below it",
                  keep(
                      [this](const std::string& text) {
                          code_of_named_ = true;
                          return parse_code_of(text);
                      },
                      [](auto& o, bool roots) { o.code_roots = roots; }));
    parser.option("radial", "N",
                  "radial units over that code, a wide code for linear classifiers; 0 for none",
                  keep(
                      [this](const std::string& text) {
                          radial_named_ = true;
                          return whole(0)(text);
                      },
                      [](auto& o, std::int64_t v) { o.radial_units = v; }));
    parser.option("patches", "N", "from which a convolutional layer learns, at most",
                  keep(whole(1000), [](auto& o, std::int64_t v) { o.patches = v; }));
    parser.option("patch-epochs", "N", "passes over them with winner-take-all, after k-means",
                  keep(whole(0), [](auto& o, std::int64_t v) { o.patch_epochs = v; }));
    parser.option("layers", "N,N,...", "units of each layer, bottom up",
                  dense("layers", keep(list_of(whole(1)), [](auto& o, const auto& v) { o.layers = v; })));
    parser.option("activations", "F,F,...",
                  "one for all layers, or one a layer: linear, sigmoid, tanh, relu, elu, silu",
                  dense("activations",
                        keep(list_of([](std::string_view name) { return stackae::parse<Activation>(name); }),
                             [](auto& o, const auto& v) { o.activations = v; })));
    parser.option("output-activation", "F", "of the first layer's decoder; else chosen by the recipe",
                  dense("output-activation",
                        keep(stackae::parse<Activation>, [](auto& o, const auto& v) { o.output = v; })));
    parser.flag("tied", "the decoder uses the encoder's weights, transposed",
                dense_flag("tied", [](TrainOptions& o) { o.tied = true; }));
    parser.flag("untied", "the decoder has weights of its own",
                dense_flag("untied", [](TrainOptions& o) { o.tied = false; }));
}

void TrainSettings::declare_greedy(OptionParser& parser) {
    parser.group("Training layer by layer");
    parser.option("epochs", "N,N,...", "one for all layers, or one a layer",
                  dense("epochs", keep(
                                      [this](const std::string& text) {
                                          epochs_named_ = true;
                                          return parse_list(text, whole(0));
                                      },
                                      [](auto& o, const auto& v) { o.epochs = v; })));
    parser.option("loss", "NAME", "squared_error or cross_entropy; else chosen by the decoder",
                  dense("loss", keep(stackae::parse<LossKind>, [](auto& o, const auto& v) { o.loss = v; })));
    parser.option("corruption", "KIND[:LEVEL,...]",
                  "none, masking, gaussian or salt_and_pepper, with one level for all layers or one a layer",
                  dense("corruption", keep(parse_corruption, [](auto& o, const CorruptionSetting& v) {
                            o.corruption = v.corruption;
                            o.corruption_level = v.level;
                        })));
    parser.option("corruption-level", "P,P,...", "probability or deviation of the corruption",
                  dense("corruption-level",
                        keep(list_of(number(0.0)), [](auto& o, const auto& v) { o.corruption_level = v; })));
    parser.option("weight-decay", "X", "L2 penalty on weights",
                  dense("weight-decay", keep(number(0.0), [](auto& o, double v) { o.weight_decay = v; })));
    parser.option(
        "sparsity-target", "P", "mean activation aimed at by the KL penalty",
        dense("sparsity-target", keep(number(0.0, 1.0), [](auto& o, double v) { o.sparsity_target = v; })));
    parser.option(
        "sparsity-weight", "X", "weight of the KL penalty",
        dense("sparsity-weight", keep(number(0.0), [](auto& o, double v) { o.sparsity_weight = v; })));
    parser.option(
        "winner-share", "P", "winner-take-all: share of a batch for which a unit is kept",
        gradient("winner-share", keep(number(0.0, 1.0), [](auto& o, double v) { o.winner_share = v; })));

    parser.group("Pictures moved at random");
    parser.option("augment", "KIND:BOUND,...",
                  "anew in every epoch, or none: shift and scale by a share of the side, rotate by degrees, "
                  "shear by pixels a pixel",
                  dense("augment", keep(parse_augmentation,
                                        [](auto& o, const Augmentation& v) { o.augmentation = v; })));

    parser.group("Fine-tuning of the unrolled stack");
    parser.option("fine-tune", "EPOCHS", "0 for none",
                  dense("fine-tune", keep(
                                         [this](std::string_view text) {
                                             fine_tuning_named_ = true;
                                             return whole(0)(text);
                                         },
                                         [](auto& o, std::int64_t v) { o.fine_tune_epochs = v; })));
    parser.option(
        "fine-tune-lr", "X", "its learning rate; else that of the layers",
        dense("fine-tune-lr", keep(number(0.0), [](auto& o, double v) { o.fine_tune_learning_rate = v; })));
    parser.option("fine-tune-loss", "NAME", "its loss; else the first layer's",
                  dense("fine-tune-loss", keep(stackae::parse<LossKind>,
                                               [](auto& o, const auto& v) { o.fine_tune_loss = v; })));
}

void TrainSettings::declare_optimizer(OptionParser& parser) {
    parser.group("The optimiser");
    parser.option("optimizer", "NAME", "sgd, adam or adamw",
                  dense("optimizer", keep(stackae::parse<OptimizerKind>,
                                          [](auto& o, const auto& v) { o.optimizer = v; })));
    parser.option("lr", "X", "learning rate",
                  gradient("lr", keep(number(0.0), [](auto& o, double v) { o.learning_rate = v; })));
    parser.option("momentum", "X", "of sgd",
                  dense("momentum", keep(number(0.0, 1.0), [](auto& o, double v) { o.momentum = v; })));
    parser.flag("nesterov", "Nesterov's momentum, of sgd",
                dense_flag("nesterov", [](TrainOptions& o) { o.nesterov = true; }));
    parser.option("schedule", "NAME", "constant, step, cosine or one_cycle",
                  dense("schedule",
                        keep(stackae::parse<ScheduleKind>, [](auto& o, const auto& v) { o.schedule = v; })));
    parser.option("step-epochs", "N", "epochs between the steps of the step schedule",
                  dense("step-epochs", keep(whole(1), [](auto& o, std::int64_t v) { o.step_epochs = v; })));
    parser.option("step-factor", "X", "what a step multiplies the learning rate by",
                  dense("step-factor", keep(number(0.0), [](auto& o, double v) { o.step_factor = v; })));
    parser.option("warmup", "P", "share of a phase in which one_cycle rises",
                  dense("warmup", keep(number(0.0, 1.0), [](auto& o, double v) { o.warmup = v; })));
    parser.option("clip-norm", "X", "upper bound of the gradient's norm; 0 for none",
                  dense("clip-norm", keep(number(0.0), [](auto& o, double v) { o.clip_norm = v; })));
}

void TrainSettings::declare_run(OptionParser& parser) {
    parser.group("The run");
    parser.option("batch-size,b", "N", "pictures an update; 1 updates after every picture",
                  dense("batch-size", keep(
                                          [this](const std::string& text) {
                                              batch_named_ = true;
                                              return parse_integer(text, 1);
                                          },
                                          [](auto& o, std::int64_t v) { o.batch_size = v; })));
    parser.option("validation", "P", "share of the pictures held out to measure on",
                  keep(number(0.0, 1.0), [](auto& o, double v) { o.validation = v; }));
    parser.option("patience", "N", "end a phase after N epochs without a better validation loss; 0: never",
                  dense("patience", keep(whole(0), [](auto& o, std::int64_t v) { o.patience = v; })));
    parser.option("seed", "N", "of everything random",
                  keep(whole(0), [](auto& o, std::int64_t v) { o.seed = static_cast<std::uint64_t>(v); }));
    reading_.declare(parser);
    parser.option("temporary-folder", "DIR", "where pictures and codes go that the memory does not hold",
                  keep([](const std::string& text) { return text; },
                       [](auto& o, const std::string& v) { o.temporary_folder = v; }));
}

void TrainSettings::declare_recipe(OptionParser& parser) {
    parser.group("How pictures are prepared (kept in the model)");
    parser.option("img-size", "N|HxW", "height and width; else the pictures' median, at most 64",
                  [this](const std::string& text) {
                      const PictureSize size = parse_picture_size(text);
                      recipe_.height = size.height;
                      recipe_.width = size.width;
                  });
    parser.option("channels", "gray|rgb", "else gray if all pictures are gray",
                  [this](const std::string& text) { recipe_.channels = parse_channels(text); });
    parser.option("crop-mode", "MODE",
                  "other shapes are squashed, given a border, or cut to the center: "
                  "squash|border|center",
                  [this](const std::string& text) { recipe_.resize = parse<ResizeMode>(text); });
    parser.option("background", "P", "gray level, 0 to 1, behind transparency and in borders",
                  [this](const std::string& text) {
                      recipe_.background = static_cast<float>(parse_number(text, 0.0, 1.0));
                  });
    parser.flag("contrast", "even out the contrast of each picture", recipe_.contrast);
    parser.flag(
        "standardize",
        "subtract each value's mean, divide by its deviation: values may then lie outside of 0 to 1; so "
        "it is for rows of numbers (n×d) where --img-size does not say that they are pictures",
        [this] { recipe_.standardize = true; });
    parser.flag("no-standardize", "leave values as they are, also rows of numbers",
                [this] { recipe_.standardize = false; });
}

OptionParser::Handler TrainSettings::gradient(const char* option, const OptionParser::Handler& handler) {
    return [this, option, handler](const std::string& text) {
        handler(text);
        gradient_named_.emplace_back(option);
    };
}

OptionParser::Handler TrainSettings::dense(const char* option, const OptionParser::Handler& handler) {
    return gradient(option, [this, option, handler](const std::string& text) {
        handler(text);
        dense_because_ = option;
    });
}

std::function<void()> TrainSettings::dense_flag(const char* option, const Override& assign) {
    return [this, option, assign] {
        overrides_.push_back(assign);
        gradient_named_.emplace_back(option);
        dense_because_ = option;
    };
}

bool TrainSettings::automatic() const {
    return preset_ == automatic_name || (preset_.empty() && !convolutions_named_ && dense_because_.empty());
}

void TrainSettings::check_automatic() const {
    if (preset_ == automatic_name && (convolutions_named_ || !dense_because_.empty())) {
        throw UsageError(fmt::format("--preset auto chooses the stack; --{} is for another preset",
                                     convolutions_named_ ? "convolutions" : dense_because_));
    }
    if (budget_ && !automatic()) {
        throw UsageError(fmt::format("--budget is for --preset auto; {} settles the stack",
                                     !preset_.empty()
                                         ? "--preset " + preset_
                                         : "--" + (convolutions_named_ ? "convolutions" : dense_because_)));
    }
}

TrainOptions TrainSettings::options() const {
    if (!preset_.empty() && preset_ != automatic_name) {
        return options(preset(preset_));
    }
    return options(preset(dense_because_.empty() ? "conv" : "dense"));
}

TrainOptions TrainSettings::options(const TrainOptions& base) const {
    try {
        check_automatic();
        TrainOptions options = base;
        for (const Override& assign : overrides_) {
            assign(options);
        }
        options.threads = reading_.threads;
        options.memory_limit = reading_.memory;
        if (options.code_roots && code_of_named_ && !takes_code_roots(options)) {
            throw UsageError(
                "--code-of roots: expected a code (--code-size) right above a convolutional layer without "
                "context; "
                "take --code-of values");
        }
        // A preset's code of roots is of the preset's stack, and not of roots of roots.
        options.code_roots =
            options.code_roots &&
            (code_of_named_ || (takes_code_roots(options) && !options.convolutions.back().root));
        // Nor are its radial units for a stack without a code.
        options.radial_units = options.code_size > 0 || radial_named_ ? options.radial_units : 0;
        // What the preset says a layer is stretched over another stack; what was named must fit as it is.
        const std::size_t layers = options.layers.size();
        if (options.activations == base.activations) {
            fit_to_layers(options.activations, layers);
        }
        if (options.epochs == base.epochs) {
            fit_to_layers(options.epochs, layers);
        }
        if (options.corruption_level == base.corruption_level) {
            fit_to_layers(options.corruption_level, layers);
        }
        validate(options);
        return options;
    } catch (const InvalidArgument& error) {
        throw UsageError(error.what());
    }
}

std::vector<std::string> TrainSettings::unused(const TrainOptions& options) const {
    const bool gradients = !options.layers.empty() || options.patch_epochs > 0;
    return gradients ? std::vector<std::string>() : gradient_named_;
}

bool TrainSettings::suit_small_sets(TrainOptions& options, std::int64_t pictures) const {
    if (!preset_.empty() && preset_ != automatic_name) {
        return false;
    }
    return fit_to_small_set(
        options, pictures,
        {.batch_size = !batch_named_, .epochs = !epochs_named_, .fine_tune_epochs = !fine_tuning_named_});
}

}  // namespace stackae::cli

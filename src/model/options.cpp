#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "stackae/error.hpp"
#include "stackae/train_options.hpp"

namespace stackae {
namespace {

constexpr std::size_t max_layers = 64;
constexpr std::int64_t max_units = 1'000'000;
constexpr std::int64_t max_epochs = 1'000'000;

template <class Value>
[[noreturn]] void refuse(const char* option, const Value& found, const std::string& expected) {
    throw InvalidArgument(fmt::format("{}: {} found, {} expected", option, found, expected));
}

/// least ≤ value ≤ most.
void whole(const char* option, std::int64_t value, std::int64_t least, std::int64_t most) {
    if (value < least || value > most) {
        refuse(option, value, fmt::format("{} to {}", least, most));
    }
}

/// Bounds of a real number. The comparisons are such that NaN is always outside.
struct Range {
    double least;
    double most;
    bool least_allowed = true;
    bool most_allowed = true;

    [[nodiscard]] bool contains(double value) const {
        return (least_allowed ? value >= least : value > least) &&
               (most_allowed ? value <= most : value < most);
    }
    [[nodiscard]] std::string text() const {
        return fmt::format("a number {} {} and {} {}", least_allowed ? "from" : "above", least,
                           most_allowed ? "up to" : "below", most);
    }
};

constexpr Range positive_rate{0.0, 1000.0, false, true};
constexpr Range share{0.0, 1.0, true, false};

void real(const char* option, double value, const Range& range) {
    if (!range.contains(value)) {
        refuse(option, value, range.text());
    }
}

/// A value for every layer, or one for all.
template <class Values>
void a_layer(const char* option, const Values& values, std::size_t layers) {
    if (values.size() != 1 && values.size() != layers) {
        const std::string one = layers == 1 ? "1" : fmt::format("1 or {}", layers);
        refuse(option, fmt::format("{} values", values.size()), fmt::format("{} for {} layers", one, layers));
    }
}

/// The activation of layer i, 0-based.
Activation activation(const TrainOptions& options, std::size_t i) {
    return options.activations[options.activations.size() == 1 ? 0 : i];
}

}  // namespace

bool takes_code_roots(const TrainOptions& options) {
    return options.code_size > 0 && options.layers.empty() && !options.convolutions.empty() &&
           options.convolutions.back().context == 0;
}

namespace {

void validate_stack(const TrainOptions& options) {
    for (const ConvolutionOptions& convolution : options.convolutions) {
        if (convolution.grid > 0 && convolution.pool_size > 0) {
            refuse("convolutions",
                   fmt::format("grid {} and pool_size {}", convolution.grid, convolution.pool_size),
                   "one of them 0");
        }
        (void)parse_convolution(to_text(convolution));
    }
    whole("convolutions", std::ssize(options.convolutions), 0, 4);
    whole("code_size", options.code_size, 0, max_units);
    if (options.code_roots && !takes_code_roots(options)) {
        refuse("code_roots", "true", "false but for a code right above convolutional layers without context");
    }
    whole("radial_units", options.radial_units, 0, max_units);
    if (options.radial_units > 0 && options.code_size == 0) {
        refuse("radial_units", options.radial_units, "0 without a code_size");
    }
    whole("patches", options.patches, 1000, 100'000'000);
    whole("patch_epochs", options.patch_epochs, 0, max_epochs);
    const std::size_t n = options.layers.size();
    const std::size_t least = options.convolutions.empty() && options.code_size == 0 ? 1 : 0;
    const std::size_t most = max_layers - options.convolutions.size();
    if (n < least || n > most) {
        refuse("layers", fmt::format("{} values", n), fmt::format("{} to {}", least, most));
    }
    if (n == 0) {
        return;
    }
    for (const std::int64_t units : options.layers) {
        whole("layers", units, 1, max_units);
    }
    a_layer("activations", options.activations, n);
}

/// Cross-entropy compares numbers in [0, 1] with a sigmoid's. Layers that rebuild other codes keep squared
/// error.
void validate_losses(const TrainOptions& options) {
    const bool sigmoid_output = !options.output || *options.output == Activation::sigmoid;
    if (options.loss == LossKind::cross_entropy && !sigmoid_output) {
        refuse("loss", "cross_entropy", fmt::format("squared_error with {} output", name(*options.output)));
    }
    if (options.fine_tune_loss == LossKind::cross_entropy && !sigmoid_output) {
        refuse("fine_tune_loss", "cross_entropy",
               fmt::format("squared_error with {} output", name(*options.output)));
    }
}

void validate_augmentation(const Augmentation& augmentation) {
    real("augmentation_shift", augmentation.shift, {0.0, 0.5});
    real("augmentation_rotate", augmentation.rotate, {0.0, 180.0});
    real("augmentation_scale", augmentation.scale, {0.0, 0.5});
    real("augmentation_shear", augmentation.shear, {0.0, 1.0});
}

void validate_greedy(const TrainOptions& options) {
    real("winner_share", options.winner_share, share);
    if (options.layers.empty()) {
        return;
    }
    a_layer("corruption_level", options.corruption_level, options.layers.size());
    for (const double level : options.corruption_level) {
        real("corruption_level", level,
             options.corruption == Corruption::gaussian ? Range{0.0, 1000.0} : share);
    }
    a_layer("epochs", options.epochs, options.layers.size());
    for (const std::int64_t epochs : options.epochs) {
        whole("epochs", epochs, 0, max_epochs);
    }
    real("weight_decay", options.weight_decay, {0.0, 1.0});
    real("sparsity_target", options.sparsity_target, share);
    real("sparsity_weight", options.sparsity_weight, {0.0, 1e6});
    if ((options.sparsity_target > 0.0) != (options.sparsity_weight > 0.0)) {
        refuse("sparsity_weight", options.sparsity_weight,
               options.sparsity_target > 0.0
                   ? fmt::format("a number above 0 with sparsity_target {}", options.sparsity_target)
                   : "0 without a sparsity_target");
    }
    for (std::size_t i = 0; options.sparsity_target > 0.0 && i < options.layers.size(); ++i) {
        if (activation(options, i) != Activation::sigmoid) {
            refuse("sparsity_target", options.sparsity_target,
                   fmt::format("0, since the units of layer {} are {} and not sigmoid,", i + 1,
                               name(activation(options, i))));
        }
    }
}

void validate_optimizer(const TrainOptions& options) {
    real("learning_rate", options.learning_rate, positive_rate);
    real("momentum", options.momentum, share);
    if (options.nesterov && options.optimizer == OptimizerKind::sgd && options.momentum == 0.0) {
        refuse("momentum", options.momentum, "a number above 0 with nesterov");
    }
    real("beta1", options.beta1, share);
    real("beta2", options.beta2, share);
    real("epsilon", options.epsilon, {0.0, 1.0, false, true});
    whole("step_epochs", options.step_epochs, 1, max_epochs);
    real("step_factor", options.step_factor, {0.0, 1.0, false, true});
    real("warmup", options.warmup, share);
    real("clip_norm", options.clip_norm, {0.0, 1e9});
    whole("batch_size", options.batch_size, 1, 1'000'000);
}

}  // namespace

void validate(const TrainOptions& options) {
    validate_stack(options);
    validate_losses(options);
    validate_augmentation(options.augmentation);
    validate_greedy(options);
    whole("fine_tune_epochs", options.fine_tune_epochs, 0, max_epochs);
    if (options.fine_tune_learning_rate) {
        real("fine_tune_learning_rate", *options.fine_tune_learning_rate, positive_rate);
    }
    validate_optimizer(options);
    real("validation", options.validation, share);
    whole("patience", options.patience, 0, max_epochs);
    if (options.patience > 0 && options.validation == 0.0) {
        refuse("patience", options.patience, "0 without a validation part");
    }
    whole("threads", options.threads, 0, 1024);
    whole("memory", options.memory, 0, std::int64_t{1} << 50);
    whole("memory_limit", options.memory_limit, 0, std::int64_t{1} << 50);
}

}  // namespace stackae

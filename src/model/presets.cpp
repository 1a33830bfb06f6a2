#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "stackae/error.hpp"
#include "stackae/train_options.hpp"

namespace stackae {
namespace {

using enum Activation;

/// 1000-500-250-30, greedy and then end to end, in SiLU units with a linear code.
TrainOptions deep_autoencoder(std::int64_t fine_tune_epochs) {
    TrainOptions o;
    o.layers = {1000, 500, 250, 30};
    o.activations = {silu, silu, silu, linear};
    o.epochs = {3};
    o.fine_tune_epochs = fine_tune_epochs;
    o.fine_tune_learning_rate = 2e-3;
    o.optimizer = OptimizerKind::adamw;
    o.weight_decay = 0.05;
    o.learning_rate = 1e-3;
    o.schedule = ScheduleKind::one_cycle;
    return o;
}

Preset dense() {
    return {"dense",
            "deep autoencoder for features: greedy, then end to end (Hinton & Salakhutdinov 2006), with SiLU "
            "units (Elfwing et al. 2018)",
            deep_autoencoder(30)};
}

Preset hinton2006() {
    return {"hinton2006",
            "the 784-1000-500-250-30 deep autoencoder, trained for longer (Hinton & Salakhutdinov 2006); "
            "autoencoders for its RBMs, SiLU for its logistic units",
            deep_autoencoder(60)};
}

Preset compact() {
    // Layers that are trained greedily first end higher: at this rate, fine-tuning begins better without
    // them.
    TrainOptions o = deep_autoencoder(50);
    o.layers = {2000, 1000, 500, 30};
    o.epochs = {0};
    o.fine_tune_learning_rate = 4e-3;
    o.clip_norm = 5.0;  // keeps a stack this wide from diverging
    o.augmentation = {0.0, 6.0, 0.06, 0.08};
    return {"compact",
            "the lowest error of reconstruction from 30 numbers: a wide stack, trained end to end at once on "
            "pictures that are turned, scaled and sheared a little",
            o};
}

Preset sdae() {
    TrainOptions o;
    o.layers = {1000, 1000, 1000};
    o.activations = {sigmoid};
    o.tied = true;
    o.corruption = Corruption::masking;
    o.corruption_level = {0.25};
    o.epochs = {30};
    o.optimizer = OptimizerKind::sgd;
    o.learning_rate = 0.1;
    o.schedule = ScheduleKind::constant;
    o.batch_size = 20;
    return {"sdae", "stacked denoising autoencoder, as in the paper (Vincent et al. 2010)", o};
}

Preset sparse() {
    TrainOptions o;
    o.layers = {400};
    o.activations = {sigmoid};
    o.loss = LossKind::squared_error;
    o.sparsity_target = 0.05;
    o.sparsity_weight = 3.0;
    o.weight_decay = 1e-4;
    o.epochs = {30};
    return {"sparse", "one layer of rarely active units, by the KL penalty (Ng 2011; Coates et al. 2011)", o};
}

Preset wta() {
    TrainOptions o;
    o.layers = {2000};
    o.activations = {relu};
    o.output = linear;
    o.loss = LossKind::squared_error;
    o.winner_share = 0.05;
    o.epochs = {30};
    return {"wta", "one layer of winner-take-all units over the batch (FC-WTA, Makhzani & Frey 2015)", o};
}

/// Two convolutional layers, a linear code and radial units over it. Patch sizes, shares and grids were
/// compared on held-out training pictures of CIFAR-10 and MNIST.
TrainOptions convolutional(std::int64_t units, std::int64_t radial_units) {
    TrainOptions o;
    o.convolutions = {parse_convolution("256@7:pool=2:share=0.3"),
                      parse_convolution("1024@3:grid=3:share=0.3")};
    o.convolutions.back().units = units;
    o.code_size = 512;
    o.code_roots = true;
    o.radial_units = radial_units;
    o.activations = {silu};
    return o;
}

Preset conv() {
    return {"conv",
            "two convolutional layers with soft thresholds, a linear code and radial units, for pictures of "
            "20 pixels and more "
            "(Coates, Lee & Ng 2011; Makhzani & Frey 2015)",
            convolutional(1024, 4096)};
}

Preset conv_large() {
    return {"conv-large", "conv with more units: better features, for two to three times the time",
            convolutional(2048, 16384)};
}

std::vector<Preset> make_presets() {
    std::vector<Preset> made{dense(), conv(), conv_large(), hinton2006(), compact(), sdae(), sparse(), wta()};
    for (Preset& preset : made) {
        preset.options.preset = preset.name;
    }
    return made;
}

}  // namespace

const std::vector<Preset>& presets() {
    static const std::vector<Preset> all = make_presets();
    return all;
}

TrainOptions preset(std::string_view name) {
    const auto& all = presets();
    const auto found = std::find_if(all.begin(), all.end(), [&](const Preset& p) { return p.name == name; });
    if (found == all.end()) {
        std::vector<std::string> names(all.size());
        std::transform(all.begin(), all.end(), names.begin(), [](const Preset& p) { return p.name; });
        throw InvalidArgument(
            fmt::format("preset: \"{}\" found, one of {} expected", name, fmt::join(names, ", ")));
    }
    return found->options;
}

}  // namespace stackae

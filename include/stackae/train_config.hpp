#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/corruption.hpp"
#include "stackae/interactions.hpp"
#include "stackae/layer.hpp"
#include "stackae/loss_kind.hpp"
#include "stackae/optimizer_config.hpp"
#include "stackae/options.hpp"

namespace stackae {

/// Everything that affects what training makes: the stack and how it learns. It is kept in the model.
struct TrainConfig : OptionSet {
    std::string preset = "custom";  ///< where the values came from; a label only
    Stack stack;                    ///< the layers, not bound to a shape

    Option<std::uint64_t> seed{this, "seed", 0, {0.0, 1.8e19}, "of everything random"};
    Option<double> validation{this, "validation", 0.05, any_share,
                              "share of the pictures held out to measure on, at most 10,000 pictures"};

    Option<TableRow> rows{this, "rows", TableRow::user, "of a table: what a row to learn from is"};

    // Layer by layer.
    Option<std::int64_t> epochs{this, "epochs", 10, {0.0, 1e6}, "of each layer that does not say its own"};
    Option<std::optional<LossKind>> loss{this, "loss", {}, "else chosen by the decoder and what it rebuilds"};
    Option<Corruption> corruption{
        this, "corruption", Corruption::none,
        "what is done to a layer's input, but not to its target (Vincent et al. 2010)"};
    Option<double> corruption_level{
        this, "corruption_level", 0.0, {0.0, 1000.0}, "its probability or deviation"};
    Option<double> weight_decay{this, "weight_decay", 0.0, {0.0, 1.0}, "on weights, never on biases"};
    Option<double> sparsity_target{this, "sparsity_target", 0.0, any_share,
                                   "mean activation aimed at by the KL penalty, of sigmoid units; 0: none"};
    Option<double> sparsity_weight{this, "sparsity_weight", 0.0, {0.0, 1e6}, "weight of the KL penalty"};
    Option<double> lifetime_sparsity{
        this, "lifetime_sparsity", 0.0, any_share,
        "winner-take-all: share of a batch for which a unit is kept (Makhzani & Frey 2015); 0: all"};

    // Pictures moved at random, anew in every epoch, where the lowest layer learns by gradients.
    Option<double> augment_shift{this, "augment_shift", 0.0, {0.0, 0.5}, "bound, as a share of the side"};
    Option<double> augment_rotate{this, "augment_rotate", 0.0, {0.0, 180.0}, "bound, in degrees"};
    Option<double> augment_scale{
        this, "augment_scale", 0.0, {0.0, 0.5}, "bound, height and width each on its own"};
    Option<double> augment_shear{
        this, "augment_shear", 0.0, {0.0, 1.0}, "bound, pixels sideways a pixel downwards"};
    Option<double> augment_elastic{this,
                                   "augment_elastic",
                                   0.0,
                                   {0.0, 0.2},
                                   "bends pictures: the deviation of a point, as a share of the side"};

    // End to end, on reconstruction, of a stack of dense layers.
    Option<std::int64_t> fine_tune_epochs{this, "fine_tune_epochs,fine-tune", 0, {0.0, 1e6}, "0: none"};
    Option<double> fine_tune_corruption_level{
        this, "fine_tune_corruption_level", 0.0, {0.0, 1000.0}, "of what the lowest of them sees"};
    Option<std::optional<double>> fine_tune_learning_rate{
        this, "fine_tune_learning_rate,fine-tune-lr", {}, {0.0, 1000.0, true}, "else that of the layers"};
    Option<std::optional<LossKind>> fine_tune_loss{this, "fine_tune_loss", {}, "else the first layer's"};
    Option<bool> fine_tune_from_pca{
        this, "fine_tune_from_pca", false,
        "begin with principal components, carried by pairs of units, in place of what the layers learnt"};
    Option<bool> untie_in_fine_tuning{this, "untie_in_fine_tuning", true,
                                      "tied decoders get weights of their own"};

    // The optimiser.
    Option<OptimizerKind> optimizer{this, "optimizer", OptimizerKind::adam,
                                    "of every layer that learns by gradients"};
    Option<double> learning_rate{
        this, "learning_rate,lr", 1e-3, {0.0, 1000.0, true}, "the highest of its schedule"};
    Option<double> momentum{this, "momentum", 0.9, any_share, "of sgd"};
    Option<bool> nesterov{this, "nesterov", false, "Nesterov's momentum, of sgd"};
    Option<double> beta1{this, "beta1", 0.9, any_share, "of adam"};
    Option<double> beta2{this, "beta2", 0.999, any_share, "of adam"};
    Option<double> epsilon{this, "epsilon", 1e-8, {0.0, 1.0, true}, "of adam"};
    Option<ScheduleKind> schedule{this, "schedule", ScheduleKind::one_cycle,
                                  "of the learning rate over a stage"};
    Option<std::int64_t> step_epochs{
        this, "step_epochs", 10, {1.0, 1e6}, "between the steps of the step schedule"};
    Option<double> step_factor{
        this, "step_factor", 0.1, {0.0, 1.0, true}, "what a step multiplies the rate by"};
    Option<double> warmup{this, "warmup", 0.3, any_share, "share of a stage in which one_cycle rises"};
    Option<double> clip_norm{
        this, "clip_norm", 0.0, {0.0, 1e9}, "upper bound of the gradient's norm; 0: none"};
    Option<std::int64_t> batch_size{
        this, "batch_size,b", 256, {1.0, 1e6}, "1: an update after every picture"};
    Option<std::int64_t> patience{this,
                                  "patience",
                                  0,
                                  {0.0, 1e6},
                                  "epochs without a better validation loss before a stage ends; 0: never"};
    Option<std::int64_t> retries{
        this,
        "retries",
        3,
        {0.0, 10.0},
        "tries more for a stage that learnt nothing, at lower rates and from other starts; 0: none"};
};

/// What affects speed, memory and what is left by a run that ends early, and is never kept in a model.
struct RunOptions : OptionSet {
    Option<std::int64_t> threads{this,
                                 "threads",
                                 0,
                                 {0.0, 1024.0},
                                 "0: one for each core that may be used; fewer where a quota pays for fewer"};
    Option<std::int64_t> memory_limit{
        this,
        "memory",
        0,
        {0.0, 9e18},
        "bytes that may be taken; 0: half of what the machine or its group allows"};
    Option<std::string> temporary_folder{this, "temporary_folder", "",
                                         "where goes what the memory does not hold; else /var/tmp"};
    Option<std::string> checkpoint{this, "checkpoint", "",
                                   "file that a training is kept in while it is under way; empty: none"};
    Option<double> checkpoint_every{this,
                                    "checkpoint_every",
                                    300.0,
                                    {0.0, 1e9},
                                    "seconds between checkpoints within a stage; 0: before every step"};
    Option<bool> resume{this, "resume", false, "go on where the checkpoint is, if there is one"};
};

/// Throws InvalidArgument that names the option, its value and what was expected, also where options
/// contradict one another.
void validate(const TrainConfig& config);

/// Lines `name = value`, the stack's text first, as --save-config writes and --config reads them; options at
/// their defaults are left out. Comments begin with #.
[[nodiscard]] std::string to_text(const TrainConfig& config);
/// Changes the options that the text names. Throws InvalidArgument with the line's number.
void read_config(std::string_view text, TrainConfig& config);

/// A configuration by name.
struct Preset {
    std::string name;
    std::string summary;  ///< one line, with the papers
    std::string config;   ///< as read_config() takes it
};

/// All presets; the first is the default for rows of numbers and small pictures.
[[nodiscard]] const std::vector<Preset>& presets();
/// Throws InvalidArgument that lists the presets there are.
[[nodiscard]] TrainConfig preset(std::string_view name);

}  // namespace stackae

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/activation.hpp"
#include "stackae/corruption.hpp"
#include "stackae/loss_kind.hpp"
#include "stackae/optimizer_config.hpp"
#include "stackae/recipe.hpp"

namespace stackae {

/// One convolutional layer, as it is asked for. Written `UNITS@KERNEL` with settings after colons, such as
/// `256@5:pool=2:share=0.2`.
struct ConvolutionOptions {
    std::int64_t units = 256;
    std::int64_t kernel = 5;     ///< side of a patch, in pixels or cells of the layer below
    std::int64_t pool_size = 2;  ///< `pool=2`, or `pool=3/2` with another step; 0: a grid
    std::int64_t pool_stride = 2;
    std::int64_t grid = 0;   ///< `grid=3`: 3 × 3 cells over the whole picture
    bool maximum = false;    ///< `max`: the largest code of a cell instead of the average
    bool root = false;       ///< `root`: the square roots of what was pooled
    bool two_sided = false;  ///< `signs`: codes of both signs
    double share = 0.2;      ///< of a patch's units that are active; settles the threshold θ
    /// `context=3`: linear units of length one, learnt to predict the code of a patch up to 3 positions away;
    /// 0: units with a threshold, learnt to rebuild the patch.
    std::int64_t context = 0;
    std::int64_t whitened = 0;  ///< `whiten=400`: principal axes kept of a patch at most; 0: 512
    double whitening = 0.1;     ///< `eps=0.1`: ε added to the variances, as a share of their mean

    friend bool operator==(const ConvolutionOptions&, const ConvolutionOptions&) = default;
};

/// The text of it, and back. Throws InvalidArgument.
[[nodiscard]] std::string to_text(const ConvolutionOptions& options);
[[nodiscard]] ConvolutionOptions parse_convolution(std::string_view text);

/// How far pictures are moved at random, anew in every epoch, in training alone: the moved picture is both
/// input and target. Each number is a bound; what is drawn is uniform between minus and plus it, for each
/// picture on its own. 0: none. Pictures are never mirrored; those of height 1 (rows of numbers) stay as they
/// are. Of standardised pictures, a pixel that hardly varies is large where something is moved over it:
/// small bounds suit them.
struct Augmentation {
    double shift = 0.0;   ///< in [0, 0.5], share of the height downwards and of the width sideways
    double rotate = 0.0;  ///< in [0, 180], degrees
    double scale = 0.0;   ///< in [0, 0.5], height and width times 1 ± scale, each on its own
    double shear = 0.0;   ///< in [0, 1], pixels sideways a pixel downwards

    friend bool operator==(const Augmentation&, const Augmentation&) = default;
};

/// How a stack is trained. Vectors "a layer" hold one value for every layer, or one for all.
struct TrainOptions {
    // --- affects results: the stack -------------------------------------------------------------
    std::string preset = "dense";                  ///< where the values came from; a label only
    std::vector<ConvolutionOptions> convolutions;  ///< convolutional layers, bottom up; dense ones go on top
    std::vector<std::int64_t> layers;              ///< units of each dense layer, bottom up
    /// Values of a linear dense layer at the very top, solved in closed form: its code space is that of the
    /// principal components (Baldi & Hornik 1989). 0: none.
    std::int64_t code_size = 0;
    /// That layer sees the square roots of the pooled codes below it, so that a strong answer does not drown
    /// the others (Perronnin, Sánchez & Mensink 2010), each divided by s + 0.3 s̄, s its deviation and s̄ the
    /// mean of all. Only right above convolutional layers.
    bool code_roots = false;
    /// Radial units over that code, at most one a training picture: a wide code for linear classifiers.
    /// 0: none.
    std::int64_t radial_units = 0;
    std::int64_t patches = 200'000;  ///< from which a convolutional layer learns, at most
    /// Passes over the patches with winner-take-all, from a dictionary of spherical k-means, its limit of one
    /// winner a patch.
    std::int64_t patch_epochs = 0;
    std::vector<Activation> activations;  ///< f, a layer
    /// g of the first dense layer; absent: sigmoid when it sees pictures that lie in [0, 1], relu when it
    /// sees the codes of a convolutional layer, else linear. The decoder of a higher layer mirrors the
    /// activation of the layer below, whose codes it rebuilds.
    std::optional<Activation> output;
    bool tied = false;                 ///< V = Wᵀ
    bool untie_in_fine_tuning = true;  ///< tied decoders get weights of their own when unrolled

    // --- affects results: the pictures ----------------------------------------------------------
    /// Of the phases that see pictures: the first layer and fine-tuning, where there are no convolutions.
    Augmentation augmentation;

    // --- affects results: greedy, layer by layer ------------------------------------------------
    /// Absent: cross-entropy where the decoder is a sigmoid and its target lies in [0, 1], else squared
    /// error. A layer above the first whose decoder is no sigmoid has squared error, whatever is named.
    std::optional<LossKind> loss;
    Corruption corruption = Corruption::none;
    std::vector<double> corruption_level = {0.0};  ///< a layer
    std::vector<std::int64_t> epochs = {10};       ///< a layer; 0 leaves the layer at its initial weights
    double weight_decay = 0.0;                     ///< λ; weights only, never biases
    double sparsity_target = 0.0;  ///< ρ in (0, 1) of the KL penalty, for sigmoid units; 0: none
    double sparsity_weight = 0.0;  ///< β of the KL penalty
    /// Winner-take-all (Makhzani & Frey 2015): share in (0, 1) of the batch for which a unit is kept; 0:
    /// none.
    double winner_share = 0.0;

    // --- affects results: end to end ------------------------------------------------------------
    std::int64_t fine_tune_epochs = 0;              ///< of the unrolled stack, on reconstruction; 0: none
    std::optional<double> fine_tune_learning_rate;  ///< absent: `learning_rate`
    std::optional<LossKind> fine_tune_loss;         ///< absent: as the first layer's

    // --- affects results: the optimiser ---------------------------------------------------------
    OptimizerKind optimizer = OptimizerKind::adam;
    double learning_rate = 1e-3;
    double momentum = 0.9;  ///< sgd only
    bool nesterov = false;  ///< sgd only
    double beta1 = 0.9;     ///< adam only
    double beta2 = 0.999;   ///< adam only
    double epsilon = 1e-8;  ///< adam only
    ScheduleKind schedule = ScheduleKind::one_cycle;
    std::int64_t step_epochs = 10;
    double step_factor = 0.1;
    double warmup = 0.3;            ///< share of a phase, one_cycle only
    double clip_norm = 0.0;         ///< upper bound of the gradient's Euclidean norm; 0: none
    std::int64_t batch_size = 256;  ///< 1: an update after every observation
    double validation = 0.05;       ///< share of the pictures held out, at most 10,000 pictures; 0: none
    std::int64_t patience = 0;      ///< epochs without a better validation loss before a phase ends; 0: never
    std::uint64_t seed = 0;

    // --- affects speed --------------------------------------------------------------------------
    /// 0: one for each core that the process's affinity leaves it; never more than its control groups' quota
    /// pays for. They are OpenMP's, and those that wait for others spin as the process has it: libgomp's for
    /// 300,000 rounds, which on busy cores makes everything many times slower. What sets that is read when
    /// libgomp is loaded, so a program that runs beside others is started with GOMP_SPINCOUNT=1000 in its
    /// environment (as the program `stackae` sees to for itself); the library leaves the environment alone.
    int threads = 0;
    /// Bytes that training may take in all; a stack that needs more to work with is refused before they are
    /// taken. 0: half of what the machine has or the process's control groups or its limit of address space
    /// allow. Not kept in the model's file.
    std::int64_t memory_limit = 0;
    /// Of them, bytes of pictures and codes held, at most half of the limit; above, they go to a temporary
    /// file. A convolutional layer learns from patches of at most half of these bytes.
    std::int64_t memory = std::int64_t{2} << 30;
    std::string temporary_folder;  ///< where that file goes; empty: /var/tmp

    friend bool operator==(const TrainOptions&, const TrainOptions&) = default;
};

/// Whether TrainOptions::code_roots may be set: the code lies right above codes that are never negative.
[[nodiscard]] bool takes_code_roots(const TrainOptions& options);
/// Throws InvalidArgument that names the option, its value and its range.
void validate(const TrainOptions& options);

struct Preset {
    std::string name;
    std::string summary;  ///< one line, with the paper
    TrainOptions options;
};

/// All presets; the first is the default.
[[nodiscard]] const std::vector<Preset>& presets();
/// Throws InvalidArgument that lists the presets there are.
[[nodiscard]] TrainOptions preset(std::string_view name);

}  // namespace stackae

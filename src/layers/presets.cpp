#include "stackae/train_config.hpp"

namespace stackae {
namespace {

/// Greedy and then end to end, in SiLU units with a linear code.
constexpr const char* deep_autoencoder = R"(
    stack = dense:1000, dense:500, dense:250, dense:30:activation=linear
    epochs = 3
    fine_tune_learning_rate = 0.002
    optimizer = adamw
    weight_decay = 0.05
)";

/// Two convolutional layers, principal components and Nyström features over them. Patch sizes, activation
/// rates and grids were compared on held-out training pictures of CIFAR-10 and MNIST.
constexpr const char* convolutions = R"(
    stack = conv2d:256:kernel=7:activation_rate=0.3, pool2d:2, conv2d:1024:kernel=3:activation_rate=0.3, pool2d:grid=3, power_norm, pca:512:eigen_power=-0.25:std_shrinkage=0.3, l2_norm, nystroem:4096
)";

constexpr const char* more_convolutions = R"(
    stack = conv2d:256:kernel=7:activation_rate=0.3, pool2d:2, conv2d:2048:kernel=3:activation_rate=0.3, pool2d:grid=3, power_norm, pca:512:eigen_power=-0.25:std_shrinkage=0.3, l2_norm, nystroem:16384
)";

}  // namespace

const std::vector<Preset>& presets() {
    static const std::vector<Preset> all{
        {"dense",
         "deep autoencoder for features: greedy, then end to end (Hinton & Salakhutdinov 2006), with SiLU "
         "units (Elfwing et al. 2018), on pictures that are moved, turned, scaled and sheared a little",
         std::string(deep_autoencoder) + R"(
    stack = dense:1000, dense:500, dense:30:activation=linear
    fine_tune_epochs = 30
    fine_tune_learning_rate = 0.004
    clip_norm = 5
    augment_shift = 0.02
    augment_rotate = 6
    augment_scale = 0.06
    augment_shear = 0.08)"},
        {"conv",
         "two convolutional layers with soft thresholds, principal components and Nystroem features, for "
         "pictures of 20 pixels and more (Coates, Lee & Ng 2011; Makhzani & Frey 2015)",
         convolutions},
        {"conv-large", "conv with more units: better features, for two to three times the time",
         more_convolutions},
        {"hinton2006",
         "the 784-1000-500-250-30 deep autoencoder, trained for longer (Hinton & Salakhutdinov 2006); "
         "autoencoders for its RBMs, SiLU for its logistic units",
         std::string(deep_autoencoder) + "fine_tune_epochs = 60"},
        // Layers that are trained greedily first end higher: at this rate, fine-tuning begins better without
        // them. The bound on the gradient keeps a stack this wide from diverging.
        {"compact",
         "the lowest error of reconstruction from 30 numbers: a wide stack, trained end to end at once on "
         "pictures that are moved, turned, scaled, sheared and bent a little",
         std::string(deep_autoencoder) + R"(
    stack = dense:2000, dense:1000, dense:500, dense:30:activation=linear
    epochs = 0
    fine_tune_epochs = 80
    fine_tune_learning_rate = 0.004
    clip_norm = 5
    augment_shift = 0.02
    augment_rotate = 6
    augment_scale = 0.06
    augment_shear = 0.08
    augment_elastic = 0.0143)"},
        {"sdae", "stacked denoising autoencoder, as in the paper (Vincent et al. 2010)", R"(
    stack = dense:1000:activation=sigmoid:tied, dense:1000:activation=sigmoid:tied, dense:1000:activation=sigmoid:tied
    corruption = masking
    corruption_level = 0.25
    epochs = 30
    optimizer = sgd
    learning_rate = 0.1
    schedule = constant
    batch_size = 20)"},
        {"sparse", "one layer of rarely active units, by the KL penalty (Ng 2011; Coates et al. 2011)", R"(
    stack = dense:400:activation=sigmoid
    loss = squared_error
    sparsity_target = 0.05
    sparsity_weight = 3
    weight_decay = 0.0001
    epochs = 30)"},
        {"wta", "one layer of winner-take-all units over the batch (FC-WTA, Makhzani & Frey 2015)", R"(
    stack = dense:2000:activation=relu:output=linear
    loss = squared_error
    lifetime_sparsity = 0.05
    epochs = 30)"},
        {"classic",
         "of a table: one sigmoid layer on a user's row, by cross-entropy and an update after each user", R"(
    stack = dense:200:activation=sigmoid:output=sigmoid
    loss = cross_entropy
    validation = 0
    optimizer = sgd
    learning_rate = 0.01
    momentum = 0
    schedule = constant
    batch_size = 1
    epochs = 20)"},
        {"mult_dae",
         "of a table: denoising autoencoder of rows of length 1, whose items share a softmax (Mult-DAE, "
         "Liang "
         "et al. 2018)",
         R"(
    stack = l2_norm, dense:600:activation=tanh
    loss = multinomial
    corruption = dropout
    corruption_level = 0.5
    validation = 0
    weight_decay = 0.01
    optimizer = adamw
    batch_size = 500
    epochs = 100)"},
        {"autorec",
         "of a table of ratings (--value raw): rebuilds an item's ratings from those that it has (I-AutoRec, "
         "Sedhain et al. 2015)",
         R"(
    rows = item
    stack = dense:500:activation=sigmoid
    loss = masked_squared_error
    corruption = dropout
    corruption_level = 0.6
    validation = 0
    weight_decay = 0.06
    learning_rate = 0.002
    batch_size = 128
    epochs = 60)"},
    };
    return all;
}

}  // namespace stackae

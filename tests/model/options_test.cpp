#include <functional>
#include <limits>
#include <set>
#include <string>

#include "stackae/error.hpp"
#include "stackae/train_options.hpp"

#include "support/catch.hpp"

using stackae::Activation;
using stackae::Corruption;
using stackae::InvalidArgument;
using stackae::LossKind;
using stackae::OptimizerKind;
using stackae::parse;
using stackae::ResizeMode;
using stackae::ScheduleKind;
using stackae::TrainOptions;

namespace {

std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const InvalidArgument& error) {
        return error.what();
    }
    return "nothing was thrown";
}

TrainOptions two_layers() {
    TrainOptions options;
    options.layers = {8, 4};
    options.activations = {Activation::sigmoid};
    return options;
}

/// What validate() says of two_layers() with one thing changed.
std::string refused(const std::function<void(TrainOptions&)>& change) {
    TrainOptions options = two_layers();
    change(options);
    return message_of([&] { validate(options); });
}

template <class Enum>
void check_names(std::initializer_list<const char*> names) {
    for (const char* text : names) {
        CHECK(std::string(name(parse<Enum>(text))) == text);
    }
}

}  // namespace

TEST_CASE("every option's name is read back as the same option") {
    check_names<Activation>({"linear", "sigmoid", "tanh", "relu", "elu", "silu"});
    check_names<LossKind>({"squared_error", "cross_entropy"});
    check_names<Corruption>({"none", "masking", "gaussian", "salt_and_pepper"});
    check_names<OptimizerKind>({"sgd", "adam", "adamw"});
    check_names<ScheduleKind>({"constant", "step", "cosine", "one_cycle"});
    check_names<ResizeMode>({"squash", "border", "center"});
    CHECK(parse<Activation>("relu") == Activation::relu);
    CHECK(parse<ScheduleKind>("one_cycle") == ScheduleKind::one_cycle);
}

TEST_CASE("an unknown name is answered with the names there are") {
    CHECK(message_of([] { (void)parse<Activation>("swish"); }) ==
          "activation: \"swish\" found, one of linear, sigmoid, tanh, relu, elu, silu expected");
    CHECK(message_of([] { (void)parse<ResizeMode>("Border"); }) ==
          "resize mode: \"Border\" found, one of squash, border, center expected");
    CHECK(message_of([] { (void)parse<OptimizerKind>(""); }) ==
          "optimizer: \"\" found, one of sgd, adam, adamw expected");
}

TEST_CASE("options within their bounds are taken") {
    CHECK_NOTHROW(validate(two_layers()));
    TrainOptions options = two_layers();
    options.activations = {Activation::relu, Activation::linear};
    options.corruption = Corruption::gaussian;
    options.corruption_level = {0.5, 2.0};
    options.epochs = {0, 7};
    options.batch_size = 1;
    options.validation = 0.0;
    options.warmup = 0.0;
    options.winner_share = 0.05;
    options.fine_tune_learning_rate = 1e-4;
    CHECK_NOTHROW(validate(options));
}

TEST_CASE("an option out of its range is told with its value and range") {
    CHECK(refused([](auto& o) { o.layers = {}; }) == "layers: 0 values found, 1 to 64 expected");
    CHECK(refused([](auto& o) { o.layers.assign(65, 2); }) == "layers: 65 values found, 1 to 64 expected");
    CHECK(refused([](auto& o) { o.layers[1] = 0; }) == "layers: 0 found, 1 to 1000000 expected");
    CHECK(refused([](auto& o) { o.activations = {}; }) ==
          "activations: 0 values found, 1 or 2 for 2 layers expected");
    CHECK(refused([](auto& o) {
              o.corruption_level = {0.1, 0.1, 0.1};
          }) == "corruption_level: 3 values found, 1 or 2 for 2 layers expected");
    CHECK(refused([](auto& o) {
              o.epochs = {1, 2, 3};
          }) == "epochs: 3 values found, 1 or 2 for 2 layers expected");
    CHECK(refused([](auto& o) { o.epochs = {-1}; }) == "epochs: -1 found, 0 to 1000000 expected");
    CHECK(refused([](auto& o) { o.corruption_level = {1.0}; }) ==
          "corruption_level: 1 found, a number from 0 and below 1 expected");
    CHECK(refused([](auto& o) { o.augmentation.shift = 0.6; }) ==
          "augmentation_shift: 0.6 found, a number from 0 and up to 0.5 expected");
    CHECK(refused([](auto& o) { o.learning_rate = 0.0; }) ==
          "learning_rate: 0 found, a number above 0 and up to 1000 expected");
    CHECK(refused([](auto& o) { o.fine_tune_learning_rate = -1.0; }) ==
          "fine_tune_learning_rate: -1 found, a number above 0 and up to 1000 expected");
    CHECK(refused([](auto& o) { o.fine_tune_epochs = -5; }) ==
          "fine_tune_epochs: -5 found, 0 to 1000000 expected");
    CHECK(refused([](auto& o) { o.batch_size = 0; }) == "batch_size: 0 found, 1 to 1000000 expected");
    CHECK(refused([](auto& o) { o.step_epochs = 0; }) == "step_epochs: 0 found, 1 to 1000000 expected");
    CHECK(refused([](auto& o) { o.threads = -1; }) == "threads: -1 found, 0 to 1024 expected");
    CHECK(refused([](auto& o) { o.memory = -1; }) == "memory: -1 found, 0 to 1125899906842624 expected");
    CHECK(refused([](auto& o) { o.patience = 3, o.validation = 0.0; }) ==
          "patience: 3 found, 0 without a validation part expected");
    CHECK(refused([](auto& o) {
              o.optimizer = OptimizerKind::sgd;
              o.nesterov = true;
              o.momentum = 0.0;
          }) == "momentum: 0 found, a number above 0 with nesterov expected");
}

TEST_CASE("no real option may be NaN or infinite") {
    const std::function<double&(TrainOptions&)> fields[] = {
        [](auto& o) -> double& { return o.corruption_level[0]; },
        [](auto& o) -> double& { return o.augmentation.shift; },
        [](auto& o) -> double& { return o.augmentation.rotate; },
        [](auto& o) -> double& { return o.augmentation.scale; },
        [](auto& o) -> double& { return o.augmentation.shear; },
        [](auto& o) -> double& { return o.weight_decay; },
        [](auto& o) -> double& { return o.sparsity_target; },
        [](auto& o) -> double& { return o.sparsity_weight; },
        [](auto& o) -> double& { return o.winner_share; },
        [](auto& o) -> double& { return o.learning_rate; },
        [](auto& o) -> double& { return o.momentum; },
        [](auto& o) -> double& { return o.beta1; },
        [](auto& o) -> double& { return o.beta2; },
        [](auto& o) -> double& { return o.epsilon; },
        [](auto& o) -> double& { return o.step_factor; },
        [](auto& o) -> double& { return o.warmup; },
        [](auto& o) -> double& { return o.clip_norm; },
        [](auto& o) -> double& { return o.validation; },
        [](auto& o) -> double& { return o.fine_tune_learning_rate.emplace(1.0); },
    };
    for (const auto& field : fields) {
        for (const double bad :
             {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
              -std::numeric_limits<double>::infinity(), -0.5}) {
            const std::string message = refused([&](auto& o) { field(o) = bad; });
            INFO(message);
            CHECK(message.find(" expected") != std::string::npos);
        }
    }
}

TEST_CASE("cross-entropy is refused where the decoder is no sigmoid") {
    CHECK(refused([](auto& o) { o.loss = LossKind::cross_entropy; }) == "nothing was thrown");
    CHECK(refused([](auto& o) {
              o.loss = LossKind::cross_entropy;
              o.output = Activation::linear;
          }) == "loss: cross_entropy found, squared_error with linear output expected");
    CHECK(refused([](auto& o) {  // layer 2 rebuilds relu codes by squared error
              o.loss = LossKind::cross_entropy;
              o.activations = {Activation::relu, Activation::linear};
          }) == "nothing was thrown");
    CHECK(refused([](auto& o) {
              o.fine_tune_loss = LossKind::cross_entropy;
              o.output = Activation::relu;
          }) == "fine_tune_loss: cross_entropy found, squared_error with relu output expected");
}

TEST_CASE("KL sparsity needs sigmoid units and both of its numbers") {
    CHECK(refused([](auto& o) { o.sparsity_target = 0.05, o.sparsity_weight = 3.0; }) ==
          "nothing was thrown");
    CHECK(refused([](auto& o) { o.sparsity_target = 0.05; }) ==
          "sparsity_weight: 0 found, a number above 0 with sparsity_target 0.05 expected");
    CHECK(refused([](auto& o) { o.sparsity_weight = 3.0; }) ==
          "sparsity_weight: 3 found, 0 without a sparsity_target expected");
    CHECK(refused([](auto& o) {
              o.sparsity_target = 0.05;
              o.sparsity_weight = 3.0;
              o.activations = {Activation::sigmoid, Activation::silu};
          }) ==
          "sparsity_target: 0.05 found, 0, since the units of layer 2 are silu and not sigmoid, expected");
}

TEST_CASE("every preset is valid, named after itself and described in one line") {
    std::set<std::string> names;
    for (const stackae::Preset& preset : stackae::presets()) {
        INFO(preset.name);
        CHECK(names.insert(preset.name).second);
        CHECK_NOTHROW(validate(preset.options));
        CHECK(preset.options.preset == preset.name);
        CHECK(stackae::preset(preset.name) == preset.options);
        CHECK(!preset.summary.empty());
        CHECK(preset.summary.find('\n') == std::string::npos);
    }
    CHECK(stackae::presets().front().name == "dense");
    for (const char* name : {"hinton2006", "compact", "sdae", "sparse", "wta"}) {
        CHECK(names.count(name) == 1);
    }
}

TEST_CASE("presets are what their papers say") {
    const TrainOptions hinton = stackae::preset("hinton2006");
    CHECK(hinton.layers == std::vector<std::int64_t>{1000, 500, 250, 30});
    CHECK(hinton.activations.back() == Activation::linear);
    CHECK_FALSE(hinton.fine_tune_loss);  // cross-entropy where the pictures allow it
    CHECK(hinton.fine_tune_epochs > 0);
    const TrainOptions compact = stackae::preset("compact");
    CHECK(compact.layers.back() == 30);
    CHECK_FALSE(compact.augmentation == stackae::Augmentation{});
    const TrainOptions sdae = stackae::preset("sdae");
    CHECK(sdae.corruption == Corruption::masking);
    CHECK(sdae.corruption_level == std::vector<double>{0.25});
    CHECK(sdae.fine_tune_epochs == 0);
    CHECK(stackae::preset("sparse").sparsity_target == 0.05);
    CHECK(stackae::preset("wta").winner_share == 0.05);
    CHECK(stackae::preset("wta").activations == std::vector<Activation>{Activation::relu});
}

TEST_CASE("an unknown preset is answered with the presets there are") {
    CHECK(message_of([] { (void)stackae::preset("resnet"); }) ==
          "preset: \"resnet\" found, one of dense, conv, conv-large, hinton2006, compact, sdae, sparse, wta "
          "expected");
}

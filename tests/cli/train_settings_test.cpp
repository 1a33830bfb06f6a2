#include "cli/train_settings.hpp"

#include "stackae/error.hpp"

#include "support/catch.hpp"

namespace stackae::cli {
namespace {

/// What the command line gives, with the recipe's options beside.
struct Parsed {
    TrainSettings settings;

    explicit Parsed(const std::vector<std::string>& arguments) {
        OptionParser parser("train", "INPUT", "");
        settings.declare(parser);
        (void)parser.parse(arguments);
    }
};

TrainOptions parsed(const std::vector<std::string>& arguments) {
    return Parsed(arguments).settings.options();
}

TEST_CASE("without a preset the stack is chosen by the pictures, unless what is named settles its kind") {
    CHECK(Parsed({}).settings.automatic());
    CHECK(Parsed({"--preset", "auto"}).settings.automatic());
    CHECK(Parsed({"--seed", "3", "--code-size", "64", "--patches", "5000"}).settings.automatic());
    CHECK_FALSE(Parsed({"--layers", "20"}).settings.automatic());
    CHECK_FALSE(Parsed({"--tied"}).settings.automatic());
    CHECK_FALSE(Parsed({"--preset", "conv"}).settings.automatic());
    CHECK_FALSE(Parsed({"--convolutions", "16@5"}).settings.automatic());
    CHECK(parsed({}) == preset("conv"));
    CHECK(parsed({"--fine-tune", "30"}) == preset("dense"));
    CHECK(parsed({"--convolutions", "16@5"}).layers.empty());
    CHECK(parsed({"--convolutions", "16@5", "--layers", "20"}).code_size == 0);
    for (const Preset& preset : presets()) {
        CHECK(parsed({"--preset", preset.name}) == preset.options);
    }
}

TEST_CASE("what is named goes over the stack that was chosen") {
    const Parsed given({"--seed", "3", "--code-size", "64"});
    TrainOptions chosen = preset("conv-large");
    chosen.preset = "auto";
    TrainOptions expected = chosen;
    expected.seed = 3;
    expected.code_size = 64;
    CHECK(given.settings.options(chosen) == expected);
}

TEST_CASE("a preset's code of roots stays where there can be one, and is never there against what is named") {
    CHECK(parsed({"--preset", "conv"}).code_roots);
    CHECK(parsed({"--convolutions", "16@5", "--code-size", "8"}).code_roots);
    CHECK_FALSE(parsed({"--preset", "conv", "--code-of", "values"}).code_roots);
    CHECK_FALSE(parsed({"--preset", "conv", "--code-size", "0"}).code_roots);
    CHECK_FALSE(parsed({"--convolutions", "16@5,8@2:context=1"}).code_roots);
    CHECK_FALSE(parsed({"--convolutions", "16@5:root"}).code_roots);
    CHECK_FALSE(parsed({"--convolutions", "16@5", "--layers", "20"}).code_roots);
    CHECK(parsed({"--convolutions", "16@5", "--code-of", "roots"}).code_roots);
    CHECK_THROWS_WITH(parsed({"--preset", "conv", "--code-of", "halves"}),
                      test::contains("'halves' is neither values nor roots"));
    CHECK_THROWS_WITH(
        parsed({"--preset", "dense", "--code-of", "roots"}),
        test::contains("--code-of roots: expected a code (--code-size) right above a convolutional layer"));
}

TEST_CASE("what a stack in closed form does not use is known by name") {
    const auto unused = [](const std::vector<std::string>& arguments) {
        const Parsed given(arguments);
        return given.settings.unused(given.settings.options());
    };
    using Names = std::vector<std::string>;
    CHECK(unused({"--lr", "0.1", "--winner-share", "0.05"}) == Names{"winner-share", "lr"});
    CHECK(unused({"--preset", "conv", "--epochs", "3", "--tied", "--seed", "4"}) == Names{"tied", "epochs"});
    CHECK(unused({"--lr", "0.1", "--patch-epochs", "2"}).empty());
    CHECK(unused({"--lr", "0.1", "--epochs", "3"}).empty());
    CHECK(unused({"--preset", "conv", "--layers", "30", "--lr", "0.1"}).empty());
}

TEST_CASE("a budget is of automatic choices alone, in seconds, minutes or hours") {
    CHECK(Parsed({}).settings.budget() == 600.0);
    CHECK(Parsed({"--budget", "90s"}).settings.budget() == 90.0);
    CHECK(Parsed({"--budget", "1.5h"}).settings.budget() == 5400.0);
    CHECK(Parsed({"--budget", "45"}).settings.budget() == 45.0);
    for (const char* wrong : {"", "m", "0s", "-3m", "10d", "1e3", "nan"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(Parsed({"--budget", wrong}), UsageError);
    }
    CHECK_THROWS_WITH(parsed({"--budget", "5m", "--preset", "conv"}),
                      "--budget is for --preset auto; --preset conv settles the stack");
    CHECK_THROWS_WITH(parsed({"--budget", "5m", "--epochs", "3"}),
                      "--budget is for --preset auto; --epochs settles the stack");
    CHECK_THROWS_WITH(parsed({"--preset", "auto", "--layers", "3"}),
                      "--preset auto chooses the stack; --layers is for another preset");
}

TEST_CASE("what is named goes over the preset, wherever it stands") {
    const TrainOptions options = parsed({"--lr", "0.5", "--preset", "hinton2006", "-b", "7"});
    TrainOptions expected = preset("hinton2006");
    expected.learning_rate = 0.5;
    expected.batch_size = 7;
    CHECK(options == expected);
}

TEST_CASE("every option reaches its field") {
    const TrainOptions o = parsed({"--layers",
                                   "20,10",
                                   "--activations",
                                   "relu,linear",
                                   "--output-activation",
                                   "tanh",
                                   "--tied",
                                   "--epochs",
                                   "3,4",
                                   "--loss",
                                   "squared_error",
                                   "--corruption",
                                   "gaussian:0.1,0.3",
                                   "--augment",
                                   "shift:0.03,rotate:5,scale:0.05,shear:0.1",
                                   "--weight-decay",
                                   "0.01",
                                   "--clip-norm",
                                   "5",
                                   "--fine-tune",
                                   "6",
                                   "--fine-tune-lr",
                                   "0.002",
                                   "--fine-tune-loss",
                                   "squared_error",
                                   "--optimizer",
                                   "sgd",
                                   "--momentum",
                                   "0.8",
                                   "--nesterov",
                                   "--schedule",
                                   "step",
                                   "--step-epochs",
                                   "2",
                                   "--step-factor",
                                   "0.5",
                                   "--warmup",
                                   "0.2",
                                   "--validation",
                                   "0.1",
                                   "--patience",
                                   "9",
                                   "--seed",
                                   "11",
                                   "-j",
                                   "1",
                                   "--memory",
                                   "3M",
                                   "--temporary-folder",
                                   "/tmp"});
    CHECK(o.layers == std::vector<std::int64_t>{20, 10});
    CHECK(o.activations == std::vector<Activation>{Activation::relu, Activation::linear});
    CHECK(o.output == Activation::tanh);
    CHECK(o.tied);
    CHECK(o.epochs == std::vector<std::int64_t>{3, 4});
    CHECK(o.loss == LossKind::squared_error);
    CHECK(o.corruption == Corruption::gaussian);
    CHECK(o.corruption_level == std::vector<double>{0.1, 0.3});
    CHECK(o.augmentation == Augmentation{0.03, 5.0, 0.05, 0.1});
    CHECK(o.weight_decay == 0.01);
    CHECK(o.clip_norm == 5.0);
    CHECK(o.fine_tune_epochs == 6);
    CHECK(o.fine_tune_learning_rate == 0.002);
    CHECK(o.fine_tune_loss == LossKind::squared_error);
    CHECK(o.optimizer == OptimizerKind::sgd);
    CHECK(o.momentum == 0.8);
    CHECK(o.nesterov);
    CHECK(o.schedule == ScheduleKind::step);
    CHECK(o.step_epochs == 2);
    CHECK(o.step_factor == 0.5);
    CHECK(o.warmup == 0.2);
    CHECK(o.validation == 0.1);
    CHECK(o.patience == 9);
    CHECK(o.seed == 11);
    CHECK(o.threads == 1);
    CHECK(o.memory_limit == 3 << 20);
    CHECK(o.temporary_folder == "/tmp");
}

TEST_CASE("sparse penalties reach their fields") {
    const TrainOptions o = parsed({"--layers", "20", "--activations", "sigmoid", "--sparsity-target", "0.05",
                                   "--sparsity-weight", "3", "--winner-share", "0.1"});
    CHECK(o.sparsity_target == 0.05);
    CHECK(o.sparsity_weight == 3.0);
    CHECK(o.winner_share == 0.1);
}

TEST_CASE("a preset's values stretch over another stack, named ones must fit") {
    const TrainOptions shorter = parsed({"--preset", "hinton2006", "--layers", "20,10"});
    CHECK(shorter.activations == std::vector<Activation>{Activation::silu, Activation::linear});
    const TrainOptions longer = parsed({"--preset", "hinton2006", "--layers", "50,40,30,20,10"});
    CHECK(longer.activations.size() == 5);
    CHECK(longer.activations[3] == Activation::silu);
    CHECK(longer.activations[4] == Activation::linear);
    CHECK(parsed({"--preset", "hinton2006", "--layers", "20"}).activations ==
          std::vector<Activation>{Activation::silu});
    CHECK_THROWS_AS(parsed({"--layers", "20,10", "--epochs", "1,2,3"}), UsageError);
    CHECK_THROWS_AS(parsed({"--layers", "20,10", "--activations", "relu,relu,relu"}), UsageError);
}

TEST_CASE("corruption comes with a level or gets one") {
    CHECK(parse_corruption("masking:0.5").level == std::vector<double>{0.5});
    CHECK(parse_corruption("masking").level == std::vector<double>{0.25});
    CHECK(parse_corruption("none").level == std::vector<double>{0.0});
    CHECK(parse_corruption("salt_and_pepper:0.1,0.2").level == std::vector<double>{0.1, 0.2});
    CHECK_THROWS_AS(parse_corruption("blur"), InvalidArgument);
    CHECK_THROWS_AS(parse_corruption("masking:"), UsageError);
    CHECK_THROWS_AS(parsed({"--corruption", "masking:1.5"}), UsageError);
    CHECK(parsed({"--corruption", "masking", "--corruption-level", "0.4"}).corruption_level ==
          std::vector<double>{0.4});
}

TEST_CASE("moves are named one by one, and those that are not named are none") {
    CHECK(parse_augmentation("none") == Augmentation{});
    CHECK(parse_augmentation("rotate:7.5") == Augmentation{0.0, 7.5, 0.0, 0.0});
    CHECK_THROWS_AS(parse_augmentation("mirror:1"), UsageError);
    CHECK_THROWS_AS(parse_augmentation("shift"), UsageError);
    CHECK_THROWS_AS(parse_augmentation("shift:"), UsageError);
    CHECK_THROWS_AS(parse_augmentation(""), UsageError);
    CHECK_THROWS_AS(parsed({"--augment", "shift:0.6"}), UsageError);
}

TEST_CASE("few pictures get smaller batches and more epochs, unless these were named") {
    const auto suited = [](const std::vector<std::string>& arguments, std::int64_t pictures) {
        const Parsed parsed(arguments);
        TrainOptions options = parsed.settings.options();
        parsed.settings.suit_small_sets(options, pictures);
        return options;
    };
    CHECK(suited({}, 500) == preset("conv"));
    const TrainOptions few = suited({"--untied"}, 500);
    CHECK(few.batch_size == 32);
    CHECK(few.epochs.front() * (500 / 32) >= SmallSetOptions{}.enough_updates - 40);
    CHECK(few.fine_tune_epochs * (500 / 32) >= SmallSetOptions{}.enough_fine_tuning_updates - 100);
    CHECK(suited({"--fine-tune", "2"}, 500).fine_tune_epochs == 2);
    CHECK(suited({"--untied"}, 60000) == preset("dense"));
    CHECK(suited({"--untied"}, 1).epochs.front() == 200);
    CHECK(suited({"--epochs", "3", "-b", "256"}, 500).epochs.front() == 3);
    CHECK(suited({"--epochs", "3", "-b", "256"}, 500).batch_size == 256);
    CHECK(suited({"--preset", "hinton2006"}, 500) == preset("hinton2006"));
}

TEST_CASE("the recipe's options are kept apart") {
    const Parsed given({"--img-size", "20x30", "--channels", "rgb", "--crop-mode", "center", "--background",
                        "0.5", "--contrast", "--standardize"});
    const RecipeOptions& recipe = given.settings.recipe();
    CHECK(recipe.height == 20);
    CHECK(recipe.width == 30);
    CHECK(recipe.channels == 3);
    CHECK(recipe.resize == ResizeMode::center);
    CHECK(recipe.background == 0.5F);
    CHECK(recipe.contrast);
    CHECK(recipe.standardize);
    const Parsed none({});
    CHECK_FALSE(none.settings.recipe().height);
    CHECK_FALSE(none.settings.recipe().channels);
}

}  // namespace
}  // namespace stackae::cli

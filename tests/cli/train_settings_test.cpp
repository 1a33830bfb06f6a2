#include "cli/train_settings.hpp"

#include <algorithm>
#include <fstream>
#include <string>
#include <tuple>

#include "stackae/error.hpp"
#include "stackae/fit_table.hpp"

#include "cli/saved_config.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::cli {
namespace {

/// What the command line gives, with the preprocessing's options beside.
struct Parsed {
    TrainSettings settings;

    explicit Parsed(const std::vector<std::string>& arguments) {
        OptionParser parser("train", "INPUT", "");
        settings.declare(parser);
        (void)parser.parse(arguments);
    }
};

TrainConfig parsed(const std::vector<std::string>& arguments) {
    return Parsed(arguments).settings.config();
}

std::string stack_of(const std::vector<std::string>& arguments) {
    return to_text(parsed(arguments).stack);
}

TEST_CASE("Without a preset the stack is chosen by the pictures, unless what is named settles its kind") {
    CHECK(Parsed({}).settings.automatic());
    CHECK(Parsed({"--preset", "auto"}).settings.automatic());
    CHECK(Parsed({"--seed", "3", "--code-size", "64", "--patches", "5000"}).settings.automatic());
    CHECK_FALSE(Parsed({"--layers", "20"}).settings.automatic());
    CHECK_FALSE(Parsed({"--tied"}).settings.automatic());
    CHECK_FALSE(Parsed({"--preset", "conv"}).settings.automatic());
    CHECK_FALSE(Parsed({"--convolutions", "16@5"}).settings.automatic());
    CHECK_FALSE(Parsed({"--stack", "dense:3"}).settings.automatic());
    CHECK(to_text(parsed({})) == to_text(preset("conv")));
    CHECK(to_text(parsed({"--fine-tune", "30"})) == to_text(preset("dense")));
    CHECK(stack_of({"--convolutions", "16@5", "--code-size", "0"}) == "conv2d:16, pool2d:2");
    for (const Preset& each : presets()) {
        CHECK(to_text(parsed({"--preset", each.name})) == to_text(preset(each.name)));
    }
}

TEST_CASE("The help of --corruption names every kind") {
    OptionParser parser("train", "INPUT", "");
    TrainSettings settings;
    settings.declare(parser);
    const std::string help = parser.help();
    const std::size_t begin = help.find("--corruption KIND");
    REQUIRE(begin != std::string::npos);
    const std::string own = help.substr(begin, help.find("--corruption-level", begin) - begin);
    for (const Corruption kind : {Corruption::none, Corruption::masking, Corruption::dropout,
                                  Corruption::gaussian, Corruption::salt_and_pepper}) {
        CHECK_THAT(own, test::contains(name(kind)));
    }
}

TEST_CASE("A stack's text is taken as it is, and trained as dense or as the preset that is named") {
    TrainConfig config = parsed({"--stack", "conv2d:8, pool2d:2, dense:10", "--seed", "3"});
    CHECK(to_text(config.stack) == "conv2d:8, pool2d:2, dense:10");
    CHECK(config.preset == "custom");
    CHECK(config.fine_tune_epochs == preset("dense").fine_tune_epochs);
    config = parsed({"--stack", "dense:10", "--preset", "sdae"});
    CHECK(to_text(config.stack) == "dense:10");
    CHECK(config.batch_size == 20);
    CHECK_THROWS_WITH(parsed({"--stack", "dense:0"}), test::contains("--stack: layer 1: dense: units: 0"));
}

TEST_CASE("What is named goes over the stack that was chosen") {
    const Parsed given({"--seed", "3", "--code-size", "64"});
    TrainConfig chosen = preset("conv-large");
    chosen.preset = "auto";
    const TrainConfig config = given.settings.config(chosen);
    CHECK(config.preset == "auto");
    CHECK(config.seed == 3);
    CHECK(to_text(config.stack).find("pca:64:eigen_power=-0.25:std_shrinkage=0.3") != std::string::npos);
}

TEST_CASE("What was named and changes nothing is told, with the reason") {
    TrainPlan closed;
    closed.stages.emplace_back().name = "layer 1, conv2d";
    TrainPlan by_gradients = closed;
    by_gradients.stages.emplace_back().epochs = 3;
    using Lines = std::vector<std::string>;
    const auto unused = [](const std::vector<std::string>& arguments, const TrainPlan& plan) {
        const Parsed parsed(arguments);
        return parsed.settings.unused(parsed.settings.config(), plan);
    };
    const std::string closed_form = " is not used: nothing is learnt by gradients";
    CHECK(unused({"--lr", "0.1", "--lifetime-sparsity", "0.05", "--seed", "4"}, closed) ==
          Lines{"--lifetime-sparsity" + closed_form, "--lr" + closed_form});
    CHECK(unused({"--epochs", "3", "--validation", "0.2"}, closed) == Lines{"--epochs" + closed_form});
    CHECK(unused({"--epochs", "0", "--fine-tune", "0"}, closed).empty());
    CHECK(unused({"--lr", "0.1"}, by_gradients).empty());
    CHECK(unused({"--corruption-level", "0.1"}, by_gradients) ==
          Lines{"--corruption-level is not used: there is no --corruption"});
    CHECK(unused({"--corruption", "masking", "--corruption-level", "0.1"}, by_gradients).empty());
    CHECK(unused({"--nesterov"}, by_gradients) == Lines{"--nesterov is not used: it is of --optimizer sgd"});
    CHECK(unused({"--nesterov", "--optimizer", "sgd"}, by_gradients).empty());
    CHECK(unused({"--fine-tune", "0", "--fine-tune-lr", "0.1", "--step-factor", "0.5"}, by_gradients) ==
          Lines{"--fine-tune-lr is not used: there is no fine-tuning (--fine-tune)",
                "--step-factor is not used: it is of --schedule step"});
    const char* const of_sgd = "it is of --optimizer sgd";
    const char* const of_adam = "it is of --optimizer adam and adamw";
    const char* const of_steps = "it is of --schedule step";
    for (const auto& [option, optimizer, why] : {std::tuple("--momentum", "adamw", of_sgd),
                                                 {"--beta1", "sgd", of_adam},
                                                 {"--beta2", "sgd", of_adam},
                                                 {"--epsilon", "sgd", of_adam},
                                                 {"--warmup", "sgd", "it is of --schedule one_cycle"},
                                                 {"--step-epochs", "sgd", of_steps},
                                                 {"--step-factor", "sgd", of_steps}}) {
        const std::string value = std::string(option) == "--step-epochs" ? "3" : "0.1";
        CHECK(unused({option, value, "--optimizer", optimizer, "--schedule", "constant"}, by_gradients) ==
              Lines{std::string(option) + " is not used: " + why});
    }
    for (const auto& [option, value] :
         {std::pair("--fine-tune-loss", "squared_error"), {"--untie-in-fine-tuning", "false"}}) {
        CHECK(unused({option, value, "--fine-tune", "0"}, by_gradients) ==
              Lines{std::string(option) + " is not used: there is no fine-tuning (--fine-tune)"});
    }
}

TEST_CASE("A table's training that is named is the same for `train` as for `evaluate --fit`") {
    const auto of_table = [](const std::vector<std::string>& arguments) {
        return Parsed(arguments).settings.table_config();
    };
    TrainConfig expected = table_base("");
    CHECK(expected.validation == 0.0);
    CHECK(expected.fine_tune_epochs == 0);
    CHECK(expected.epochs == 10);
    expected.stack = parse_stack("dense:4");
    CHECK(to_text(of_table({"--stack", "dense:4"})) == to_text(expected));
    CHECK(of_table({"--layers", "7,3"}).fine_tune_epochs == 0);
    for (const char* const name : {"sdae", "mult_dae"}) {
        CHECK(to_text(of_table({"--preset", name})) == to_text(table_base(name)));
    }
    CHECK(of_table({"--stack", "dense:4", "--patience", "2"}).validation == 0.05);
    CHECK_THROWS_AS(of_table({"--stack", "dense:4", "--patience", "2", "--validation", "0"}), UsageError);
    TrainConfig patient = expected;
    patient.patience = 3;
    patient.validation = 0.1;
    TrainPlan closed;
    closed.stages.emplace_back().type = "edlae";
    CHECK(to_text(suited(patient, closed)) == to_text(expected));
    closed.stages.back().epochs = 3;
    CHECK(to_text(suited(patient, closed)) == to_text(patient));
}

TEST_CASE("Options of training are an elsa's own where its text does not say otherwise") {
    const auto stack = [](std::vector<std::string> arguments) {
        return to_text(Parsed(arguments).settings.table_config().stack);
    };
    CHECK(stack({"--stack", "elsa:16"}) == "elsa:16");
    CHECK(stack({"--stack", "elsa:16", "--epochs", "10"}) == "elsa:16:epochs=10");
    CHECK(stack({"--stack", "elsa:16:epochs=4", "--epochs", "10", "-b", "256", "--lr", "0.001"}) ==
          "elsa:16:epochs=4:batch_size=256:learning_rate=0.001");
    CHECK(stack({"--stack", "elsa:16, dense:3", "--preset", "sdae"}) == "elsa:16, dense:3");
    const test::TemporaryFolder folder;
    const auto write = [&](const std::vector<std::string>& arguments) {
        std::ofstream(folder / "config") << config_file(Parsed(arguments).settings.table_config(), true);
    };
    write({"--stack", "elsa:16", "--lr", "0.2"});
    const std::string usual = "elsa:16:epochs=20:batch_size=0:learning_rate=0.2";
    CHECK(stack({"--config", folder / "config"}) == usual);
    CHECK(stack({"--config", folder / "config", "--epochs", "3", "--lr", "0.1"}) ==
          "elsa:16:epochs=3:batch_size=0:learning_rate=0.1");
}

TEST_CASE("Options that an elsa alone has no use for are named") {
    TrainPlan plan;
    plan.stages.emplace_back().epochs = 20;
    plan.stages.back().type = "elsa";
    const auto unused = [&](const std::vector<std::string>& arguments) {
        const Parsed parsed(arguments);
        return parsed.settings.unused(parsed.settings.table_config(), plan);
    };
    using Lines = std::vector<std::string>;
    const std::string no_use = " is not used: elsa has no use for it";
    CHECK(unused({"--stack", "elsa:8", "--loss", "cross_entropy", "--corruption", "masking", "--weight-decay",
                  "0.1", "--fine-tune", "5"}) ==
          Lines{"--corruption" + no_use, "--loss" + no_use, "--weight-decay" + no_use,
                "--fine-tune is not used: there are no dense layers to fine-tune"});
    CHECK(unused({"--stack", "elsa:8", "--fine-tune", "0", "--patience", "2", "--epochs", "3", "-b", "9",
                  "--lr", "0.1"})
              .empty());
    plan.stages.emplace_back(plan.stages.back()).type = "dense";
    CHECK(unused({"--stack", "elsa:8, dense:3", "--loss", "squared_error"}).empty());
    CHECK(unused({"--stack", "dense:3", "--fine-tune-corruption-level", "0.1"}) ==
          Lines{"--fine-tune-corruption-level is not used: there is no fine-tuning (--fine-tune)"});
    CHECK(unused({"--stack", "dense:3", "--fine-tune", "2", "--fine-tune-corruption-level", "0.1"}) ==
          Lines{"--fine-tune-corruption-level is not used: there is no --corruption"});
    CHECK(unused({"--stack", "dense:3", "--fine-tune", "2", "--corruption", "masking",
                  "--fine-tune-corruption-level", "0.1"})
              .empty());
}

TEST_CASE("Options that say the opposite exclude each other") {
    for (const auto& [one, other] : {std::pair("--tied", "--untied"),
                                     {"--power-norm", "--no-power-norm"},
                                     {"--standardize", "--no-standardize"}}) {
        CHECK_THROWS_WITH(Parsed({other, one}), std::string(one) + " and " + other + " exclude each other");
    }
}

TEST_CASE("Names that are none are refused with those that there are") {
    CHECK_THROWS_WITH(Parsed({"--preset", "best"}),
                      test::contains("--preset: 'best' found, one of auto, dense, "));
    CHECK_THROWS_WITH(Parsed({"--augment", "mirror:1"}),
                      "--augment: 'mirror' found, one of shift, rotate, scale, shear, elastic expected");
}

TEST_CASE("A budget is of automatic choices alone, in seconds, minutes or hours") {
    CHECK(Parsed({}).settings.budget() == 900.0);
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

TEST_CASE("What is named goes over the preset, wherever it stands") {
    const TrainConfig config = parsed({"--lr", "0.5", "--preset", "hinton2006", "-b", "7"});
    TrainConfig expected = preset("hinton2006");
    expected.learning_rate = 0.5;
    expected.batch_size = 7;
    CHECK(to_text(config) == to_text(expected));
    CHECK(parsed({"--learning-rate", "0.5"}).learning_rate == 0.5);
}

TEST_CASE("Every option of the table can be named with the value that it has") {
    for (const OptionInfo& info : TrainConfig().describe()) {
        std::string option = "--" + info.name;
        std::replace(option.begin(), option.end(), '_', '-');
        CAPTURE(option);
        if (info.kind == ValueKind::flag && info.value == "false") {
            CHECK_NOTHROW(Parsed({option}));
        } else if (info.value != "auto") {
            CHECK_NOTHROW(Parsed({option, info.value}));
            CHECK_THROWS_AS(Parsed({option, "?"}), UsageError);
        }
    }
}

TEST_CASE("Options that are short for several reach them all") {
    const TrainConfig c = parsed({"--layers",
                                  "20,10",
                                  "--activations",
                                  "relu,linear",
                                  "--output-activation",
                                  "tanh",
                                  "--tied",
                                  "--epochs",
                                  "3,4",
                                  "--corruption",
                                  "gaussian:0.1,0.3",
                                  "--augment",
                                  "shift:0.03,rotate:5,scale:0.05,shear:0.1,elastic:0.02",
                                  "--fine-tune",
                                  "6",
                                  "--fine-tune-lr",
                                  "0.002",
                                  "--optimizer",
                                  "sgd",
                                  "--nesterov"});
    CHECK(to_text(c.stack) ==
          "dense:20:activation=relu:output=tanh:tied:epochs=3:corruption_level=0.1, "
          "dense:10:activation=linear:tied:epochs=4:corruption_level=0.3");
    CHECK(c.corruption == Corruption::gaussian);
    CHECK(c.augment_shift == 0.03);
    CHECK(c.augment_rotate == 5.0);
    CHECK(c.augment_scale == 0.05);
    CHECK(c.augment_shear == 0.1);
    CHECK(c.augment_elastic == 0.02);
    CHECK(c.fine_tune_epochs == 6);
    CHECK(*c.fine_tune_learning_rate == 0.002);
    CHECK(c.optimizer == OptimizerKind::sgd);
    CHECK(c.nesterov);
    const RunOptions run = Parsed({"-j", "1", "--memory", "3M", "--temporary-folder", "/tmp"}).settings.run();
    CHECK(run.threads == 1);
    CHECK(run.memory_limit == 3 << 20);
    CHECK(*run.temporary_folder == "/tmp");
}

TEST_CASE("A preset's dense layers stretch over other numbers of units, values that are named must fit") {
    CHECK(stack_of({"--preset", "hinton2006", "--layers", "20,10"}) ==
          "dense:20, dense:10:activation=linear");
    CHECK(stack_of({"--preset", "hinton2006", "--layers", "50,40,30,20,10"}) ==
          "dense:50, dense:40, dense:30, dense:20, dense:10:activation=linear");
    CHECK(stack_of({"--preset", "hinton2006", "--layers", "20"}) == "dense:20");
    CHECK_THROWS_AS(parsed({"--layers", "20,10", "--epochs", "1,2,3"}), UsageError);
    CHECK_THROWS_AS(parsed({"--layers", "20,10", "--activations", "relu,relu,relu"}), UsageError);
}

TEST_CASE("Corruption comes with a level or gets one") {
    const auto level = [](const std::string& text) {
        return *parsed({"--corruption", text}).corruption_level;
    };
    CHECK(level("masking:0.5") == 0.5);
    CHECK(level("masking") == 0.25);
    CHECK(level("salt_and_pepper") == 0.1);
    CHECK(level("none") == 0.0);
    CHECK_THROWS_AS(parsed({"--corruption", "blur"}), UsageError);
    CHECK_THROWS_AS(parsed({"--corruption", "masking:"}), UsageError);
    CHECK_THROWS_AS(parsed({"--corruption", "masking:1.5"}), UsageError);
    CHECK(parsed({"--corruption", "masking", "--corruption-level", "0.4"}).corruption_level == 0.4);
}

TEST_CASE("Moves are named one by one, and those that are not named are none") {
    CHECK(parsed({"--preset", "compact", "--augment", "none"}).augment_rotate == 0.0);
    const TrainConfig turned = parsed({"--preset", "compact", "--augment", "rotate:7.5"});
    CHECK(turned.augment_rotate == 7.5);
    CHECK(turned.augment_scale == 0.0);
    for (const char* wrong : {"mirror:1", "shift", "shift:", "", "shift:0.6"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(parsed({"--augment", wrong}), UsageError);
    }
}

TEST_CASE("Few pictures get smaller batches and more epochs, unless these were named") {
    const auto suited = [](const std::vector<std::string>& arguments, std::int64_t pictures) {
        const Parsed parsed(arguments);
        TrainConfig config = parsed.settings.config();
        parsed.settings.suit_small_sets(config, pictures);
        return config;
    };
    CHECK(to_text(suited({}, 500)) == to_text(preset("conv")));
    const TrainConfig few = suited({"--untied"}, 500);
    CHECK(few.batch_size == 32);
    CHECK(few.epochs * (500 / 32) >= SmallSetOptions{}.enough_updates - 40);
    CHECK(few.fine_tune_epochs * (500 / 32) >= SmallSetOptions{}.enough_fine_tuning_updates - 100);
    CHECK(suited({"--fine-tune", "2"}, 500).fine_tune_epochs == 2);
    CHECK(to_text(suited({"--untied"}, 60000)) == to_text(preset("dense")));
    CHECK(suited({"--untied"}, 1).epochs == 200);
    CHECK(suited({"--epochs", "3", "-b", "256"}, 500).epochs == 3);
    CHECK(suited({"--epochs", "3", "-b", "256"}, 500).batch_size == 256);
    CHECK(to_text(suited({"--preset", "hinton2006"}, 500)) == to_text(preset("hinton2006")));
}

TEST_CASE("A configuration that was written gives the same again, and the command line goes over it") {
    const test::TemporaryFolder folder;
    TrainConfig config = preset("sdae");
    config.nesterov = true;
    config.seed = 5;
    Preprocessing preprocessing;
    preprocessing.height = 20;
    preprocessing.channels = 3;
    preprocessing.contrast = true;
    std::ofstream(folder / "config") << config_file(config, true) + config_lines(preprocessing);
    const Parsed read({"--config", folder / "config"});
    TrainConfig again = read.settings.config();
    CHECK(again.preset == "custom");
    again.preset = config.preset;
    CHECK(to_text(again) == to_text(config));
    CHECK(read.settings.preprocessing().height == 20);
    CHECK(read.settings.preprocessing().channels == 3);
    CHECK(read.settings.preprocessing().contrast);
    CHECK(read.settings.preprocessing().standardize == false);
    CHECK(parsed({"--config", folder / "config", "--seed", "6"}).seed == 6);
    TrainConfig unsuited = again;
    CHECK_FALSE(read.settings.suit_small_sets(unsuited, 20));
    CHECK(parsed({"--config", folder / "config", "--standardize"}).seed == 5);
    CHECK(Parsed({"--config", folder / "config", "--standardize"}).settings.preprocessing().standardize ==
          true);
    std::ofstream(folder / "wrong") << "epoch = 3\n";
    CHECK_THROWS_WITH(Parsed({"--config", folder / "wrong"}), test::contains("wrong: train has no option"));
    CHECK_THROWS_AS(Parsed({"--config", folder / "none"}), IoError);
}

TEST_CASE("The command line goes over what a file's stack says layer by layer") {
    const test::TemporaryFolder folder;
    std::ofstream(folder / "config") << "\xEF\xBB\xBF"
                                        "stack = dense:20:epochs=7:corruption_level=0.3, dense:10\n"
                                        "epochs = 4\ncorruption = masking\ncorruption-level = 0.2\n";
    const std::string file = folder / "config";
    CHECK(stack_of({"--config", file}) == "dense:20:epochs=7:corruption_level=0.3, dense:10");
    CHECK(stack_of({"--config", file, "--epochs", "9", "--corruption", "none"}) ==
          "dense:20:epochs=9:corruption_level=0, dense:10:epochs=9:corruption_level=0");
    CHECK(stack_of({"--stack", "dense:20:epochs=7", "--epochs", "9"}) == "dense:20:epochs=7");
    CHECK(stack_of({"--config", file, "--preset", "wta"}) == to_text(preset("wta").stack));
    CHECK(parsed({"--config", file, "--preset", "wta"}).corruption == Corruption::masking);
    const Parsed automatic({"--config", file, "--preset", "auto"});
    CHECK(automatic.settings.automatic());
    CHECK_NOTHROW(automatic.settings.config());
    TrainPlan by_gradients;
    by_gradients.stages.emplace_back().epochs = 3;
    CHECK(automatic.settings.unused(preset("dense"), by_gradients).empty());
    CHECK(Parsed({"--corruption", "none"}).settings.unused(preset("dense"), by_gradients).empty());
    std::ofstream(folder / "moved") << "augment = rotate:5\ntied = false\nuntied = true\n";
    const TrainConfig moved = parsed({"--config", folder / "moved", "--augment-shift", "0.1"});
    CHECK(moved.augment_shift == 0.1);
    CHECK(moved.augment_rotate == 5.0);
    CHECK(parsed({"--config", folder / "moved", "--augment", "none"}).augment_rotate == 0.0);
    std::ofstream(folder / "config") << "stack = pca:5\n";
    CHECK(stack_of({"--config", file, "--epochs", "9"}) == "pca:5");
}

TEST_CASE("The preprocessing's options are kept apart") {
    const Parsed given({"--img-size", "20x30", "--channels", "rgb", "--crop-mode", "center", "--background",
                        "0.5", "--contrast-norm", "--standardize"});
    const PreprocessingOptions& preprocessing = given.settings.preprocessing();
    CHECK(preprocessing.height == 20);
    CHECK(preprocessing.width == 30);
    CHECK(preprocessing.channels == 3);
    CHECK(preprocessing.resize == ResizeMode::center);
    CHECK(preprocessing.background == 0.5F);
    CHECK(preprocessing.contrast);
    CHECK(preprocessing.standardize);
    const Parsed none({});
    CHECK_FALSE(none.settings.preprocessing().height);
    CHECK_FALSE(none.settings.preprocessing().channels);
}

}  // namespace
}  // namespace stackae::cli

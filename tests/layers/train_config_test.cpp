#include "stackae/train_config.hpp"

#include <limits>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "stackae/activation.hpp"
#include "stackae/error.hpp"
#include "stackae/preprocessing.hpp"

#include "base/fields.hpp"
#include "support/catch.hpp"

namespace stackae {
namespace {

TrainConfig read(const std::string& text) {
    TrainConfig config;
    read_config(text, config);
    return config;
}

}  // namespace

TEST_CASE("A configuration's text gives the same configuration again") {
    for (const Preset& each : presets()) {
        CAPTURE(each.name);
        const TrainConfig config = preset(each.name);
        CHECK_NOTHROW(validate(config));
        const TrainConfig again = read(to_text(config));
        CHECK(to_text(again) == to_text(config));
        CHECK(again.preset == each.name);
        CHECK(bind(again.stack, {32, 32, 3}).size() == config.stack.size());
    }
}

TEST_CASE("A copied configuration has options of its own") {
    TrainConfig config = preset("wta");
    TrainConfig copy = config;
    copy.epochs = 7;
    copy.loss = LossKind::cross_entropy;
    base::FieldTable table;
    copy.fields(table);
    table.find("batch_size")->parse("32");
    CHECK(copy.batch_size == 32);
    CHECK(copy.epochs == 7);
    CHECK(config.batch_size == 256);
    CHECK(config.epochs == 30);
    CHECK(**config.loss == LossKind::squared_error);
    config = copy;
    CHECK(config.epochs == 7);
}

TEST_CASE("What a configuration leaves out keeps its value, and comments are passed over") {
    TrainConfig config = preset("sdae");
    read_config("# mine\n\n  epochs = 5   # fewer\nloss=auto\r\n", config);
    CHECK(config.epochs == 5);
    CHECK_FALSE((*config.loss).has_value());
    CHECK(config.batch_size == 20);
    CHECK(config.stack.size() == 3);
}

TEST_CASE("A line that cannot be understood is named, and changes nothing") {
    const auto refused = [](const char* text, const char* expected) {
        CAPTURE(text);
        TrainConfig config = preset("sdae");
        const std::string before = to_text(config);
        CHECK_THROWS_WITH(read_config(text, config), test::contains(expected));
        CHECK(to_text(config) == before);
    };
    refused("epochs = 3\nepoch = 5",
            "line 2: \"epoch\" found, one of stack, preset, seed, validation, rows, epochs");
    refused("epochs 5", "line 1: \"epochs 5\" found, a name, = and a value expected");
    refused("epochs = many", "line 1: epochs: many found, 0 to 1000000 expected");
    refused("validation = 1", "validation: 1 found, a number from 0 and below 1 expected");
    refused("learning_rate = nan", "learning_rate: nan found, a number above 0 and up to 1000 expected");
    refused("optimizer = lbfgs", "optimizer: lbfgs found, one of sgd, adam, adamw expected");
    refused("stack = dense:10, dense:0", "line 1: stack: layer 2: dense: units: 0 found");
}

TEST_CASE("Options that contradict one another are refused") {
    const auto refused = [](const char* text, const char* expected) {
        CAPTURE(text);
        TrainConfig config = read(text);
        CHECK_THROWS_WITH(validate(config), test::contains(expected));
    };
    refused("", "stack: no layer found, at least 1 expected");
    refused("stack = dense:3\nsparsity_target = 0.1",
            "sparsity_weight: 0 found, a number above 0 with sparsity_target 0.1 expected");
    refused("stack = dense:3\npatience = 3\nvalidation = 0",
            "patience: 3 found, 0 without a validation part expected");
    refused("stack = dense:3\ncorruption = masking\ncorruption_level = 2", "corruption_level: 2 found");
    TrainConfig config = read("stack = dense:3");
    config.momentum = 2.0;
    CHECK_THROWS_WITH(validate(config),
                      test::contains("momentum: 2 found, a number from 0 and below 1 expected"));
}

TEST_CASE("An option out of its range is told with its value and what was expected") {
    const auto refused = [](const auto& change, const char* expected) {
        TrainConfig config = read("stack = dense:8, dense:4");
        change(config);
        CHECK_THROWS_WITH(validate(config), test::contains(expected));
    };
    refused([](auto& c) { c.epochs = -1; }, "epochs: -1 found, 0 to 1000000 expected");
    refused([](auto& c) { c.fine_tune_epochs = -5; }, "fine_tune_epochs: -5 found, 0 to 1000000 expected");
    refused([](auto& c) { c.batch_size = 0; }, "batch_size: 0 found, 1 to 1000000 expected");
    refused([](auto& c) { c.step_epochs = 0; }, "step_epochs: 0 found, 1 to 1000000 expected");
    refused([](auto& c) { c.augment_shift = 0.6; },
            "augment_shift: 0.6 found, a number from 0 and up to 0.5 expected");
    refused([](auto& c) { c.learning_rate = 0.0; },
            "learning_rate: 0 found, a number above 0 and up to 1000 expected");
    refused([](auto& c) { c.fine_tune_learning_rate = -1.0; },
            "fine_tune_learning_rate: -1 found, auto or a number above 0 and up to 1000 expected");
    refused([](auto& c) { c.lifetime_sparsity = 1.5; },
            "lifetime_sparsity: 1.5 found, a number from 0 and below 1 expected");
    refused([](auto& c) { c.sparsity_weight = 3.0; },
            "sparsity_weight: 3 found, 0 without a sparsity_target expected");
    refused([](auto& c) { c.corruption_level = 1.0; },
            "corruption_level: 1 found, a number from 0 and below 1 expected");
    refused(
        [](auto& c) {
            c.optimizer = OptimizerKind::sgd;
            c.nesterov = true;
            c.momentum = 0.0;
        },
        "momentum: 0 found, a number above 0 with nesterov expected");
    TrainConfig config = read("stack = dense:8:activation=relu, dense:4:corruption_level=2:epochs=7");
    config.corruption = Corruption::gaussian;
    config.corruption_level = 2.0;
    config.epochs = 0;
    config.batch_size = 1;
    config.validation = 0.0;
    config.warmup = 0.0;
    config.lifetime_sparsity = 0.05;
    config.fine_tune_learning_rate = 1e-4;
    CHECK_NOTHROW(validate(config));
}

TEST_CASE("No option that is a number may be NaN, infinite or far below 0") {
    TrainConfig config = read("stack = dense:3");
    base::FieldTable table;
    config.fields(table);
    int numbers = 0;
    for (const auto& field : table) {
        if (field->expected().find("a number") == std::string::npos) {
            continue;
        }
        ++numbers;
        CAPTURE(field->name());
        const std::string before = field->text();
        for (const char* bad : {"nan", "inf", "-inf", "-0.5", "1e300", "0.1x", ""}) {
            CAPTURE(bad);
            CHECK_THROWS_WITH(field->parse(bad), test::contains(" expected"));
        }
        CHECK(field->text() == before);
    }
    CHECK(numbers >= 19);
    const std::vector<Option<double>*> reals{&config.validation,      &config.corruption_level,
                                             &config.weight_decay,    &config.sparsity_target,
                                             &config.sparsity_weight, &config.lifetime_sparsity,
                                             &config.augment_shift,   &config.augment_rotate,
                                             &config.augment_scale,   &config.augment_shear,
                                             &config.augment_elastic, &config.learning_rate,
                                             &config.momentum,        &config.beta1,
                                             &config.beta2,           &config.epsilon,
                                             &config.step_factor,     &config.warmup,
                                             &config.clip_norm};
    for (Option<double>* option : reals) {
        const double before = *option;
        for (const double bad :
             {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), -0.5}) {
            *option = bad;
            CHECK_THROWS_AS(validate(config), InvalidArgument);
        }
        *option = before;
        CHECK_NOTHROW(validate(config));
    }
}

TEST_CASE("What speeds a run up is bounded too") {
    RunOptions run;
    base::FieldTable table;
    run.fields(table);
    CHECK_THROWS_WITH(table.find("threads")->parse("-1"),
                      test::contains("threads: -1 found, 0 to 1024 expected"));
    CHECK_THROWS_AS(table.find("threads")->parse("1025"), InvalidArgument);
    CHECK_THROWS_WITH(table.find("memory")->parse("-1"), test::contains("memory: -1 found, 0 to 9000"));
    CHECK_NOTHROW(table.find("temporary_folder")->parse("/tmp/größe"));
    CHECK(*run.temporary_folder == "/tmp/größe");
}

TEST_CASE("Every option's name is read back as the same option, an unknown one is answered with the names") {
    const auto check_names = [](const auto& one, std::initializer_list<const char*> names) {
        using Enum = std::decay_t<decltype(one)>;
        for (const char* text : names) {
            CHECK(std::string(name(parse<Enum>(text))) == text);
        }
    };
    check_names(Activation::linear, {"linear", "sigmoid", "tanh", "relu", "elu", "silu"});
    check_names(LossKind::squared_error, {"squared_error", "cross_entropy"});
    check_names(Corruption::none, {"none", "masking", "gaussian", "salt_and_pepper"});
    check_names(OptimizerKind::sgd, {"sgd", "adam", "adamw"});
    check_names(ScheduleKind::constant, {"constant", "step", "cosine", "one_cycle"});
    check_names(ResizeMode::squash, {"squash", "border", "center"});
    CHECK(parse<ScheduleKind>("one_cycle") == ScheduleKind::one_cycle);
    CHECK_THROWS_WITH(
        parse<Activation>("swish"),
        test::contains(
            "activation: \"swish\" found, one of linear, sigmoid, tanh, relu, elu, silu expected"));
    CHECK_THROWS_WITH(
        parse<ResizeMode>("Border"),
        test::contains("resize mode: \"Border\" found, one of squash, border, center expected"));
    CHECK_THROWS_WITH(parse<OptimizerKind>(""),
                      test::contains("optimizer: \"\" found, one of sgd, adam, adamw expected"));
}

TEST_CASE("Every preset is named once, described in one line, and an unknown one is answered with them") {
    std::set<std::string> names;
    for (const Preset& each : presets()) {
        CAPTURE(each.name);
        CHECK(names.insert(each.name).second);
        CHECK_FALSE(each.summary.empty());
        CHECK(each.summary.find('\n') == std::string::npos);
    }
    CHECK(presets().front().name == "dense");
    CHECK_THROWS_WITH(preset("resnet"),
                      test::contains("preset: \"resnet\" found, one of dense, conv, conv-large, hinton2006, "
                                     "compact, sdae, sparse, wta, classic, mult_dae, autorec expected"));
}

TEST_CASE("Presets are what their papers say") {
    const TrainConfig hinton = preset("hinton2006");
    CHECK(to_text(hinton.stack) == "dense:1000, dense:500, dense:250, dense:30:activation=linear");
    CHECK_FALSE((*hinton.fine_tune_loss).has_value());  // cross-entropy where the pictures allow it
    CHECK(hinton.fine_tune_epochs > 0);
    const TrainConfig compact = preset("compact");
    CHECK(bind(compact.stack, {28, 28, 1})[3].output_shape() == Shape{1, 1, 30});
    CHECK(compact.augment_rotate > 0.0);
    const TrainConfig sdae = preset("sdae");
    CHECK(sdae.corruption == Corruption::masking);
    CHECK(sdae.corruption_level == 0.25);
    CHECK(sdae.fine_tune_epochs == 0);
    CHECK(preset("sparse").sparsity_target == 0.05);
    CHECK(preset("wta").lifetime_sparsity == 0.05);
    CHECK(to_text(preset("wta").stack) == "dense:2000:activation=relu:output=linear");
}

}  // namespace stackae

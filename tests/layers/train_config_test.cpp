#include "stackae/train_config.hpp"

#include "stackae/error.hpp"

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
    for (const ConfigPreset& preset : config_presets()) {
        CAPTURE(preset.name);
        const TrainConfig config = preset_config(preset.name);
        CHECK_NOTHROW(validate(config));
        const TrainConfig again = read(to_text(config));
        CHECK(to_text(again) == to_text(config));
        CHECK(again.preset == preset.name);
        CHECK(bind(again.stack, {32, 32, 3}).size() == config.stack.size());
    }
}

TEST_CASE("A copied configuration has options of its own") {
    TrainConfig config = preset_config("wta");
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
    TrainConfig config = preset_config("sdae");
    read_config("# mine\n\n  epochs = 5   # fewer\nloss=auto\r\n", config);
    CHECK(config.epochs == 5);
    CHECK_FALSE((*config.loss).has_value());
    CHECK(config.batch_size == 20);
    CHECK(config.stack.size() == 3);
}

TEST_CASE("A line that cannot be understood is named, and changes nothing") {
    const auto refused = [](const char* text, const char* expected) {
        CAPTURE(text);
        TrainConfig config = preset_config("sdae");
        const std::string before = to_text(config);
        CHECK_THROWS_WITH(read_config(text, config), test::contains(expected));
        CHECK(to_text(config) == before);
    };
    refused("epochs = 3\nepoch = 5",
            "line 2: \"epoch\" found, one of stack, preset, seed, validation, epochs");
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

}  // namespace stackae

#include <nlohmann/json.hpp>

#include "stackae/model.hpp"

#include "model/sample_model.hpp"
#include "support/catch.hpp"

namespace stackae {
namespace {

using nlohmann::json;

json parsed(const JsonObject& object) {
    return json::parse(object.text());
}

}  // namespace

TEST_CASE("The JSON of a model tells each layer with its shapes, and each output with its size") {
    Model model = test::sample_model("conv2d:6:kernel=3, pool2d:2, dense:4:tied, nystroem:5", {8, 7, 1},
                                     {{"embedding", 3}, {"wide", 4}});
    model.record.config.seed = 7;
    model.record.class_names = {"a", "b"};
    model.record.history = {{"layer 1, conv2d", 1, 0.5, {}, 0.75, {}, {}}};
    model.record.accuracies = {{3, 0.5, 0.625, 10, 20, 5}};
    const json object = parsed(to_json(model));
    REQUIRE(object["layers"].size() == 4);
    const json& conv = object["layers"][0];
    CHECK(conv["type"] == "conv2d");
    CHECK(conv["text"] == model.layers[0].text());
    CHECK(conv["fields"]["kernel"] == 3);
    CHECK(conv["input"] == json({8, 7, 1}));
    CHECK(conv["output"] == json({6, 5, 6}));
    CHECK(conv["parameters"] == model.layers[0].parameters());
    CHECK(object["layers"][2]["fields"]["tied"] == true);
    CHECK(object["layers"][2]["fields"]["epochs"].is_null());
    CHECK(object["outputs"] == json::parse(R"([{"name": "embedding", "depth": 3, "code_size": 4},
                                               {"name": "wide", "depth": 4, "code_size": 5}])"));
    CHECK(object["reconstruction"] == json({{"depth", 3}, {"head", json::array()}}));
    CHECK(object["identity"] == model.identity());
    CHECK(object["parameters"] == model.parameters());
    CHECK(object["code_size"] == 4);
    CHECK(object["depth"] == 4);
    CHECK(object["preprocessing"]["standardized"] == false);
    const json& record = object["record"];
    CHECK(record["config"] == parsed(to_json(model.record.config)));
    CHECK(record["class_names"] == json({"a", "b"}));
    CHECK(record["history"] == json::array({parsed(to_json(model.record.history[0]))}));
    CHECK(record["accuracies"] == json::array({parsed(to_json(model.record.accuracies[0]))}));
}

TEST_CASE(
    "The JSON of a configuration has every option, its stack's text and nulls for what is settled later") {
    const TrainConfig config = preset("sdae");
    const json object = parsed(to_json(config));
    CHECK(object["preset"] == "sdae");
    CHECK(object["stack"] == to_text(config.stack));
    CHECK(object["corruption"] == "masking");
    CHECK(object["corruption_level"] == 0.25);
    CHECK(object["seed"] == 0);
    CHECK(object["loss"].is_null());
    CHECK(object["nesterov"] == false);
    for (const Preset& each : presets()) {
        const json described = parsed(to_json(each));
        CHECK(described["name"] == each.name);
        CHECK(described["summary"] == each.summary);
        CHECK(described["config"]["preset"] == each.name);
    }
}

TEST_CASE("The JSON of an epoch has null for what was not measured") {
    const json epoch = parsed(to_json(StageEpoch{"fine-tuning", 3, 0.5, {}, 0.75, 0.0, 1e-3}));
    CHECK(epoch == json::parse(R"({"stage": "fine-tuning", "epoch": 3, "train_loss": 0.5,
                                   "validation_loss": null, "mean_loss": 0.75, "dead_units": 0.0,
                                   "learning_rate": 0.001})"));
}

}  // namespace stackae

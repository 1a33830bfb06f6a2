#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>

#include "stackae/error.hpp"
#include "stackae/model.hpp"

#include "base/json.hpp"
#include "base/safetensors.hpp"
#include "model/json.hpp"
#include "model/refused.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using nlohmann::json;
using stackae::Activation;
using stackae::CorruptFile;
using stackae::DenseLayer;
using stackae::EpochRecord;
using stackae::InvalidArgument;
using stackae::load_model;
using stackae::Model;
using stackae::Tensor;
using stackae::base::read_safetensors;
using stackae::base::Safetensors;
using stackae::base::write_safetensors;
using stackae::test::TemporaryFolder;
using stackae::test::write_text;

namespace {

Tensor filled(std::vector<std::int64_t> shape, float first) {
    Tensor tensor(std::move(shape));
    for (float& value : tensor.values()) {
        value = first;
        first += 0.37F;
    }
    return tensor;
}

/// 2 × 3 gray pictures → 4 sigmoid units (tied) → 2 linear units (untied); every field away from its default.
Model small() {
    Model model;
    model.recipe.channels = 1;
    model.recipe.height = 2;
    model.recipe.width = 3;
    model.recipe.resize = stackae::ResizeMode::center;
    model.recipe.background = 0.1F;
    model.recipe.contrast = true;
    model.recipe.contrast_epsilon = 1e-3F;
    model.recipe.mean = {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F};
    model.recipe.deviation = {1.0F, 2.0F, 1.0F, 2.0F, 1.0F, 2.0F};
    model.layers.push_back({Activation::sigmoid, Activation::linear, filled({4, 6}, -1.0F), filled({4}, 0.1F),
                            Tensor(), filled({6}, 0.2F)});
    model.layers.push_back({Activation::linear, Activation::sigmoid, filled({2, 4}, 0.5F), filled({2}, 0.3F),
                            filled({4, 2}, -0.7F), filled({4}, 0.4F)});
    model.options = stackae::preset("hinton2006");
    model.options.layers = {4, 2};
    model.options.activations = {Activation::sigmoid, Activation::linear};
    model.options.seed = 0xFFFF'FFFF'FFFF'FFFFULL;
    model.options.learning_rate = 0.1 + 0.2;
    model.options.fine_tune_learning_rate = 1e-5;
    model.options.temporary_folder = "/tmp/größe";
    model.history.push_back({1, 1, 12.5, std::numeric_limits<double>::quiet_NaN(), 40.0, 0.25, 1e-4, 3.5});
    model.history.push_back({0, 2, 11.0, 10.5, 40.0, 0.0, 1e-7, 3.25});
    model.class_names = {"1", "10", "Katze \"Ö\""};
    model.trained_on = "pictures/größe";
    model.pictures = 1234;
    model.interrupted = true;
    return model;
}

void check_same(const Tensor& a, const Tensor& b) {
    CHECK(a.shape() == b.shape());
    CHECK(std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end()));
}

std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const stackae::Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

/// What load_model says of small()'s file after a change, with a checksum that fits.
std::string refused(const std::function<void(Safetensors&)>& change) {
    return stackae::test::refused(small(), change);
}

/// The same for a change of the JSON description.
std::string refused_description(const std::function<void(json&)>& change) {
    return stackae::test::refused_description(small(), change);
}

Tensor& tensor_of(Safetensors& file, const std::string& name) {
    return const_cast<Tensor&>(file.at(name));
}

}  // namespace

TEST_CASE("a model comes back from its file as it was") {
    const TemporaryFolder folder;
    const Model model = small();
    save(model, folder / "m.stackae");
    const Model back = load_model(folder / "m.stackae");
    CHECK(back.recipe == model.recipe);
    REQUIRE(back.layers.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(back.layers[i].activation == model.layers[i].activation);
        CHECK(back.layers[i].decoder == model.layers[i].decoder);
        CHECK(back.layers[i].tied() == model.layers[i].tied());
        check_same(back.layers[i].weights, model.layers[i].weights);
        check_same(back.layers[i].bias, model.layers[i].bias);
        check_same(back.layers[i].decoder_weights, model.layers[i].decoder_weights);
        check_same(back.layers[i].decoder_bias, model.layers[i].decoder_bias);
    }
    CHECK(back.options == model.options);
    REQUIRE(back.history.size() == 2);
    CHECK(std::isnan(back.history[0].validation_loss));
    CHECK(back.history[0].train_loss == 12.5);
    CHECK(back.history[1].layer == 0);
    CHECK(back.history[1].epoch == 2);
    CHECK(back.history[1].validation_loss == 10.5);
    CHECK(back.history[1].mean_loss == 40.0);
    CHECK(back.history[0].dead_units == 0.25);
    CHECK(back.history[1].learning_rate == 1e-7);
    CHECK(back.history[1].seconds == 3.25);
    CHECK(back.class_names == model.class_names);
    CHECK(back.trained_on == model.trained_on);
    CHECK(back.pictures == 1234);
    CHECK(back.interrupted);
    CHECK(back.identity() == model.identity());
    CHECK(folder.entries() == 1);
}

TEST_CASE("a model's file can be read as plain safetensors") {
    const TemporaryFolder folder;
    save(small(), folder / "m");
    const Safetensors file = read_safetensors(folder / "m");
    CHECK(file.text("format") == "stackae");
    CHECK(file.text("kind") == "model");
    CHECK(file.text("version") == "1");
    std::vector<std::string> names;
    for (const auto& [name, tensor] : file.tensors) {
        names.push_back(name);
    }
    CHECK(names == std::vector<std::string>{"recipe.mean", "recipe.deviation", "layers.1.weights",
                                            "layers.1.bias", "layers.1.decoder_bias", "layers.2.weights",
                                            "layers.2.bias", "layers.2.decoder_weights",
                                            "layers.2.decoder_bias"});
    const json description = json::parse(file.text("model"));
    CHECK(description["recipe"]["background"] == 0.1);
    CHECK(description["layers"][1]["units"] == 2);
    CHECK(description["history"][0]["validation_loss"].is_null());
    CHECK(description["options"]["activations"] == json({"sigmoid", "linear"}));
}

TEST_CASE("a model without standardisation, labels or history is saved and read") {
    const TemporaryFolder folder;
    Model model = small();
    model.recipe.mean.clear();
    model.recipe.deviation.clear();
    model.history.clear();
    model.class_names.clear();
    model.options = {};
    save(model, folder / "m");
    const Model back = load_model(folder / "m");
    CHECK(back.recipe == model.recipe);
    CHECK(back.history.empty());
    CHECK(back.class_names.empty());
    CHECK(back.options == model.options);
}

TEST_CASE("sizes of codes and the number of trained values are counted") {
    const Model model = small();
    CHECK(model.code_size() == 2);
    CHECK(model.code_size(1) == 4);
    CHECK(model.code_size(2) == 2);
    CHECK(message_of([&] { (void)model.code_size(3); }) ==
          "layer: 3 found, 0 to 2 expected: the model has 2 layers");
    CHECK_THROWS_AS(model.code_size(-1), InvalidArgument);
    CHECK_THROWS_AS(Model{}.code_size(), InvalidArgument);
    CHECK(model.parameters() == (24 + 4 + 6) + (8 + 2 + 8 + 4));
}

TEST_CASE("the identity changes with every weight, function and part of the recipe, and with nothing else") {
    const std::string before = small().identity();
    CHECK(before.size() == 16);
    CHECK(before.find_first_not_of("0123456789abcdef") == std::string::npos);
    const std::function<void(Model&)> changes[] = {
        [](Model& m) { m.layers[0].weights.data()[0] += 1e-6F; },
        [](Model& m) { m.layers[0].bias.data()[3] += 1e-6F; },
        [](Model& m) { m.layers[1].decoder_weights.data()[7] += 1e-6F; },
        [](Model& m) { m.layers[1].decoder_bias.data()[3] += 1e-6F; },
        [](Model& m) { m.layers[0].activation = Activation::relu; },
        [](Model& m) { m.layers[1].decoder = Activation::linear; },
        [](Model& m) { m.layers.pop_back(); },
        [](Model& m) { m.layers[1].decoder_weights = Tensor(); },
        [](Model& m) { std::swap(m.recipe.height, m.recipe.width); },
        [](Model& m) { m.recipe.resize = stackae::ResizeMode::squash; },
        [](Model& m) { m.recipe.background = 0.0F; },
        [](Model& m) { m.recipe.contrast = false; },
        [](Model& m) { m.recipe.contrast_epsilon *= 2.0F; },
        [](Model& m) { m.recipe.mean[5] = 0.0F; },
        [](Model& m) { m.recipe.deviation[5] = 1.0F; },
        [](Model& m) { m.recipe.mean.swap(m.recipe.deviation); },
    };
    for (std::size_t i = 0; i < std::size(changes); ++i) {
        Model model = small();
        changes[i](model);
        INFO("change " << i);
        CHECK(model.identity() != before);
    }
    Model other = small();
    other.options = {};
    other.history.clear();
    other.trained_on = "elsewhere";
    CHECK(other.identity() == before);
}

TEST_CASE("a model that could not be used is not written") {
    const TemporaryFolder folder;
    const auto message = [&](const std::function<void(Model&)>& change) {
        Model model = small();
        change(model);
        return message_of([&] { save(model, folder / "m"); });
    };
    const std::string start = folder / "m" + ": cannot write the model: ";
    CHECK(message([](Model& m) { m.layers.clear(); }) == start + "layers: 0 found, 1 to 64 expected");
    CHECK(message([](Model& m) { m.layers[1].weights.data()[2] = std::nanf(""); }) ==
          start + "layers.2.weights: a value that is not a finite number found");
    CHECK(message([](Model& m) { m.layers.erase(m.layers.begin()); }) ==
          start + "layers.1.weights: shape [2, 4] found, [2, 6] expected");
    CHECK(message([](Model& m) { m.layers[1].bias = Tensor({3}); }) ==
          start + "layers.2.bias: shape [3] found, [2] expected");
    CHECK(message([](Model& m) { m.layers[0].weights = Tensor(); }) ==
          start + "layers.1.weights: shape [] found, units × 6 expected");
    CHECK_THROWS_AS(save(small(), folder / "missing/m"), stackae::IoError);
    CHECK(folder.entries() == 0);
}

TEST_CASE("a gallery, a newer model and another program's file are told apart from a model") {
    CHECK(refused([](Safetensors& f) { f.metadata.insert_or_assign("kind", "gallery"); }) ==
          "is a stackae gallery, not a model");
    CHECK(refused([](Safetensors& f) { f.metadata.insert_or_assign("version", "5"); }) ==
          "was written by a newer stackae: version 5 of the model file found, this program reads up to 4");
    CHECK(refused([](Safetensors& f) { f.metadata.insert_or_assign("format", "pt"); }) ==
          "is not a file of stackae: format \"pt\" found");
    CHECK(refused([](Safetensors& f) { f.metadata.erase("format"); }) == "no \"format\" in its metadata");
    CHECK(refused([](Safetensors& f) { f.metadata.erase("model"); }) == "no \"model\" in its metadata");
}

TEST_CASE("tensors that are missing, of another shape or not finite are told by name") {
    const auto drop = [](const std::string& name) {
        return [name](Safetensors& f) {
            std::erase_if(f.tensors, [&](const auto& tensor) { return tensor.first == name; });
        };
    };
    CHECK(refused(drop("layers.1.bias")) == "no tensor \"layers.1.bias\" in it");
    CHECK(refused(drop("layers.2.decoder_weights")) == "no tensor \"layers.2.decoder_weights\" in it");
    CHECK(refused(drop("recipe.deviation")) == "no tensor \"recipe.deviation\" in it");
    CHECK(refused([](Safetensors& f) {
              tensor_of(f, "layers.2.weights") = Tensor({4, 2});
          }) == "tensor \"layers.2.weights\": shape [4, 2] found, [2, 4] expected");
    CHECK(refused([](Safetensors& f) { tensor_of(f, "recipe.mean") = Tensor({5}); }) ==
          "tensor \"recipe.mean\": shape [5] found, [6] expected");
    CHECK(refused([](Safetensors& f) {
              tensor_of(f, "layers.1.weights").data()[5] = std::numeric_limits<float>::infinity();
          }) == "layers.1.weights: a value that is not a finite number found");
    CHECK(refused([](Safetensors& f) {
              tensor_of(f, "recipe.mean").data()[0] = std::nanf("");
          }).find("recipe") == 0);
    CHECK(refused([](Safetensors& f) { tensor_of(f, "recipe.deviation").data()[0] = -1.0F; }) !=
          "nothing was thrown");
}

TEST_CASE("a model of very many classes and epochs is saved and read") {
    const TemporaryFolder folder;
    Model model = small();
    model.class_names.clear();
    for (int i = 0; i < 150'000; ++i) {
        model.class_names.push_back("a class with a name of some length, number " + std::to_string(i) +
                                    std::string(80, '.'));
    }
    model.history.clear();
    for (int i = 0; i < 20'000; ++i) {
        model.history.push_back({1, i + 1, 0.1 * i, 1.0 / 3.0, 40.0, 0.25, 1e-4, 3.5});
    }
    save(model, folder / "m");
    CHECK(std::filesystem::file_size(folder / "m") > stackae::base::max_safetensors_header);
    const Model back = load_model(folder / "m");
    CHECK(back.class_names == model.class_names);
    REQUIRE(back.history.size() == model.history.size());
    CHECK(back.history[777].epoch == 778);
    CHECK(back.history[777].train_loss == model.history[777].train_loss);
    CHECK(stackae::test::refused(model, [](Safetensors& f) {
              f.blocks.at(1).second += "{}";
          }).find("tensor \"history\": 20000 texts found") == 0);
    CHECK(stackae::test::refused(model, [](Safetensors& f) {
              f.blocks.at(1).second[0] = '[';
          }).find("history: not valid JSON") == 0);
}

TEST_CASE("layers that do not follow one another are refused") {
    CHECK(refused([](Safetensors& f) {
              json description = json::parse(f.text("model"));
              description["layers"][1]["inputs"] = 3;
              f.metadata["model"] = description.dump();
              tensor_of(f, "layers.2.weights") = Tensor({2, 3});
              tensor_of(f, "layers.2.decoder_weights") = Tensor({3, 2});
              tensor_of(f, "layers.2.decoder_bias") = Tensor({3});
          }) == "layers.2.weights: shape [2, 3] found, [2, 4] expected");
    CHECK(refused_description([](json& d) {
              d["recipe"]["height"] = 3;
              d["recipe"]["standardized"] = false;
          }) == "layers.1.weights: shape [4, 6] found, [4, 9] expected");
}

TEST_CASE("accuracies of layers are kept, believed only whole and do not change the identity") {
    const TemporaryFolder folder;
    Model model = small();
    const std::string identity = model.identity();
    model.layer_accuracies = {{1, 0.5, 0.625, 40, 300, 5}, {2, 1.0, 0.75, 40, 300, 5}};
    save(model, folder / "m");
    const Model back = load_model(folder / "m");
    REQUIRE(back.layer_accuracies.size() == 2);
    CHECK(back.layer_accuracies[1].layer == 2);
    CHECK(back.layer_accuracies[0].l2 == 0.5);
    CHECK(back.layer_accuracies[0].cosine == 0.625);
    CHECK(back.layer_accuracies[0].best() == 0.625);
    CHECK(back.layer_accuracies[1].pictures == 40);
    CHECK(back.layer_accuracies[1].neighbours == 300);
    CHECK(back.layer_accuracies[1].k == 5);
    CHECK(back.identity() == identity);
    CHECK(refused_description([](json& d) {  // of models written before there were any
              d.erase("layer_accuracies");
          }) == "nothing was thrown");

    const auto refused_accuracy = [](const char* key, const json& value) {
        return refused_description([&](json& d) {
            for (const int layer : {1, 2}) {
                d["layer_accuracies"].push_back({{"layer", layer},
                                                 {"l2", 0.5},
                                                 {"cosine", 0.5},
                                                 {"pictures", 40},
                                                 {"neighbours", 300},
                                                 {"k", 5}});
            }
            d["layer_accuracies"][1][key] = value;
        });
    };
    CHECK(refused_accuracy("k", 7) == "nothing was thrown");
    CHECK(refused_accuracy("k", 0) == "layer_accuracies: k: 0 found, 1 or more expected");
    CHECK(refused_accuracy("l2", 1.5) == "layer_accuracies: l2: 1.5 found, 0 to 1 expected");
    CHECK(refused_accuracy("cosine", json()) == "layer_accuracies: cosine: nan found, 0 to 1 expected");
    CHECK(refused_accuracy("layer", 3) == "layer_accuracies: layer 3 found, 2 to 2 expected");
    CHECK(refused_description([](json& d) { d["layer_accuracies"] = 1; }).find("layer_accuracies") !=
          std::string::npos);
}

TEST_CASE("a model's description is not believed unchecked") {
    CHECK(refused([](Safetensors& f) {
              f.metadata.insert_or_assign("model", "{");
          }).find("model: not valid JSON: ") == 0);
    CHECK(refused([](Safetensors& f) { f.metadata["model"] = std::string(100'000, '['); }) ==
          "model: nested deeper than 6 levels");
    CHECK(refused([](Safetensors& f) { f.metadata.insert_or_assign("model", "[]"); }) ==
          "model: array found, an object expected");
    for (const char* key :
         {"recipe", "layers", "options", "history", "class_names", "trained_on", "pictures", "interrupted"}) {
        CHECK(refused_description([&](json& d) { d.erase(key); }) ==
              "model: " + std::string(key) + ": missing");
    }
    CHECK(refused_description([](json& d) { d["layers"] = json::array(); }) ==
          "model: layers: 0 found, 1 to 64 expected");
    CHECK(refused_description([](json& d) { d["layers"] = json::array_t(65); }) ==
          "model: layers: 65 found, 1 to 64 expected");
    CHECK(refused_description([](json& d) { d["layers"][0]["units"] = -1; }) ==
          "layers.1: units: -1 found, 1 to 67108864 expected");
    CHECK(refused_description([](json& d) { d["layers"][0]["units"] = 1e300; }) ==
          "layers.1: units: 1e+300 found, a whole number in range expected");
    CHECK(refused_description([](json& d) { d["layers"][1]["activation"] = "swish"; }) ==
          "layers.2: activation: activation: \"swish\" found, one of linear, sigmoid, tanh, relu, elu, silu "
          "expected");
    CHECK(refused_description([](json& d) { d["layers"][1].erase("tied"); }) == "layers.2: tied: missing");
    CHECK(refused_description([](json& d) { d["recipe"]["resize"] = 1; }) ==
          "recipe: resize: 1 found, a string expected");
    CHECK(refused_description([](json& d) { d["recipe"]["width"] = 1 << 20; }).find("recipe: ") == 0);
    CHECK(refused_description([](json& d) { d["recipe"]["width"] = 5'000'000'000; }) ==
          "recipe: width: 5000000000 found, a whole number in range expected");
    CHECK(refused_description([](json& d) { d["recipe"]["background"] = 1e300; }) ==
          "recipe: background: 1e+300 found, a smaller number expected");
    CHECK(refused_description([](json& d) { d["options"]["learning_rate"] = nullptr; }) ==
          "options: learning_rate: nan found, a number above 0 and up to 1000 expected");
    CHECK(refused_description([](json& d) { d["options"]["layers"] = "many"; }) ==
          "options: layers: \"many\" found, an array expected");
    CHECK(refused_description([](json& d) { d["options"]["seed"] = -1; }) ==
          "options: seed: -1 found, a whole number in range expected");
    CHECK(refused_description([](json& d) { d["history"][1]["epoch"] = 0; }) ==
          "history: epoch: 0 found, 1 or more expected");
    CHECK(refused_description([](json& d) { d["history"][1]["layer"] = 65; }) ==
          "history: layer: 65 found, 0 to 64 expected");
    CHECK(refused_description([](json& d) {
              d["class_names"] = {1, 2};
          }) == "model: class_names: 1 found, a string expected");
    CHECK(refused_description([](json& d) { d["pictures"] = -1; }) ==
          "pictures: -1 found, 0 or more expected");
    CHECK(refused_description([](json& d) { d["interrupted"] = 0; }) ==
          "model: interrupted: 0 found, true or false expected");
}

TEST_CASE("a model written before an option existed, or after, can be read") {
    const TemporaryFolder folder;
    save(small(), folder / "m");
    Safetensors file = read_safetensors(folder / "m");
    json description = json::parse(file.text("model"));
    description["options"].erase("clip_norm");
    description["options"]["option_of_tomorrow"] = 1;
    file.metadata["model"] = description.dump();
    write_safetensors(file, folder / "m");
    CHECK(load_model(folder / "m").options == small().options);
}

TEST_CASE("no file cut short and no flipped bit is taken for a model") {
    const TemporaryFolder folder;
    save(small(), folder / "m");
    const std::string file = stackae::test::read_text(folder / "m");
    for (std::size_t i = 0; i < file.size(); i += 5) {
        INFO("byte " << i);
        write_text(folder / "bad", file.substr(0, i));
        CHECK_THROWS_AS(load_model(folder / "bad"), CorruptFile);
        std::string flipped = file;
        flipped[i] = static_cast<char>(static_cast<unsigned char>(flipped[i]) ^ (1U << (i % 8)));
        write_text(folder / "bad", flipped);
        CHECK_THROWS_AS(load_model(folder / "bad"), CorruptFile);
    }
}

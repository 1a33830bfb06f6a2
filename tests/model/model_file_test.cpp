#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "stackae/model.hpp"
#include "stackae/resources.hpp"

#include "model/sample_model.hpp"
#include "model/spoilt_file.hpp"

namespace stackae {
namespace {

using base::read_safetensors;
using base::Safetensors;
using nlohmann::json;
using test::message_of;
using test::TemporaryFolder;
using test::tensor_of;

/// 2 × 3 gray pictures, standardised, under two dense layers; every field away from its default.
Model small() {
    Model model = test::sample_model(
        "dense:4:activation=sigmoid:output=linear:tied, dense:2:activation=linear:output=sigmoid", {2, 3, 1},
        {{"embedding", 2}, {"below", 1}});
    model.preprocessing.resize = ResizeMode::center;
    model.preprocessing.background = 0.1F;
    model.preprocessing.contrast = true;
    model.preprocessing.contrast_epsilon = 1e-3F;
    model.preprocessing.mean = {0.1F, 0.2F, 0.3F, 0.4F, 0.5F, 0.6F};
    model.preprocessing.deviation = {1.0F, 2.0F, 1.0F, 2.0F, 1.0F, 2.0F};
    TrainingRecord& record = model.record;
    record.config = preset("hinton2006");
    record.config.stack = parse_stack("dense:4:activation=sigmoid:tied, dense:2:activation=linear");
    record.config.seed = 17'000'000'000'000'000'001ULL;
    record.config.learning_rate = 0.1 + 0.2;
    record.config.fine_tune_learning_rate = 1e-5;
    record.history = {{"layer 1, dense", 1, 12.5, {}, 40.0, 0.25, 1e-4},
                      {"fine-tuning", 2, 11.0, 10.5, 40.0, 0.0, 1e-7, "tried again"}};
    record.class_names = {"1", "10", "Katze \"Ö\""};
    record.data = "0123456789abcdef";
    record.pictures = 1234;
    record.interrupted = true;
    record.reconstruction = {0.5, 0.25, 2.0, 2, 60, 1174};
    record.accuracies = {{1, 0.5, 0.625, 40, 300, 5}, {2, 1.0, 0.75, 40, 300, 5}};
    return model;
}

std::string refused(const std::function<void(Safetensors&)>& change) {
    return test::refusal(small(), change);
}

std::string refused_description(const std::function<void(json&)>& change) {
    return test::refusal_of_description(small(), change);
}

}  // namespace

TEST_CASE("All that is recorded of training comes back from a model's file") {
    const TemporaryFolder folder;
    const Model model = small();
    save(model, folder / "m.stackae");
    const Model back = load_model(folder / "m.stackae");
    CHECK(back.preprocessing == model.preprocessing);
    CHECK(back.outputs == model.outputs);
    CHECK(to_text(back.record.config) == to_text(model.record.config));
    CHECK(back.record.config.seed == 17'000'000'000'000'000'001ULL);
    CHECK(to_json(back).text() == to_json(model).text());
    CHECK_FALSE(back.record.history.at(0).validation_loss);
    CHECK(back.record.history.at(1).learning_rate == 1e-7);
    CHECK(back.record.class_names == model.record.class_names);
    CHECK(back.record.pictures == 1234);
    CHECK(back.record.interrupted);
    CHECK(back.record.accuracies.at(1).neighbours == 300);
    CHECK(back.record.history.at(0).remark.empty());
    CHECK(back.record.history.at(1).remark == "tried again");
    REQUIRE(back.record.reconstruction);
    CHECK(back.record.reconstruction->worse_than_pca());
    CHECK(back.record.reconstruction->others == 1174);
    CHECK(folder.entries() == 1);
}

TEST_CASE("A stack's file can be read as plain safetensors") {
    const TemporaryFolder folder;
    save(small(), folder / "m");
    const Safetensors file = read_safetensors(folder / "m");
    CHECK(file.text("format") == "stackae");
    CHECK(file.text("kind") == "model");
    CHECK(file.text("version") == "5");
    std::vector<std::string> names;
    for (const auto& [name, tensor] : file.tensors) {
        names.push_back(name);
    }
    CHECK(names == std::vector<std::string>{"preprocessing.mean", "preprocessing.deviation",
                                            "layers.1.weights", "layers.1.bias", "layers.1.decoder_bias",
                                            "layers.2.weights", "layers.2.bias", "layers.2.decoder_weights",
                                            "layers.2.decoder_bias"});
    const json description = json::parse(file.text("model"));
    CHECK(description["preprocessing"]["background"] == 0.1);
    CHECK(description["layers"][1]["type"] == "dense");
    CHECK(description["layers"][1]["units"] == 2);
    CHECK(description["layers"][1]["input"] == json({1, 1, 4}));
}

TEST_CASE(
    "A model of measured channels keeps where they lie and their ranges, in a file of a newer version") {
    const TemporaryFolder folder;
    Model model = test::sample_model("dense:4", {2, 3, 5});
    model.preprocessing.measured = true;
    model.preprocessing.channel_files.suffixes = {"_a", "_b", "_c", "_d", "_e"};
    model.preprocessing.ranges = {{0.0F, 0.1F}, {-20.5F, 3.0F}, {1e6F, 2e6F}, {0.0F, 1.0F}, {7.0F, 8.0F}};
    save(model, folder / "m");
    CHECK(load_model(folder / "m").preprocessing == model.preprocessing);
    CHECK(load_model(folder / "m").identity() == model.identity());
    CHECK(read_safetensors(folder / "m").text("version") == "6");
    const auto spoilt = [&](const auto& change) {
        return test::refusal_of_description(
            model, [&](json& description) { change(description["preprocessing"]["own_channels"]); });
    };
    CHECK_THAT(spoilt([](json& own) { own.erase("measured"); }),
               test::contains("own_channels: measured: missing"));
    CHECK_THAT(spoilt([](json& own) { own["highs"] = {1.0}; }), test::contains("highs: 1 found, 5 expected"));
    CHECK_THAT(spoilt([](json& own) { own["lows"][1] = 4.0; }), test::contains("ranges: 4 to 3 found"));
    CHECK_THAT(spoilt([](json& own) { own["measured"] = false; }), test::contains("channels: 5 found"));
    CHECK_THAT(spoilt([](json& own) { own["suffixes"].erase(std::size_t{0}); }),
               test::contains("4 suffixes found, 5"));
}

TEST_CASE("A model of no standardisation, labels or history is saved and read") {
    const TemporaryFolder folder;
    Model model = small();
    model.preprocessing.mean.clear();
    model.preprocessing.deviation.clear();
    model.record = {};
    save(model, folder / "m");
    const Model back = load_model(folder / "m");
    CHECK(back.preprocessing == model.preprocessing);
    CHECK(back.record.history.empty());
    CHECK(back.record.class_names.empty());
    CHECK(back.record.config.stack.empty());
    CHECK(to_text(back.record.config) == to_text(TrainConfig{}));
}

TEST_CASE("Options that a file leaves out have their defaults") {
    Model model = small();
    model.record.config.clip_norm = 5.0;
    const TemporaryFolder folder;
    save(model, folder / "m");
    Safetensors file = read_safetensors(folder / "m");
    std::string& text = file.metadata.at("model");
    const std::string line = "clip_norm = 5\\n";
    REQUIRE(text.find(line) != std::string::npos);
    text.erase(text.find(line), line.size());
    base::write_safetensors(file, folder / "m");
    CHECK(load_model(folder / "m").record.config.clip_norm == 0.0);
}

TEST_CASE("What a file is, is told apart: a gallery, another version, another program's file") {
    const auto with = [](const char* key, const char* value) {
        return [=](Safetensors& file) { file.metadata.insert_or_assign(key, value); };
    };
    CHECK(refused(with("kind", "gallery")) == "is a stackae gallery, not a model");
    CHECK(refused(with("version", "7")) ==
          std::string("was written by a newer stackae: version 7 of the model file found, stackae ") +
              version() + " reads up to 6; update stackae to open it");
    CHECK(refused(with("version", "4")) == "a model of version 4 found, 5 or 6 expected: train it again");
    CHECK(refused(with("format", "pt")) == "is not a file of stackae: format \"pt\" found");
    CHECK(refused([](Safetensors& f) { f.metadata.erase("format"); }) == "no \"format\" in its metadata");
    CHECK(refused([](Safetensors& f) { f.metadata.erase("model"); }) == "no \"model\" in its metadata");

    const TemporaryFolder folder;
    save(small(), folder / "m");
    CHECK(file_kind(folder / "m") == "model");
    Safetensors file = read_safetensors(folder / "m");
    file.metadata.erase("kind");
    base::write_safetensors(file, folder / "other");
    CHECK(file_kind(folder / "other") == "");
    test::write_text(folder / "text", "no model");
    CHECK_FALSE(file_kind(folder / "text"));
    CHECK_THROWS_AS(file_kind(folder / "missing"), IoError);
}

TEST_CASE("A stack with values or shapes that cannot be is not written") {
    const TemporaryFolder folder;
    const auto message = [&](const std::function<void(Model&)>& change) {
        Model model = small();
        change(model);
        return message_of([&] { save(model, folder / "m"); });
    };
    const auto tensor = [](Model& model, std::size_t layer, std::size_t row) -> Tensor& {
        const layers::TensorTable table = layers::tensors_of(model.layers[layer]);
        return *(table.begin() + static_cast<std::ptrdiff_t>(row))->tensor;
    };
    const std::string start = folder / "m" + ": cannot write the model: ";
    CHECK(message([&](Model& m) { tensor(m, 1, 0).data()[2] = std::nanf(""); }) ==
          start + "layer 2, dense: weights: a value that is not a finite number found");
    CHECK(message([&](Model& m) { tensor(m, 1, 1) = Tensor({3}); }) ==
          start + "layer 2, dense: bias: shape [3] found, [2] expected");
    CHECK(message([&](Model& m) { tensor(m, 0, 0) = Tensor(); }) ==
          start + "layer 1, dense: weights: shape [] found, [4, 6] expected");
    CHECK(message([](Model& m) { m.layers = Stack({m.layers.layers().back()}); }) ==
          start +
              "layer 1, dense: an input of 4 values found, 2 x 3 x 1 expected: what is below it gives that");
    CHECK(message([](Model& m) { m.record.config.momentum = 2.0; }) ==
          start + "record: momentum: 2 found, a number from 0 and below 1 expected");
    CHECK(message([](Model& m) { m.record.history[1].dead_units = 1.5; }).rfind(start, 0) == 0);
    CHECK(message([](Model& m) { m.preprocessing.mean[1] = std::nanf(""); }).rfind(start, 0) == 0);
    CHECK_THROWS_AS(save(small(), folder / "missing/m"), IoError);
    CHECK(folder.entries() == 0);
}

TEST_CASE("Tensors of a file that are missing, of another shape or not finite are told by name") {
    const auto drop = [](const std::string& name) {
        return [name](Safetensors& f) {
            std::erase_if(f.tensors, [&](const auto& tensor) { return tensor.first == name; });
        };
    };
    CHECK(refused(drop("layers.1.bias")) == "no tensor \"layers.1.bias\" in it");
    CHECK(refused(drop("layers.2.decoder_weights")) == "no tensor \"layers.2.decoder_weights\" in it");
    CHECK(refused(drop("preprocessing.deviation")) == "no tensor \"preprocessing.deviation\" in it");
    CHECK(refused([](Safetensors& f) {
              tensor_of(f, "layers.2.weights") = Tensor({4, 2});
          }) == "tensor \"layers.2.weights\": shape [4, 2] found, [2, 4] expected");
    CHECK(refused([](Safetensors& f) { tensor_of(f, "preprocessing.mean") = Tensor({5}); }) ==
          "tensor \"preprocessing.mean\": shape [5] found, [6] expected");
    CHECK(refused([](Safetensors& f) {
              tensor_of(f, "layers.1.weights").data()[5] = std::numeric_limits<float>::infinity();
          }) == "layer 1, dense: weights: a value that is not a finite number found");
    CHECK(refused([](Safetensors& f) {
              tensor_of(f, "preprocessing.mean").data()[0] = std::nanf("");
          }).find("mean: nan found") != std::string::npos);
    CHECK(refused([](Safetensors& f) {
              tensor_of(f, "preprocessing.deviation").data()[0] = -1.0F;
          }).find("deviation: -1 found") != std::string::npos);
}

TEST_CASE("A stack of very many classes and epochs is saved and read") {
    const TemporaryFolder folder;
    Model model = small();
    model.record.class_names.clear();
    for (int i = 0; i < 150'000; ++i) {
        model.record.class_names.push_back("a class with a name of some length, number " + std::to_string(i) +
                                           std::string(80, '.'));
    }
    model.record.history.clear();
    for (int i = 0; i < 20'000; ++i) {
        model.record.history.push_back({"layer 1, dense", i + 1, 0.1 * i, 1.0 / 3.0, 40.0, 0.25, 1e-4});
    }
    save(model, folder / "m");
    CHECK(std::filesystem::file_size(folder / "m") > base::max_safetensors_header);
    const Model back = load_model(folder / "m");
    CHECK(back.record.class_names == model.record.class_names);
    REQUIRE(back.record.history.size() == model.record.history.size());
    CHECK(back.record.history[777].epoch == 778);
    CHECK(back.record.history[777].train_loss == model.record.history[777].train_loss);
    CHECK(test::refusal(model, [](Safetensors& f) {
              f.blocks.at(1).second += "{}";
          }).find("tensor \"history\": 20000 texts found") == 0);
    CHECK(test::refusal(model, [](Safetensors& f) {
              f.blocks.at(1).second[0] = '[';
          }).find("history: not valid JSON") == 0);
}

TEST_CASE("Layers of a file that do not follow one another are refused") {
    CHECK(refused([](Safetensors& f) {
              json description = json::parse(f.text("model"));
              description["layers"][1]["input"] = {1, 1, 3};
              f.metadata["model"] = description.dump();
              tensor_of(f, "layers.2.weights") = Tensor({2, 3});
              tensor_of(f, "layers.2.decoder_weights") = Tensor({3, 2});
              tensor_of(f, "layers.2.decoder_bias") = Tensor({3});
          }) == "layer 2, dense: an input of 3 values found, 4 values expected: what is below it gives that");
    CHECK(refused_description([](json& d) {
              d["preprocessing"]["height"] = 3;
              d["preprocessing"]["standardized"] = false;
          }) ==
          "layer 1, dense: an input of 2 x 3 x 1 found, 3 x 3 x 1 expected: what is below it gives that");
}

TEST_CASE("Accuracies at depths are believed only whole and do not change the identity") {
    Model model = small();
    model.record.accuracies.clear();
    CHECK(model.identity() == small().identity());
    const auto refused_accuracy = [](const char* key, const json& value) {
        return refused_description([&](json& d) { d["record"]["accuracies"][1][key] = value; });
    };
    const std::string start = "record: accuracies: ";
    CHECK(refused_accuracy("k", 7) == "nothing was thrown");
    CHECK(refused_accuracy("k", 0).rfind(start + "k: 0 found, 1 to ", 0) == 0);
    CHECK(refused_accuracy("l2", 1.5) == start + "l2: 1.5 found, a number from 0 and up to 1 expected");
    CHECK(refused_accuracy("cosine", json()) ==
          start + "cosine: null found, a number from 0 and up to 1 expected");
    CHECK(refused_accuracy("depth", -1).rfind(start + "depth: -1 found", 0) == 0);
    CHECK(refused_accuracy("depth", 3) == "accuracies: 3 layers found, 2 to 2 expected");
    CHECK(refused_description([](json& d) { d["record"]["accuracies"][0].erase("k"); }) ==
          start + "k: missing");
    CHECK(refused_description([](json& d) { d["record"]["accuracies"] = 1; }) ==
          "record: accuracies: 1 found, an array expected");
}

TEST_CASE("A stack's description is not believed unchecked") {
    CHECK(refused([](Safetensors& f) {
              f.metadata.insert_or_assign("model", "{");
          }).find("model: not valid JSON: ") == 0);
    CHECK(refused([](Safetensors& f) { f.metadata["model"] = std::string(100'000, '['); }) ==
          "model: nested deeper than 6 levels");
    CHECK(refused([](Safetensors& f) { f.metadata.insert_or_assign("model", "[]"); }) ==
          "model: array found, an object expected");
    for (const char* key : {"preprocessing", "layers", "outputs", "reconstruction", "record"}) {
        CHECK(refused_description([&](json& d) { d.erase(key); }) ==
              "model: " + std::string(key) + ": missing");
    }
    for (const char* key :
         {"config", "data", "pictures", "interrupted", "class_names", "history", "accuracies"}) {
        CHECK(refused_description([&](json& d) { d["record"].erase(key); }) ==
              "record: " + std::string(key) + ": missing");
    }
    CHECK(refused_description([](json& d) { d["layers"] = json::array(); }) ==
          "layers: 0 found, 1 to 64 expected");
    CHECK(refused_description([](json& d) { d["layers"] = json::array_t(65); }) ==
          "layers: a list of at most 64 layers expected");
    CHECK(refused_description([](json& d) { d["layers"] = 3; }) ==
          "layers: a list of at most 64 layers expected");
    CHECK(refused_description([](json& d) { d["layers"][0] = 3; }) ==
          "layers.1: number found, an object expected");
    CHECK(refused_description([](json& d) { d["layers"][0]["units"] = -1; }) ==
          "layers.1: units: -1 found, 1 to 1000000 expected");
    CHECK(refused_description([](json& d) { d["layers"][0]["units"] = 1e300; }) ==
          "layers.1: units: 1e+300 found, 1 to 1000000 expected");
    CHECK(refused_description([](json& d) { d["layers"][1]["activation"] = "swish"; }) ==
          "layers.2: activation: swish found, one of linear, sigmoid, tanh, relu, elu, silu expected");
    CHECK(refused_description([](json& d) { d["layers"][1].erase("tied"); }) == "layers.2: tied: missing");
    CHECK(refused_description([](json& d) { d["layers"][1]["tied"] = 0; }) ==
          "layers.2: tied: 0 found, true or false expected");
    CHECK(refused_description([](json& d) { d["preprocessing"]["resize"] = 1; }) ==
          "preprocessing: resize: 1 found, one of squash, border, center expected");
    CHECK(refused_description([](json& d) { d["preprocessing"]["height"] = 1 << 20; }) ==
          "preprocessing: height: 1048576 found, 1 to 4096 expected");
    CHECK(refused_description([](json& d) { d["preprocessing"]["width"] = 5'000'000'000; }) ==
          "preprocessing: width: 5000000000 found, 1 to 16777216 expected");
    CHECK(refused_description([](json& d) { d["preprocessing"]["background"] = 1e300; }) ==
          "preprocessing: background: 1e+300 found, a number from 0 and up to 1 expected");
    CHECK(refused_description([](json& d) {
              d["outputs"][0]["depth"] = -1;
          }).find("depth: -1 found, a whole number in range expected") != std::string::npos);
    CHECK(refused_description([](json& d) { d["reconstruction"]["depth"] = 3; }) ==
          "reconstruction: 3 layers found, 0 to 2 expected");
    CHECK(refused_description([](json& d) { d["record"]["config"] = 7; }) ==
          "record: config: 7 found, a string expected");
    CHECK(refused_description([](json& d) { d["record"]["config"] = "learning_rate = nan"; }) ==
          "record: config: line 1: learning_rate: nan found, a number above 0 and up to 1000 expected");
    CHECK(refused_description([](json& d) {
              d["record"]["config"] = "seed = -1";
          }).rfind("record: config: line 1: seed: -1 found", 0) == 0);
    CHECK(refused_description([](json& d) { d["record"]["pictures"] = -1; }) ==
          "pictures: -1 found, 0 or more expected");
    CHECK(refused_description([](json& d) { d["record"]["interrupted"] = 0; }) ==
          "record: interrupted: 0 found, true or false expected");
    Model one = small();
    one.record.history.resize(1);
    const auto refused_epoch = [&](const char* key, const json& value) {
        return test::refusal(one, [&](Safetensors& f) {
            std::string& text = f.blocks.at(1).second;
            json object = json::parse(text.substr(0, text.size() - 1));
            object[key] = value;
            text = object.dump() + std::string(1, '\0');
        });
    };
    CHECK(refused_epoch("epoch", 0).rfind("history: epoch: 0 found, 1 to ", 0) == 0);
    CHECK(refused_epoch("dead_units", 1.5).rfind("history: dead_units: 1.5 found", 0) == 0);
    CHECK(refused_epoch("train_loss", "low").rfind("history: train_loss: \"low\" found, auto or a", 0) == 0);
}

TEST_CASE("No file of a stack that is cut short and no flipped bit is taken for a model") {
    Model model = small();
    model.record.config = {};  // a shorter file, of which more can be tried
    test::check_damage_is_found(model, 5);
}

}  // namespace stackae

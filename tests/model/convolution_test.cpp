#include "stackae/convolution.hpp"

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "stackae/error.hpp"
#include "stackae/model.hpp"

#include "base/safetensors.hpp"
#include "model/refused.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace stackae;
using base::read_safetensors;
using base::Safetensors;
using base::write_safetensors;
using nlohmann::json;
using test::TemporaryFolder;

namespace {

Tensor filled(std::vector<std::int64_t> shape, float first) {
    Tensor tensor(std::move(shape));
    for (float& value : tensor.values()) {
        value = first;
        first += 0.37F;
    }
    return tensor;
}

ConvolutionLayer filled_layer(const ConvolutionShape& s, float first) {
    return {s,
            filled({s.whitened, s.patch_size()}, first),
            filled({s.patch_size()}, first + 0.1F),
            filled({s.units, s.whitened}, first + 0.2F),
            filled({s.units}, first + 0.3F),
            filled({s.whitened, s.units}, first + 0.4F),
            filled({s.whitened}, first + 0.5F),
            first + 0.6F,
            filled({s.input_size()}, first + 0.7F)};
}

/// 6 × 7 gray pictures → 4 × 2 × 5 codes by overlapping maxima → 2 × 1 × 6 by a grid and both signs → 2
/// linear units.
Model small() {
    Model model;
    model.recipe.height = 7;
    model.recipe.width = 6;
    ConvolutionShape first;
    first.height = 7;
    first.width = 6;
    first.kernel = 3;
    first.whitened = 4;
    first.units = 5;
    first.contrast_epsilon = 0.1F;
    first.pooling = Pooling::maximum;
    first.pool_size = 2;
    first.pool_stride = 1;
    ConvolutionShape second;
    second.channels = 5;
    second.height = 4;
    second.width = 3;
    second.kernel = 2;
    second.whitened = 7;
    second.units = 3;
    second.contrast = false;
    second.two_sided = true;
    second.pool_size = 0;
    second.pool_stride = 0;
    second.grid = 2;
    model.convolutions = {filled_layer(first, -1.0F), filled_layer(second, 0.25F)};
    model.layers.push_back({Activation::linear, Activation::relu, filled({2, 24}, 0.5F), filled({2}, 0.3F),
                            filled({24, 2}, -0.7F), filled({24}, 0.4F), true});
    model.picture_weights = filled({42, 2}, -0.4F);
    model.picture_bias = filled({42}, 0.1F);
    model.l2_normalize = true;
    model.options.convolutions = {parse_convolution("5@3:pool=2/1:max:whiten=4"),
                                  parse_convolution("3@2:grid=2:signs:share=0.1:eps=0.125")};
    model.options.code_size = 2;
    model.options.patches = 1234;
    model.options.patch_epochs = 3;
    model.history.push_back({1, 1, 12.5, 13.5, 40.0, 0.0, 0.0, 3.5});
    return model;
}

std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

/// What load_model says of small()'s file after a change, with a checksum that fits.
std::string refused(const std::function<void(Safetensors&)>& change) {
    return test::refused(small(), change);
}

std::string refused_description(const std::function<void(json&)>& change) {
    return test::refused_description(small(), change);
}

/// The same for one field of a convolutional layer, 0-based.
std::string refused_field(std::size_t layer, const char* key, const json& value) {
    return refused_description([&](json& d) { d["convolutions"][layer][key] = value; });
}

const char* const tensor_names[] = {"whitening",       "patch_mean",   "weights", "bias",
                                    "decoder_weights", "decoder_bias", "offset"};

std::vector<Tensor*> tensors_of(ConvolutionLayer& layer) {
    return {&layer.whitening,       &layer.patch_mean,   &layer.weights, &layer.bias,
            &layer.decoder_weights, &layer.decoder_bias, &layer.offset};
}

std::string parse_message(const std::string& text) {
    return message_of([&] { (void)parse_convolution(text); });
}

}  // namespace

TEST_CASE("a model of convolutional layers comes back from its file as it was") {
    const TemporaryFolder folder;
    Model model = small();
    save(model, folder / "m");
    Model back = load_model(folder / "m");
    REQUIRE(back.convolutions.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(back.convolutions[i].shape == model.convolutions[i].shape);
        CHECK(back.convolutions[i].gain == model.convolutions[i].gain);
        for (std::size_t j = 0; j < std::size(tensor_names); ++j) {
            CAPTURE(i, tensor_names[j]);
            const Tensor& found = *tensors_of(back.convolutions[i])[j];
            const Tensor& expected = *tensors_of(model.convolutions[i])[j];
            REQUIRE(found.shape() == expected.shape());
            CHECK(std::memcmp(found.data(), expected.data(),
                              static_cast<std::size_t>(found.size()) * sizeof(float)) == 0);
        }
    }
    CHECK(read_safetensors(folder / "m").text("version") == "2");  // others would take roots for values
    CHECK(back.options == model.options);
    CHECK(back.l2_normalize);
    CHECK(back.layers[0].of_roots == model.layers[0].of_roots);
    CHECK(back.identity() == model.identity());
    save(back, folder / "again");
    CHECK(test::read_text(folder / "m") == test::read_text(folder / "again"));
}

TEST_CASE("convolutional layers alone are a model") {
    const TemporaryFolder folder;
    Model model = small();
    model.layers.clear();
    model.picture_weights = Tensor();
    model.picture_bias = Tensor();
    model.l2_normalize = false;
    save(model, folder / "m");
    const Model back = load_model(folder / "m");
    CHECK(back.depth() == 2);
    CHECK(back.identity() == model.identity());
}

TEST_CASE("layers, codes and trained values of a convolutional stack are counted from the bottom") {
    const Model model = small();
    CHECK(model.depth() == 3);
    CHECK(model.code_size(1) == 4 * 3 * 5);
    CHECK(model.code_size(2) == 2 * 2 * 6);
    CHECK(model.code_size(3) == 2);
    CHECK(model.code_size() == 2);
    CHECK(model.dense_inputs() == 24);
    CHECK(message_of([&] { (void)model.code_size(4); }) ==
          "layer: 4 found, 0 to 3 expected: the model has 3 layers");
    CHECK(model.parameters() == (4 * 9 + 9 + 5 * 4 + 5 + 4 * 5 + 4 + 42) +
                                    (7 * 20 + 20 + 3 * 7 + 3 + 7 * 3 + 7 + 60) + (48 + 2 + 48 + 24) +
                                    (42 * 2 + 42));
}

TEST_CASE("the identity changes with every tensor and every field of a convolutional layer") {
    const std::string before = small().identity();
    for (std::size_t layer = 0; layer < 2; ++layer) {
        for (std::size_t j = 0; j < std::size(tensor_names); ++j) {
            Model model = small();
            Tensor& tensor = *tensors_of(model.convolutions[layer])[j];
            tensor.data()[tensor.size() - 1] += 1e-3F;
            CAPTURE(layer, tensor_names[j]);
            CHECK(model.identity() != before);
        }
    }
    const std::function<void(Model&)> changes[] = {
        [](Model& m) { m.convolutions[0].shape.channels = 2; },
        [](Model& m) { m.convolutions[0].shape.height = 8; },
        [](Model& m) { m.convolutions[0].shape.width = 8; },
        [](Model& m) { m.convolutions[0].shape.kernel = 2; },
        [](Model& m) { m.convolutions[0].shape.whitened = 5; },
        [](Model& m) { m.convolutions[0].shape.units = 6; },
        [](Model& m) { m.convolutions[0].shape.contrast = false; },
        [](Model& m) { m.convolutions[0].shape.contrast_epsilon *= 2.0F; },
        [](Model& m) { m.convolutions[0].shape.two_sided = true; },
        [](Model& m) { m.convolutions[0].shape.unit_length = true; },
        [](Model& m) { m.convolutions[0].shape.root = !m.convolutions[0].shape.root; },
        [](Model& m) { m.convolutions[0].shape.pooling = Pooling::average; },
        [](Model& m) { m.convolutions[0].shape.pool_size = 3; },
        [](Model& m) { m.convolutions[0].shape.pool_stride = 2; },
        [](Model& m) { m.convolutions[1].shape.grid = 1; },
        [](Model& m) { m.convolutions[1].gain += 1e-3F; },
        [](Model& m) { m.convolutions.pop_back(); },
        [](Model& m) { std::swap(m.convolutions[0], m.convolutions[1]); },
        [](Model& m) { m.l2_normalize = false; },
        [](Model& m) { m.layers[0].of_roots = false; },
        [](Model& m) { m.picture_weights.data()[83] += 1e-3F; },
        [](Model& m) { m.picture_bias.data()[41] += 1e-3F; },
    };
    for (std::size_t i = 0; i < std::size(changes); ++i) {
        Model model = small();
        changes[i](model);
        INFO("change " << i);
        CHECK(model.identity() != before);
    }
}

TEST_CASE("a convolutional model that could not be used is not written") {
    const TemporaryFolder folder;
    const auto message = [&](const std::function<void(Model&)>& change) {
        Model model = small();
        change(model);
        return message_of([&] { save(model, folder / "m"); });
    };
    const std::string start = folder / "m" + ": cannot write the model: ";
    for (std::size_t j = 0; j < std::size(tensor_names); ++j) {
        const std::string name = std::string("convolutions.2.") + tensor_names[j];
        CHECK(message([&](Model& m) { tensors_of(m.convolutions[1])[j]->data()[0] = std::nanf(""); }) ==
              start + name + ": a value that is not a finite number found");
        CHECK(message([&](Model& m) {
                  *tensors_of(m.convolutions[1])[j] = Tensor({1});
              }).rfind(start + name + ": shape [1] found, [", 0) == 0);
    }
    CHECK(message([](Model& m) { m.convolutions[0].gain = std::numeric_limits<float>::infinity(); }) ==
          start + "convolutions.1.gain: a value that is not a finite number found");
    CHECK(message([](Model& m) {
              m.convolutions[0].shape.contrast_epsilon = std::numeric_limits<float>::infinity();
          }) == start + "convolution: contrast_epsilon: inf found, a number above 0 expected");
    CHECK(message([](Model& m) { m.picture_bias = Tensor(); }) ==
          start + "picture.bias: shape [] found, [42] expected");
    CHECK(message([](Model& m) {
              m.picture_weights = filled({42, 3}, 1.0F);
          }) == start + "picture.weights: shape [42, 3] found, [42, 2] expected");
    CHECK(message([](Model& m) { m.picture_weights.data()[3] = std::nanf(""); }) ==
          start + "picture.weights: a value that is not a finite number found");
    const std::string no_roots =
        "of_roots found, expected only right above a convolutional layer whose codes are 0 or more";
    CHECK(message([](Model& m) {
              m.layers.push_back({Activation::linear, Activation::linear, filled({1, 2}, 0.5F),
                                  filled({1}, 0.5F), filled({2, 1}, 0.5F), filled({2}, 0.5F), true});
          }) == start + "layers.2: " + no_roots);
    CHECK(message([](Model& m) {
              m.convolutions[1].shape.two_sided = false;
              m.convolutions[1].shape.units = 6;
              m.convolutions[1] = filled_layer(m.convolutions[1].shape, 0.25F);
              m.convolutions[1].shape.unit_length = true;
              m.layers[0].of_roots = true;
          }) == start + "layers.1: " + no_roots);
    CHECK(message([](Model& m) { std::swap(m.recipe.height, m.recipe.width); }) ==
          start + "convolutions.1: maps of [7, 6, 1] found, [6, 7, 1] expected");
    CHECK(message([](Model& m) { m.convolutions.pop_back(); }) ==
          start + "layers.1.weights: shape [2, 24] found, [2, 60] expected");
    CHECK(message([](Model& m) { m.convolutions.erase(m.convolutions.begin()); }) ==
          start + "convolutions.1: maps of [4, 3, 5] found, [7, 6, 1] expected");
    CHECK(message([](Model& m) {
              m.convolutions.clear();
              m.layers.clear();
          }) == start + "layers: 0 found, 1 to 64 expected");
    CHECK(folder.entries() == 0);
}

TEST_CASE("shapes of convolutional layers are not believed unchecked") {
    const std::string start = "convolutions.1: convolution: ";
    CHECK(refused_field(0, "kernel", 7) == start + "kernel: 7 found, 1 to 6 expected");
    CHECK(refused_field(0, "kernel", 0) == start + "kernel: 0 found, 1 to 6 expected");
    CHECK(refused_field(0, "kernel", -3) == start + "kernel: -3 found, 1 to 6 expected");
    CHECK(refused_field(0, "channels", 0) == start + "channels: 0 found, 1 to 1048576 expected");
    CHECK(refused_field(0, "channels", std::int64_t{1} << 20) ==
          start + "values of a patch: 9437184 found, 1 to 1048576 expected");
    CHECK(refused_field(0, "height", -7) == start + "height: -7 found, 1 to 65536 expected");
    CHECK(refused_field(0, "width", std::numeric_limits<std::int64_t>::max()) ==
          start + "width: 9223372036854775807 found, 1 to 65536 expected");
    CHECK(refused_field(0, "whitened", 10) == start + "whitened: 10 found, 1 to 9 expected");
    CHECK(refused_field(0, "whitened", 0) == start + "whitened: 0 found, 1 to 9 expected");
    CHECK(refused_field(0, "units", 1'000'001) == start + "units: 1000001 found, 1 to 1000000 expected");
    CHECK(refused_field(0, "pool_size", -1) == start + "pool_size: -1 found, 0 to 4 expected");
    CHECK(refused_field(0, "pool_size", 5) == start + "pool_size: 5 found, 1 to 4 expected");
    CHECK(refused_field(0, "pool_stride", 0) == start + "pool_stride: 0 found, 1 to 2 expected");
    CHECK(refused_field(0, "pool_stride", 3) == start + "pool_stride: 3 found, 1 to 2 expected");
    CHECK(refused_field(1, "grid", 3) == "convolutions.2: convolution: grid: 3 found, 1 to 2 expected");
    CHECK(refused_field(1, "grid", 0) == "convolutions.2: convolution: grid: 0 found, 1 to 2 expected");
    CHECK(refused_field(0, "contrast_epsilon", 0) ==
          start + "contrast_epsilon: 0 found, a number above 0 expected");
    CHECK(refused_field(0, "contrast_epsilon", nullptr) ==
          start + "contrast_epsilon: nan found, a number above 0 expected");
    CHECK(refused_field(0, "pooling", "median") ==
          "convolutions.1: pooling: pooling: \"median\" found, average or maximum expected");
    CHECK(refused_field(0, "kernel", 2.5) ==
          "convolutions.1: kernel: 2.5 found, a whole number in range expected");
    CHECK(refused_field(0, "two_sided", 1) == "convolutions.1: two_sided: 1 found, true or false expected");
    CHECK(refused_field(1, "unit_length", true) ==
          "convolutions.2: convolution: unit_length: true found, false expected with two_sided");
    CHECK(refused_field(1, "gain", nullptr) ==
          "convolutions.2.gain: a value that is not a finite number found");
    for (const char* key :
         {"channels", "height", "width", "kernel", "whitened", "units", "contrast", "contrast_epsilon",
          "two_sided", "unit_length", "pooling", "pool_size", "pool_stride", "grid", "gain"}) {
        CHECK(refused_description([&](json& d) { d["convolutions"][1].erase(key); }) ==
              "convolutions.2: " + std::string(key) + ": missing");
    }
    CHECK(refused_description([](json& d) { d["convolutions"][1].erase("root"); }) == "nothing was thrown");
    CHECK(refused_description([](json& d) { d["layers"][0].erase("of_roots"); }) == "nothing was thrown");
    CHECK(refused_description([](json& d) { d["layers"][0]["of_roots"] = 1; }) ==
          "layers.1: of_roots: 1 found, true or false expected");
    CHECK(refused_description([](json& d) { d["picture_decoder"] = 2; }) ==
          "model: picture_decoder: 2 found, true or false expected");
    CHECK(refused_description([](json& d) { d["convolutions"] = 3; }) ==
          "model: convolutions: 3 found, an array expected");
    CHECK(refused_description([](json& d) { d["convolutions"][0] = 3; }) ==
          "convolutions.1: number found, an object expected");
    CHECK(refused_description([](json& d) { d["convolutions"] = json::array_t(65); }) ==
          "model: convolutions: 65 found, at most 64 expected");
    CHECK(refused_description([](json& d) { d["options"]["convolutions"][0] = "5"; }) ==
          "options: convolutions: convolution: \"5\" found, UNITS@KERNEL such as 256@5 expected");
    CHECK(refused_description([](json& d) { d["l2_normalize"] = 1; }) ==
          "model: l2_normalize: 1 found, true or false expected");
}

TEST_CASE("a small file whose codes or maps would take gigabytes is refused") {
    const auto huge = [](std::int64_t side, std::int64_t units) {
        return refused([=](Safetensors& f) {
            json d = json::parse(f.text("model"));
            json& c = d["convolutions"][0];
            c.update({{"height", side}, {"width", side}, {"channels", 1}, {"kernel", 1}, {"whitened", 1}});
            c.update({{"units", units}, {"pool_size", 1}, {"pool_stride", 1}});
            d["recipe"].update({{"height", side}, {"width", side}});
            d["convolutions"].erase(1);
            f.metadata["model"] = d.dump();
        });
    };
    CHECK(huge(64, 100'000) ==
          "convolutions.1: convolution: values of a picture's code: 409600000 found, 1 to 67108864 expected");
    CHECK(huge(65'536, 1) == "recipe: recipe: height: 65536 found, 1 to 4096 expected");
    ConvolutionShape shape;
    shape.height = shape.width = 1 << 16;
    shape.kernel = 1;
    shape.channels = 1 << 20;  // 2^52 values
    CHECK_THROWS_WITH(validate(shape), test::contains("values of a map: 4503599627370496 found"));
}

TEST_CASE("shapes that do not fit the tensors or one another are refused") {
    CHECK(refused_field(0, "units", 6) ==
          "tensor \"convolutions.1.weights\": shape [5, 4] found, [6, 4] expected");
    CHECK(refused_field(0, "kernel", 2) ==
          "tensor \"convolutions.1.whitening\": shape [4, 9] found, [4, 4] expected");
    CHECK(refused_field(1, "height", 5) ==
          "tensor \"convolutions.2.offset\": shape [60] found, [75] expected");
    // Tensors stay as they are: maps of 4 × 3 become 3 × 4, and 4 × 3 cells 3 × 2.
    CHECK(refused_description([](json& d) {
              std::swap(d["convolutions"][1]["height"], d["convolutions"][1]["width"]);
          }) == "convolutions.2: maps of [3, 4, 5] found, [4, 3, 5] expected");
    CHECK(refused_field(0, "pool_stride", 2) ==
          "convolutions.2: maps of [4, 3, 5] found, [2, 2, 5] expected");
    CHECK(refused_field(1, "two_sided", false) == "layers.1.weights: shape [2, 24] found, [2, 12] expected");
    CHECK(refused_description([](json& d) { d["recipe"]["channels"] = 3; }) ==
          "convolutions.1: maps of [7, 6, 1] found, [7, 6, 3] expected");
}

TEST_CASE("tensors of a convolutional layer that are missing or not finite are told by name") {
    for (const char* what : tensor_names) {
        const std::string name = std::string("convolutions.2.") + what;
        CHECK(refused([&](Safetensors& f) {
                  std::erase_if(f.tensors, [&](const auto& tensor) { return tensor.first == name; });
              }) == "no tensor \"" + name + "\" in it");
        CHECK(refused([&](Safetensors& f) {
                  const_cast<Tensor&>(f.at(name)).data()[1] = std::numeric_limits<float>::infinity();
              }) == name + ": a value that is not a finite number found");
    }
}

TEST_CASE("a convolutional model's file cut short or with a flipped bit is no model") {
    const TemporaryFolder folder;
    save(small(), folder / "m");
    const std::string file = test::read_text(folder / "m");
    for (std::size_t i = 0; i < file.size(); i += 41) {
        INFO("byte " << i);
        test::write_text(folder / "bad", file.substr(0, i));
        CHECK_THROWS_AS(load_model(folder / "bad"), CorruptFile);
        std::string flipped = file;
        flipped[i] = static_cast<char>(static_cast<unsigned char>(flipped[i]) ^ (1U << (i % 8)));
        test::write_text(folder / "bad", flipped);
        CHECK_THROWS_AS(load_model(folder / "bad"), CorruptFile);
    }
}

TEST_CASE("a model written before there were convolutional layers is read, and has its identity") {
    const TemporaryFolder folder;
    Model model;
    model.recipe.height = 2;
    model.recipe.width = 3;
    model.layers.push_back({Activation::sigmoid, Activation::linear, filled({4, 6}, -1.0F), filled({4}, 0.1F),
                            Tensor(), filled({6}, 0.2F)});
    save(model, folder / "m");
    Safetensors file = read_safetensors(folder / "m");
    json description = json::parse(file.text("model"));
    description.erase("convolutions");
    description.erase("l2_normalize");
    for (const char* key : {"convolutions", "code_size", "patches", "patch_epochs"}) {
        description["options"].erase(key);
    }
    file.metadata["model"] = description.dump();
    write_safetensors(file, folder / "m");
    const Model back = load_model(folder / "m");
    CHECK(back.convolutions.empty());
    CHECK_FALSE(back.l2_normalize);
    CHECK(back.options == model.options);
    CHECK(back.identity() == model.identity());
}

TEST_CASE("a convolutional layer's text says all of it and is read back") {
    const ConvolutionOptions defaults = parse_convolution("256@5");
    CHECK(defaults == ConvolutionOptions{});
    CHECK(to_text(defaults) == "256@5:pool=2:share=0.2:eps=0.1");
    const ConvolutionOptions all =
        parse_convolution("64@7:pool=3/2:max:root:signs:share=0.05:whiten=40:eps=0.01");
    CHECK(all.units == 64);
    CHECK(all.kernel == 7);
    CHECK(all.pool_size == 3);
    CHECK(all.pool_stride == 2);
    CHECK(all.grid == 0);
    CHECK(all.maximum);
    CHECK(all.two_sided);
    CHECK(all.share == 0.05);
    CHECK(all.whitened == 40);
    CHECK(all.whitening == 0.01);
    const ConvolutionOptions grid = parse_convolution("8@1:grid=3");
    CHECK(grid.grid == 3);
    CHECK(grid.pool_size == 0);
    for (const char* text :
         {"256@5:pool=2:share=0.2:eps=0.1", "64@7:pool=3/2:max:signs:share=0.05:whiten=40:eps=0.01",
          "8@1:grid=3:share=0.2:eps=0", "1@256:pool=1:share=1e-09:eps=1000000"}) {
        CHECK(to_text(parse_convolution(text)) == text);
    }
    CHECK(parse_convolution("8@3:context=3").context == 3);
    CHECK(to_text(parse_convolution("8@3:context=3")) == "8@3:pool=2:context=3:eps=0.1");
    ConvolutionOptions thirds;
    thirds.share = 1.0 / 3.0;
    thirds.whitening = 0.1 + 0.2;
    CHECK(parse_convolution(to_text(thirds)) == thirds);
    CHECK(parse_convolution("8@3:grid=3:pool=4").grid == 0);  // the last one counts
    CHECK(parse_convolution("8@3:pool=4:grid=3").pool_size == 0);
}

TEST_CASE("a convolutional layer's text that makes no sense is refused with what was expected") {
    CHECK(parse_message("") == "convolution: \"\" found, UNITS@KERNEL such as 256@5 expected");
    CHECK(parse_message("256") == "convolution: \"256\" found, UNITS@KERNEL such as 256@5 expected");
    CHECK(parse_message("256@") == "convolution: \"\" found in \"256@\", a number expected");
    CHECK(parse_message("256@5x5") == "convolution: \"5x5\" found in \"256@5x5\", a number expected");
    CHECK(parse_message("many@5") == "convolution: \"many\" found in \"many@5\", a number expected");
    CHECK(parse_message("99999999999999999999@5") ==
          "convolution: \"99999999999999999999\" found in \"99999999999999999999@5\", a number expected");
    CHECK(parse_message("256@5:") ==
          "convolution: \"\" found in \"256@5:\", one of pool=N, pool=N/STEP, grid=N, "
          "max, root, signs, context=N, share=P, whiten=N, eps=X expected");
    CHECK(parse_message("256@5:pol=2")
              .rfind("convolution: \"pol=2\" found in \"256@5:pol=2\", one of pool=N", 0) == 0);
    CHECK(parse_message("8@3:root:context=2") ==
          "convolution: root found in \"8@3:root:context=2\", not expected with context");
    CHECK(parse_message("256@5:max=2").rfind("convolution: \"max=2\" found", 0) == 0);
    CHECK(parse_message("256@5:pool=") == "convolution: \"\" found in \"256@5:pool=\", a number expected");
    CHECK(parse_message("256@5:pool=2/") ==
          "convolution: \"\" found in \"256@5:pool=2/\", a number expected");
    CHECK(parse_message("0@5") == "convolution: units: 0 found, 1 to 1000000 expected");
    CHECK(parse_message("-4@5") == "convolution: units: -4 found, 1 to 1000000 expected");
    CHECK(parse_message("4@257") == "convolution: kernel: 257 found, 1 to 256 expected");
    CHECK(parse_message("4@5:pool=0") == "convolution: pool: 0 found, 1 to 65536 expected");
    CHECK(parse_message("4@5:grid=0") == "convolution: grid: 0 found, 1 to 65536 expected");
    CHECK(parse_message("4@5:pool=2/3") == "convolution: pool's step: 3 found, 1 to 2 expected");
    CHECK(parse_message("4@5:pool=2/0") == "convolution: pool's step: 0 found, 1 to 2 expected");
    CHECK(parse_message("4@5:context=-1") == "convolution: context: -1 found, 0 to 65536 expected");
    CHECK(parse_message("4@5:whiten=-1") == "convolution: whiten: -1 found, 0 to 1048576 expected");
    for (const char* share : {"0", "1", "-0.5", "nan", "inf"}) {
        CHECK(parse_message(std::string("4@5:share=") + share) ==
              std::string("convolution: share: ") + share + " found, a number above 0 and below 1 expected");
    }
    CHECK(parse_message("4@5:eps=-1") == "convolution: eps: -1 found, a number from 0 to 1e6 expected");
    CHECK(parse_message("4@5:eps=nan") == "convolution: eps: nan found, a number from 0 to 1e6 expected");
}

TEST_CASE("options of convolutional stacks outside their range are named") {
    const auto message = [](const std::function<void(TrainOptions&)>& change) {
        TrainOptions options;
        options.convolutions = {parse_convolution("8@3")};
        change(options);
        return message_of([&] { validate(options); });
    };
    CHECK(message([](TrainOptions&) {}) == "nothing was thrown");
    CHECK(message([](TrainOptions& o) { o.convolutions.assign(5, o.convolutions[0]); }) ==
          "convolutions: 5 found, 0 to 4 expected");
    CHECK(message([](TrainOptions& o) { o.convolutions[0].units = 0; }) ==
          "convolution: units: 0 found, 1 to 1000000 expected");
    CHECK(message([](TrainOptions& o) { o.convolutions[0].pool_stride = 4; }) ==
          "convolution: pool's step: 4 found, 1 to 2 expected");
    CHECK(message([](TrainOptions& o) { o.convolutions[0].grid = 2; }) ==
          "convolutions: grid 2 and pool_size 2 found, one of them 0 expected");
    CHECK(message([](TrainOptions& o) { o.code_size = -1; }) == "code_size: -1 found, 0 to 1000000 expected");
    for (const std::function<void(TrainOptions&)>& change :
         std::initializer_list<std::function<void(TrainOptions&)>>{
             [](TrainOptions& o) { o.code_size = 0; },
             [](TrainOptions& o) {
                 o.layers = {8};
                 o.activations = {Activation::silu};
             },
             [](TrainOptions& o) { o.convolutions.back() = parse_convolution("8@2:context=1"); },
         }) {
        CHECK(message([&](TrainOptions& o) {
                  o.code_size = 5;
                  o.code_roots = true;
                  change(o);
              }) ==
              "code_roots: true found, false but for a code right above convolutional layers without "
              "context expected");
    }
    CHECK(message([](TrainOptions& o) { o.patches = 999; }) ==
          "patches: 999 found, 1000 to 100000000 expected");
    CHECK(message([](TrainOptions& o) { o.patch_epochs = -1; }) ==
          "patch_epochs: -1 found, 0 to 1000000 expected");
    CHECK(message([](TrainOptions& o) { o.winner_share = 1.5; }) ==
          "winner_share: 1.5 found, a number from 0 and below 1 expected");
    CHECK(message([](TrainOptions& o) {
              o.layers.assign(64, 8);
              o.activations = {Activation::silu};
          }) == "layers: 64 values found, 0 to 63 expected");
}

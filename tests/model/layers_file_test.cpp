#include <cmath>
#include <fmt/format.h>
#include <limits>

#include "base/fields.hpp"
#include "model/sample_model.hpp"
#include "model/spoilt_file.hpp"

/// What files of stacks say of layers of maps, and of what is above them.
namespace stackae {
namespace {

using base::Safetensors;
using nlohmann::json;
using test::message_of;
using test::TemporaryFolder;
using test::tensor_of;

/// Gray pictures of 7 × 6 → 5 × 4 × 5 → 4 × 3 × 5 by overlapping maxima → 3 × 2 × 6 of both signs → 2 × 2 × 6
/// by a grid → 2 components, and 5 landmarks on top; rebuilt from the components.
Model small() {
    Model model = test::sample_model(
        "conv2d:5:kernel=3:whitening_dim=4:contrast_epsilon=0.1, pool2d:2:stride=1:mode=maximum, "
        "conv2d:3:kernel=2:whitening_dim=7:contrast_norm=false:activation=crelu, pool2d:grid=2, power_norm, "
        "pca:2, l2_norm, nystroem:5",
        {7, 6, 1}, {{"embedding", 7}, {"wide", 8}});
    model.reconstruction.depth = 6;
    model.reconstruction.head = test::filled_stack("ridge_decoder:7:width=6", {1, 1, 2}, 50);
    model.record.history = {{"layer 1, conv2d", 1, 12.5, 13.5, 40.0, 0.0, {}}};
    return model;
}

std::string refused(const std::function<void(Safetensors&)>& change) {
    return test::refusal(small(), change);
}

std::string refused_description(const std::function<void(json&)>& change) {
    return test::refusal_of_description(small(), change);
}

/// The same for one field of a layer, 1-based.
std::string refused_field(std::size_t layer, const char* key, const json& value) {
    return refused_description([&](json& d) { d["layers"][layer - 1][key] = value; });
}

/// Calls body(layer, 1-based; name in the file; tensor's row) for every tensor of the layers.
template <class Body>
void each_tensor(const Model& model, const Body& body) {
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        for (const auto& row : layers::tensors_of(model.layers[i])) {
            body(i + 1, fmt::format("layers.{}.{}", i + 1, row.name), row);
        }
    }
}

}  // namespace

TEST_CASE("Codes and learnt values of a stack of maps are counted layer by layer") {
    const Model model = small();
    CHECK(model.code_size("1") == 5 * 4 * 5);
    CHECK(model.code_size("2") == 4 * 3 * 5);
    CHECK(model.code_size("3") == 3 * 2 * 6);
    CHECK(model.code_size("4") == 2 * 2 * 6);
    CHECK(model.code_size("6") == 2);
    CHECK(model.code_size("wide") == 5);
    const std::int64_t first = 4 * 9 + 9 + 5 * 4 + 5 + 4 * 5 + 4 + 1 + 42;
    const std::int64_t second = 7 * 20 + 20 + 3 * 7 + 3 + 7 * 3 + 7 + 1 + 60;
    const std::int64_t components = 2 * 24 + 2 + 24 * 2 + 24;
    const std::int64_t landmarks = 2 + 5 * 2 + 5 * 5 + 1;
    const std::int64_t head = 42 * 2 + 42;
    CHECK(model.parameters() == first + second + components + landmarks + head);
}

TEST_CASE("A stack of maps with a tensor that cannot be is not written, and the tensor is named") {
    const TemporaryFolder folder;
    const auto message = [&](std::size_t layer, const auto& row, const Tensor& tensor) {
        Model model = small();
        std::unique_ptr<Layer> changed = model.layers[layer - 1].clone();
        layers::TensorTable table;
        changed->tensors(table);
        for (const auto& other : table) {
            if (other.name == row.name) {
                *other.tensor = tensor;
            }
        }
        model.layers.replace(layer - 1, std::move(changed));
        return message_of([&] { save(model, folder / "m"); });
    };
    const Model model = small();
    each_tensor(model, [&](std::size_t layer, const std::string& name, const auto& row) {
        CAPTURE(name);
        const std::string start = fmt::format("{}: cannot write the model: layer {}, {}: {}: ", folder / "m",
                                              layer, model.layers[layer - 1].type(), row.name);
        Tensor spoilt = *row.tensor;
        spoilt.data()[spoilt.size() - 1] = std::nanf("");
        CHECK(message(layer, row, spoilt) == start + "a value that is not a finite number found");
        CHECK(message(layer, row, Tensor({1, 1, 1})).rfind(start + "shape [1, 1, 1] found, [", 0) == 0);
    });
    CHECK(folder.entries() == 0);
}

TEST_CASE("A tensor of a file of maps that is missing or not finite is told by name") {
    const Model model = small();
    each_tensor(model, [&](std::size_t layer, const std::string& name, const auto& row) {
        CAPTURE(name);
        CHECK(refused([&](Safetensors& f) {
                  std::erase_if(f.tensors, [&](const auto& tensor) { return tensor.first == name; });
              }) == "no tensor \"" + name + "\" in it");
        CHECK(refused([&](Safetensors& f) {
                  tensor_of(f, name).data()[0] = std::numeric_limits<float>::infinity();
              }) == fmt::format("layer {}, {}: {}: a value that is not a finite number found", layer,
                                model.layers[layer - 1].type(), row.name));
    });
    CHECK(refused([](Safetensors& f) {
              std::erase_if(f.tensors, [](const auto& t) { return t.first == "reconstruction.1.bias"; });
          }) == "no tensor \"reconstruction.1.bias\" in it");
    CHECK(refused([](Safetensors& f) {
              tensor_of(f, "reconstruction.1.weights") = Tensor({42, 3});
          }) == "tensor \"reconstruction.1.weights\": shape [42, 3] found, [42, 2] expected");
}

TEST_CASE("A field of a layer that a file leaves out is told by name") {
    const Model model = small();
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        const base::FieldTable table = layers::fields_of(model.layers[i]);
        for (const auto& field : table) {
            CHECK(refused_description([&](json& d) { d["layers"][i].erase(field->name()); }) ==
                  (table.may_be_missing(*field)
                       ? "nothing was thrown"
                       : fmt::format("layers.{}: {}: missing", i + 1, field->name())));
        }
        CHECK(refused_description([&](json& d) { d["layers"][i].erase("input"); }) ==
              fmt::format("layers.{}: input: missing", i + 1));
    }
}

TEST_CASE("Shapes and fields of layers of maps are not believed unchecked") {
    const std::string conv = "layers.1: conv2d: an input of 7 x 6 x 1 found, ";
    CHECK(refused_field(1, "kernel", 7) == conv + "at least 7 x 7 positions expected");
    CHECK(refused_field(1, "pad", 3) == "layers.1: conv2d: pad: 3 found, 0 to 2 with a kernel of 3 expected");
    CHECK(refused_field(1, "kernel", 0) == "layers.1: kernel: 0 found, 1 to 256 expected");
    CHECK(refused_field(1, "kernel", -3) == "layers.1: kernel: -3 found, 1 to 256 expected");
    CHECK(refused_field(1, "kernel", 2.5) == "layers.1: kernel: 2.5 found, 1 to 256 expected");
    CHECK(refused_field(1, "units", 1'000'001) == "layers.1: units: 1000001 found, 1 to 1000000 expected");
    CHECK(refused_field(1, "whitening_dim", 0) ==
          "layers.1: whitening_dim: 0 found, auto or 1 to 1048576 expected");
    CHECK(refused_field(1, "contrast_epsilon", 0) ==
          "layers.1: contrast_epsilon: 0 found, auto or a number above 0 and up to 1000000 expected");
    CHECK(refused_field(1, "contrast_norm", 1) ==
          "layers.1: contrast_norm: 1 found, auto or true or false expected");
    CHECK(refused_field(1, "activation", "softplus") ==
          "layers.1: activation: softplus found, one of relu, crelu, linear expected");
    CHECK(refused_field(2, "size", -1) == "layers.2: size: -1 found, auto or 1 to 65536 expected");
    const std::string pool = "layers.2: pool2d: an input of 5 x 4 x 5 found, ";
    CHECK(refused_field(2, "size", 5) == pool + "at least 5 x 5 positions expected");
    CHECK(refused_field(2, "stride", 3) ==
          "layers.2: pool2d: stride: 3 found, 1 to 2 with a size of 2 expected");
    CHECK(refused_field(2, "grid", 2) ==
          "layers.2: pool2d: grid: 2 found, no grid beside size or stride expected");
    CHECK(refused_field(2, "stride", 0) == "layers.2: stride: 0 found, auto or 1 to 65536 expected");
    CHECK(refused_field(2, "mode", "median").rfind("layers.2: mode: median found, ", 0) == 0);
    CHECK(refused_field(4, "grid", 3)
              .rfind("layers.4: pool2d: an input of 3 x 2 x 6 found, at least 3 x 3 ", 0) == 0);
    CHECK(refused_field(5, "alpha", 0.0).rfind("layers.5: alpha: 0.0 found", 0) == 0);
    CHECK(refused_field(6, "n_components", 0).rfind("layers.6: n_components: 0 found, 1 to ", 0) == 0);
    CHECK(refused_field(1, "input", {7, 6, 1 << 20}) ==
          "layers.1: conv2d: an input of 7 x 6 x 1048576 found, patches of at most 1048576 values expected");
    for (const json& input : {json({-7, 6, 1}), json({7, 6}), json({7, 6, 1, 1}),
                              json({std::int64_t{1} << 62, 1, 1}), json({1 << 26, 1 << 26, 1 << 26})}) {
        CHECK(refused_field(1, "input", input) ==
              "layers.1: input: 3 extents above 0 and at most 2^26 values expected");
    }
}

TEST_CASE("A small file whose codes or maps would take gigabytes is refused") {
    const auto huge = [](std::int64_t side, std::int64_t units) {
        return refused_description([=](json& d) {
            json& conv = d["layers"][0];
            conv.update({{"input", {side, side, 1}}, {"kernel", 1}, {"whitening_dim", 1}, {"units", units}});
            d["preprocessing"].update({{"height", side}, {"width", side}});
        });
    };
    CHECK(huge(64, 100'000) ==
          "layers.1: conv2d: an input of 64 x 64 x 1 found, maps of at most 67108864 values expected");
    CHECK(huge(4096, 1).rfind("tensor \"layers.1.whitening\": shape [4, 9] found", 0) == 0);
    CHECK(huge(65'536, 1) == "preprocessing: height: 65536 found, 1 to 4096 expected");
    CHECK(refused_field(8, "n_landmarks", 1'000'000)
              .rfind("tensor \"layers.8.landmarks\": shape [5, 2] found, [1000000, 2] expected", 0) == 0);
    const auto head = [](std::int64_t height, std::int64_t width, std::int64_t channels) {
        return refused_description([=](json& d) {
            d["reconstruction"]["head"][0].update(
                {{"height", height}, {"width", width}, {"channels", channels}});
        });
    };
    CHECK(head(1 << 24, 1 << 24, 1 << 16) ==
          "reconstruction.1: ridge_decoder: a picture of 16777216 x 16777216 x 65536 found, at most 67108864 "
          "values expected");
    CHECK(head(4096, 4096, 3).rfind("tensor \"reconstruction.1.weights\": shape [42, 2] found", 0) == 0);
}

TEST_CASE("Layers of maps that do not fit their tensors or one another are refused") {
    CHECK(refused_field(1, "units", 6) == "tensor \"layers.1.weights\": shape [5, 4] found, [6, 4] expected");
    CHECK(refused_field(1, "kernel", 2) ==
          "tensor \"layers.1.whitening\": shape [4, 9] found, [4, 4] expected");
    CHECK(refused_field(1, "whitening_dim", nullptr) ==
          "tensor \"layers.1.whitening\": shape [4, 9] found, [9, 9] expected");
    CHECK(refused_field(3, "input", {5, 3, 5}) ==
          "tensor \"layers.3.offset\": shape [60] found, [75] expected");
    // Tensors stay as they are: maps of 4 × 3 become 3 × 4, and those of 3 × 2 others.
    const std::string below = " expected: what is below it gives that";
    CHECK(refused_field(3, "input", {3, 4, 5}) ==
          "layer 3, conv2d: an input of 3 x 4 x 5 found, 4 x 3 x 5" + below);
    CHECK(refused_field(2, "stride", 2) == "layer 3, conv2d: an input of 4 x 3 x 5 found, 2 x 2 x 5" + below);
    CHECK(refused_field(3, "activation", "relu") ==
          "layer 4, pool2d: an input of 3 x 2 x 6 found, 3 x 2 x 3" + below);
    CHECK(refused_description([](json& d) { d["preprocessing"]["channels"] = 3; }) ==
          "layer 1, conv2d: an input of 7 x 6 x 1 found, 7 x 6 x 3" + below);
    CHECK(refused_description([](json& d) { d["layers"].erase(1); }) ==
          "no tensor \"layers.2.whitening\" in it");
    CHECK(refused_description([](json& d) { d["reconstruction"]["depth"] = 5; }) ==
          "reconstruction: layer 1, ridge_decoder: an input of 2 values found, 2 x 2 x 6" + below);
    CHECK(refused_description([](json& d) {
              d["reconstruction"]["head"][0].update({{"height", 6}, {"width", 7}});
          }) == "reconstruction: an output of 6 x 7 x 1 found, 7 x 6 x 1 expected");
}

TEST_CASE("Landmarks that cannot be are refused") {
    CHECK(refused([](Safetensors& f) { tensor_of(f, "layers.8.scale").data()[1] = 0.0F; }) ==
          "layer 8, nystroem: scale: 0 found, a number above 0 expected");
    CHECK(refused([](Safetensors& f) { tensor_of(f, "layers.8.length").data()[0] = -1.0F; }) ==
          "layer 8, nystroem: length: -1 found, a number above 0 expected");
    CHECK(refused([](Safetensors& f) {
              Tensor& landmarks = tensor_of(f, "layers.8.landmarks");
              landmarks.row(1)[0] = 0.0F;
              landmarks.row(1)[1] = 2.0F;
          }) == "layer 8, nystroem: landmarks: row 2 of length 2 found, 1 at most expected");
    CHECK(refused_field(8, "gamma", 0.0).rfind("layers.8: gamma: 0.0 found, a number above 0", 0) == 0);
    CHECK(refused_field(8, "n_landmarks", 0) == "layers.8: n_landmarks: 0 found, 1 to 1000000 expected");
}

TEST_CASE("A file of maps that is cut short or has a flipped bit is no model") {
    test::check_damage_is_found(small(), 41);
}

}  // namespace stackae

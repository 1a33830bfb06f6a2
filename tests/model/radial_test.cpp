#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "stackae/error.hpp"
#include "stackae/model.hpp"

#include "base/json.hpp"
#include "base/safetensors.hpp"
#include "model/refused.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace stackae;
using nlohmann::json;
using stackae::base::read_safetensors;
using stackae::base::Safetensors;
using stackae::base::write_safetensors;
using stackae::test::TemporaryFolder;

namespace {

Tensor filled(std::vector<std::int64_t> shape, float first) {
    Tensor tensor(std::move(shape));
    for (float& value : tensor.values()) {
        value = first;
        first += 0.25F;
    }
    return tensor;
}

/// 5 × 3: lengths of at most 1.
Tensor unit_rows() {
    Tensor rows = filled({5, 3}, -1.0F);
    for (float& value : rows.values()) {
        value *= 0.1F;
    }
    return rows;
}

/// 1 × 4 values → 3 linear units → 5 radial units in blocks of 2.
Model small() {
    Model model;
    model.recipe.height = 1;
    model.recipe.width = 4;
    model.layers.push_back({Activation::linear, Activation::linear, filled({3, 4}, -1.0F), filled({3}, 0.1F),
                            filled({4, 3}, 0.2F), filled({4}, 0.2F)});
    model.radial = RadialLayer{filled({3}, 0.5F), unit_rows(), filled({5, 2}, 0.1F), 1.5F, 2.5F};
    model.options.code_size = 3;
    model.options.radial_units = 5;
    return model;
}

std::string refused(const std::function<void(Safetensors&)>& change) {
    return test::refused(small(), change);
}

std::string refused_field(const char* key, const json& value) {
    return test::refused_description(small(), [&](json& description) { description["radial"][key] = value; });
}

}  // namespace

TEST_CASE("radial units come back from a model's file as they were") {
    const TemporaryFolder folder;
    const Model model = small();
    save(model, folder / "m");
    CHECK(read_safetensors(folder / "m").text("version") == "3");  // others would leave them out
    const Model loaded = load_model(folder / "m");
    REQUIRE(loaded.radial);
    CHECK(loaded.identity() == model.identity());
    CHECK(loaded.options == model.options);
    for (const auto& [a, b] : {std::pair(&loaded.radial->scale, &model.radial->scale),
                               std::pair(&loaded.radial->centres, &model.radial->centres),
                               std::pair(&loaded.radial->mixing, &model.radial->mixing)}) {
        CHECK(a->shape() == b->shape());
        CHECK(std::equal(a->values().begin(), a->values().end(), b->values().begin(), b->values().end()));
    }
    CHECK(loaded.radial->gamma == 1.5F);
    CHECK(loaded.radial->length == 2.5F);
    CHECK(loaded.depth() == 2);
    CHECK(loaded.code_layer() == 1);
    CHECK(loaded.code_size() == 3);
    CHECK(loaded.code_size(2) == 5);
    Model plain = small();
    plain.radial.reset();
    CHECK(plain.parameters() == model.parameters() - (3 + 15 + 10));
}

TEST_CASE("everything about radial units is in a model's identity") {
    const std::string before = small().identity();
    const auto changed = [](const std::function<void(RadialLayer&)>& change) {
        Model model = small();
        change(*model.radial);
        return model.identity();
    };
    CHECK(changed([](RadialLayer& r) { r.scale.data()[1] += 1.0F; }) != before);
    CHECK(changed([](RadialLayer& r) { r.centres.data()[7] += 1.0F; }) != before);
    CHECK(changed([](RadialLayer& r) { r.mixing.data()[9] += 1.0F; }) != before);
    CHECK(changed([](RadialLayer& r) { r.gamma = 2.0F; }) != before);
    CHECK(changed([](RadialLayer& r) { r.length = 2.0F; }) != before);
    CHECK(changed([](RadialLayer&) {}) == before);
}

TEST_CASE("radial units that do not fit are refused") {
    CHECK(refused_field("units", 0) == "radial: units: 0 found, 1 to 67108864 expected");
    CHECK(refused_field("block", 6) == "tensor \"radial.mixing\": shape [5, 2] found, [5, 6] expected");
    CHECK(refused_field("inputs", 2) == "tensor \"radial.scale\": shape [3] found, [2] expected");
    CHECK(refused_field("gamma", 0.0) == "radial.gamma: 0 found, a number above 0 expected");
    CHECK(refused_field("length", -1.0) == "radial.length: -1 found, a number above 0 expected");
    CHECK(refused([](Safetensors& file) { const_cast<Tensor&>(file.at("radial.scale")).data()[2] = 0.0F; }) ==
          "radial.scale: 0 found, a number above 0 expected");
    CHECK(refused([](Safetensors& file) {
              const_cast<Tensor&>(file.at("radial.mixing")).data()[0] = std::nanf("");
          }) == "radial.mixing: a value that is not a finite number found");

    CHECK(refused([](Safetensors& file) {
              Tensor& centres = const_cast<Tensor&>(file.at("radial.centres"));
              std::fill_n(centres.data(), 6, 0.0F);
              centres.data()[3] = 2.0F;
          }) == "radial.centres: row 2 of length 2 found, 1 at most expected");

    Model wider = small();
    wider.radial->centres = filled({5, 4}, 0.1F);
    wider.radial->scale = filled({4}, 0.1F);
    const TemporaryFolder folder;
    CHECK_THROWS_AS(save(wider, folder / "m"), InvalidArgument);
}

TEST_CASE("radial units need a code to lie on") {
    TrainOptions options = preset("conv");
    options.code_size = 0;
    options.code_roots = false;
    try {
        validate(options);
        FAIL("nothing was thrown");
    } catch (const InvalidArgument& error) {
        CHECK(std::string(error.what()) == "radial_units: 4096 found, 0 without a code_size expected");
    }
}

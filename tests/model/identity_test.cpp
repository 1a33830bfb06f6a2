#include <algorithm>

#include "stackae/error.hpp"
#include "stackae/model.hpp"

#include "base/fields.hpp"
#include "model/model_json.hpp"
#include "model/sample_model.hpp"
#include "support/catch.hpp"

namespace stackae {
namespace {

/// Another value that the field may have.
void change(base::Field& field) {
    const std::string before = field.text();
    for (const char* text :
         {"2", "3", "5000", "0.5", "0.25", "true", "false", "tanh", "relu", "linear", "average", "maximum",
          "rotate90", "mirror", "triangular", "bfloat16", "squash", "center"}) {
        try {
            field.parse(text);
        } catch (const InvalidArgument&) {
            continue;
        }
        if (field.text() != before) {
            return;
        }
    }
    FAIL(field.name() << ": no other value than " << before);
}

Model standardised_model() {
    Model model = test::sample_model("dense:4, dense:2", {1, 3, 1});
    model.preprocessing.mean = {0.1F, 0.2F, 0.3F};
    model.preprocessing.deviation = {1.0F, 2.0F, 3.0F};
    return model;
}

}  // namespace

TEST_CASE("An identity is of 16 hexadecimal digits, and changes with every value and field of every kind") {
    for (const test::Sample& sample : test::samples()) {
        CAPTURE(sample.text);
        const Model model = test::sample_model(sample.text, sample.input);
        const std::string identity = model.identity();
        CHECK(identity.size() == 16);
        CHECK(identity.find_first_not_of("0123456789abcdef") == std::string::npos);
        const auto changed = [&](const auto& body) {
            std::shared_ptr<Layer> layer = model.layers[0].clone();
            body(*layer);
            Model other = model;
            other.layers.replace(0, std::move(layer));
            return other.identity() != identity;
        };
        CHECK_FALSE(changed([](Layer&) {}));
        for (const auto& row : layers::tensors_of(model.layers[0])) {
            CAPTURE(row.name);
            CHECK(changed([&](Layer& layer) {
                for (const auto& own : layers::tensors_of(layer)) {
                    if (own.name == row.name) {
                        own.tensor->data()[own.tensor->size() - 1] += 1e-3F;
                    }
                }
            }));
        }
        for (const auto& field : layers::fields_of(model.layers[0])) {
            CAPTURE(field->name());
            CHECK(changed([&](Layer& layer) {
                base::FieldTable table;
                layer.fields(table);
                change(*table.find(field->name()));
            }));
        }
    }
}

TEST_CASE("An identity changes with every part of the preprocessing") {
    const Model model = standardised_model();
    const auto changed = [&](const auto& body) {
        Model other = model;
        body(other.preprocessing);
        return other.identity() != model.identity();
    };
    for (const auto& field : fields_of(model.preprocessing)) {
        CAPTURE(field->name());
        CHECK(changed(
            [&](Preprocessing& preprocessing) { change(*table_of(preprocessing).find(field->name())); }));
    }
    CHECK(changed([](Preprocessing& preprocessing) { preprocessing.mean[2] = 0.0F; }));
    CHECK(changed([](Preprocessing& preprocessing) { preprocessing.deviation[2] = 1.0F; }));
    CHECK(changed([](Preprocessing& preprocessing) { preprocessing.mean.swap(preprocessing.deviation); }));
    CHECK(changed([](Preprocessing& preprocessing) { preprocessing.measured = true; }));
    CHECK(changed([](Preprocessing& preprocessing) { preprocessing.ranges = {{0.0F, 2.0F}}; }));
}

TEST_CASE(
    "An identity changes with the layers, their order and how pictures are rebuilt, and with nothing else") {
    const Model model = standardised_model();
    const auto changed = [&](const auto& body) {
        Model other = model;
        body(other);
        return other.identity() != model.identity();
    };
    CHECK(changed([](Model& m) { m.layers = Stack(m.layers.layers(0, 1)); }));
    CHECK(changed([](Model& m) { m.layers = Stack({m.layers.layers()[1], m.layers.layers()[0]}); }));
    CHECK(changed([](Model& m) { m.reconstruction.depth = 1; }));
    CHECK(changed([](Model& m) {
        m.reconstruction.head = test::filled_stack("ridge_decoder:width=3", {1, 1, 2});
    }));
    CHECK_FALSE(changed([](Model& m) {
        m.record = {};
        m.outputs = {{"wide", 1}};
    }));
}

}  // namespace stackae

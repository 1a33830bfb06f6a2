#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "stackae/error.hpp"
#include "stackae/layer.hpp"

#include "base/fields.hpp"
#include "layers/chain.hpp"
#include "layers/conv2d.hpp"
#include "layers/op.hpp"
#include "layers/sample.hpp"
#include "support/catch.hpp"

namespace stackae {
namespace {

using layers::Chain;
using layers::Direction;

/// The rows as the layer's own ops make them, for all rows at once and nothing fused.
Tensor run_alone(const Layer& layer, const Tensor& rows, Direction direction) {
    linalg::Context context(1);
    const layers::OpContext of{context, rows.rows()};
    Tensor result(
        {rows.rows(), (direction == Direction::encode ? layer.output_shape() : layer.input_shape()).size()});
    (direction == Direction::encode ? layer.encoder(of) : layer.decoder(of))->run(rows.data(), result.data());
    return result;
}

Tensor run_alone(const Stack& stack, Tensor rows) {
    for (const auto& layer : stack.layers()) {
        rows = run_alone(*layer, rows, Direction::encode);
    }
    return rows;
}

void check_close(const Tensor& a, const Tensor& b) {
    REQUIRE(a.shape() == b.shape());
    for (std::int64_t i = 0; i < a.size(); ++i) {
        CAPTURE(i);
        REQUIRE(double{a.data()[i]} == Approx(double{b.data()[i]}).epsilon(1e-4).margin(1e-5));
    }
}

Stack stack_of(const test::Sample& sample) {
    return test::filled_stack(sample.text, sample.input);
}

}  // namespace

TEST_CASE("Every kind of layer is among the samples that the following tests go through") {
    std::set<std::string> sampled;
    for (const test::Sample& sample : test::samples()) {
        sampled.insert(std::string(parse_stack(sample.text)[0].type()));
    }
    for (const LayerKind& kind : layer_kinds()) {
        CHECK(sampled.count(kind.name) == 1);
    }
}

TEST_CASE("A layer's text gives the same layer again") {
    for (const test::Sample& sample : test::samples()) {
        CAPTURE(sample.text);
        CHECK(to_text(parse_stack(sample.text)) == sample.text);
        const Stack stack = stack_of(sample);
        const Stack again = bind(parse_stack(to_text(stack)), sample.input);
        CHECK(to_text(again) == to_text(stack));
        CHECK(again[0].output_shape() == stack[0].output_shape());
    }
}

TEST_CASE("A layer's fields as JSON give the same layer again") {
    for (const test::Sample& sample : test::samples()) {
        CAPTURE(sample.text);
        const Stack stack = stack_of(sample);
        const std::unique_ptr<Layer> again = layers::make_layer(stack[0].type());
        base::FieldTable table;
        again->fields(table);
        table.read(layers::fields_of(stack[0]).json());
        again->bind(sample.input);
        CHECK(again->text() == stack[0].text());
    }
}

TEST_CASE("A layer that has its tensors is whole, and one without them is not") {
    for (const test::Sample& sample : test::samples()) {
        CAPTURE(sample.text);
        const Stack stack = stack_of(sample);
        CHECK_NOTHROW(stack.check(sample.input));
        const Stack bare = bind(parse_stack(sample.text), sample.input);
        CHECK(stack[0].is_trained() == (stack[0].parameters() > 0));
        if (stack[0].is_trained()) {
            CHECK_THROWS_WITH(bare.check(sample.input), test::contains("found, ["));
            std::unique_ptr<Layer> spoilt = stack[0].clone();
            (*layers::tensors_of(*spoilt).begin()).tensor->data()[0] = NAN;
            CHECK_THROWS_WITH(spoilt->check(), test::contains("not a finite number"));
        }
    }
}

TEST_CASE("A row's code is the same whatever rows are beside it, at any number of threads, there and back") {
    for (const test::Sample& sample : test::samples()) {
        CAPTURE(sample.text);
        const Stack stack = stack_of(sample);
        const Tensor rows = test::random_rows(300, sample.input.size(), 7);
        const Tensor codes = Chain(stack.layers(), Direction::encode, 2).run(rows);
        if (stack[0].transforms().empty()) {  // else the chain takes the mean
            check_close(codes, run_alone(stack[0], rows, Direction::encode));
        }
        const Tensor one = Chain(stack.layers(), Direction::encode, 1).run(rows);
        CHECK(std::equal(codes.values().begin(), codes.values().end(), one.values().begin()));
        if (!stack[0].is_invertible()) {
            CHECK_THROWS_AS(Chain(stack.layers(), Direction::decode, 1), InvalidArgument);
            continue;
        }
        const Tensor back = Chain(stack.layers(), Direction::decode, 2).run(codes);
        REQUIRE(back.columns() == sample.input.size());
        check_close(back, run_alone(stack[0], codes, Direction::decode));
    }
}

TEST_CASE("Layers that are fused give what they give one by one") {
    const std::string text = GENERATE(
        "conv2d:6:kernel=3, pool2d:2", "conv2d:6:kernel=3:activation=crelu, pool2d:3:stride=2:mode=maximum",
        "conv2d:4:kernel=3:slow_offset=1, l2_norm, pool2d:grid=2, power_norm, dense:5",
        "conv2d:5:kernel=3, power_norm, l2_norm",
        "conv2d:4:kernel=3, pool2d:2, pool2d:2, l2_norm, pca:3, l2_norm",
        "conv2d:200:kernel=3, pool2d:2, conv2d:160:kernel=3:activation_rate=0.3, pool2d:grid=2, nystroem:9");
    CAPTURE(text);
    const Shape input{14, 13, 2};
    const Stack stack = test::filled_stack(text, input);
    CHECK_NOTHROW(stack.check(input));
    const Tensor rows = test::random_rows(5, input.size(), 3);
    check_close(Chain(stack.layers(), Direction::encode, 2).run(rows), run_alone(stack, rows));
}

TEST_CASE("Every kind that is taken into a convolution's cache gives there what it gives by itself") {
    const Shape input{14, 13, 2};
    const Tensor rows = test::random_rows(5, input.size(), 3);
    int fused = 0;
    for (const test::Sample& sample : test::samples()) {
        const Stack kind = stack_of(sample);
        if (kind[0].position_op() || kind[0].pooler()) {
            CAPTURE(sample.text);
            const std::string text = std::string("conv2d:6:kernel=3, ") + sample.text + ", pool2d:2";
            const Stack stack = test::filled_stack(text, input);
            check_close(Chain(stack.layers(), Direction::encode, 1).run(rows), run_alone(stack, rows));
            ++fused;
        }
    }
    CHECK(fused >= 4);
}

TEST_CASE("A convolution rounds its factors where that is faster and is not seen") {
    const auto settled = [](std::int64_t units, bool contrast_norm, float in_a_row) {
        layers::Conv2d layer;
        layer.units = units;
        layer.kernel = 2;
        layer.contrast_norm = contrast_norm;
        layer.bind({4, 4, 128});
        layer.whitening = Tensor({512, 512});
        layer.whitening.row(7)[9] = in_a_row;
        layer.settle_precision();
        return layer.text();
    };
    CHECK_THAT(settled(600, true, 3.4F), test::contains(":precision=bfloat16"));
    CHECK_THAT(settled(600, true, 3.6F), test::contains(":precision=float32"));  // noise that is raised
    CHECK_THAT(settled(500, true, 1.0F), test::contains(":precision=float32"));  // few products
    CHECK_THAT(settled(600, false, 1.0F), test::contains(":precision=float32"));
    layers::Conv2d asked;
    asked.precision = nn::Precision::float32;
    asked.settle_precision();
    CHECK(asked.precision == nn::Precision::float32);
}

TEST_CASE("What inverts a layer gives its input again") {
    const Tensor rows = test::random_rows(4, 12, 5);
    const Stack power = bind(parse_stack("power_norm:alpha=0.25"), {1, 1, 12});
    const Tensor codes = Chain(power.layers(), Direction::encode, 1).run(rows);
    check_close(Chain(power.layers(), Direction::decode, 1).run(codes), rows);
    // Squares that do not overlap, each of one value.
    const Stack pool = bind(parse_stack("pool2d:2"), {4, 6, 1});
    Tensor map({1, 24});
    for (std::int64_t i = 0; i < 24; ++i) {
        map.data()[i] = static_cast<float>(i / 6 / 2 * 3 + i % 6 / 2);
    }
    const Tensor pooled = Chain(pool.layers(), Direction::encode, 1).run(map);
    CHECK(std::vector<float>(pooled.values().begin(), pooled.values().end()) ==
          std::vector<float>{0, 1, 2, 3, 4, 5});
    check_close(Chain(pool.layers(), Direction::decode, 1).run(pooled), map);
}

TEST_CASE("A layer that does not fit what is below it is refused with both shapes") {
    const auto refused = [](const char* text, const Shape& input, const char* expected) {
        CAPTURE(text);
        CHECK_THROWS_WITH(bind(parse_stack(text), input), test::contains(expected));
    };
    refused("conv2d:8:kernel=9", {8, 8, 1},
            "layer 1: conv2d: an input of 8 x 8 x 1 found, at least 9 x 9 positions expected");
    refused("dense:8, conv2d:8:kernel=3", {8, 8, 1},
            "layer 2: conv2d: an input of 1 x 1 x 8 found, at least 3 x 3");
    refused("conv2d:8:kernel=3, pool2d:7", {8, 8, 1},
            "layer 2: pool2d: an input of 6 x 6 x 8 found, at least 7 x 7");
    refused("pool2d:2:grid=3", {8, 8, 1}, "grid: 3 found, no grid beside size or stride");
    refused("conv2d:8:kernel=3:pad=3", {8, 8, 1}, "pad: 3 found, 0 to 2 with a kernel of 3 expected");
    refused("conv2d:8:kernel=3, group_pool:rotate90", {8, 9, 1},
            "layer 2: group_pool: pictures of 8 x 9 found, square ones");
    refused("group_pool", {1, 1, 64}, "group_pool: pictures of 1 x 1 found, 2 rows and columns");
    refused("conv2d:8:kernel=3", {1, 1, 64}, "an input of 1 x 1 x 64 found, at least 3 x 3 positions");
    const Stack other = test::filled_stack("dense:3", {1, 1, 4});
    const Stack square = test::filled_stack("pool2d:grid=1, group_pool:dihedral", {8, 8, 1});
    CHECK_NOTHROW(square.check({8, 8, 1}));
    const Stack wide = bind(parse_stack("pool2d:grid=1"), {8, 9, 1});
    CHECK_THROWS_WITH(Stack({wide.layers()[0], square.layers()[1]}).check({8, 9, 1}),
                      test::contains("layer 2, group_pool: group_pool: pictures of 8 x 9 found"));
    CHECK_THROWS_WITH(other.check({1, 1, 5}),
                      test::contains("an input of 4 values found, 5 values expected"));
}

TEST_CASE("A text that is no stack is refused with what was found and what was expected") {
    const auto refused = [](const char* text, const char* expected) {
        CAPTURE(text);
        CHECK_THROWS_WITH(parse_stack(text), test::contains(expected));
    };
    refused("", "stack: layer 1: \"\" found, one of conv2d, pool2d, group_pool, dense");
    refused("dense:10, mlp:3", "layer 2: \"mlp\" found, one of");
    refused("dense:ten", "layer 1: dense: units: ten found, 1 to 1000000 expected");
    refused("dense:0", "units: 0 found");
    refused("dense:10:width=3", "\"width=3\" found, one of units, activation");
    refused("dense:10:20", "\"20\" found, one of units");
    refused("dense:10:activation", "activation: nothing found, one of linear, sigmoid");
    refused("dense:10:activation=round", "activation: round found, one of linear, sigmoid");
    refused("conv2d:8:activation_rate=1", "activation_rate: 1 found, a number above 0 and below 1 expected");
    refused("pool2d:two", "size: two found, auto or 1 to 65536 expected");
    refused("conv2d:8:contrast_norm=1", "contrast_norm: 1 found, auto or true or false expected");
    refused("l2_norm:3", "\"3\" found, no field expected");
    refused("dense:10,", "layer 2: \"\" found");
    CHECK_THROWS_WITH(bind(parse_stack("dense"), {1, 1, 4}), test::contains("units: 0 found"));
}

}  // namespace stackae

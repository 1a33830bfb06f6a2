#include <algorithm>
#include <cmath>
#include <limits>

#include "stackae/error.hpp"
#include "stackae/model.hpp"

#include "model/sample_model.hpp"
#include "support/catch.hpp"
#include "support/reference.hpp"

namespace stackae {
namespace {

/// 12 → 40 → 9, untied and tied.
Model dense_model() {
    return test::sample_model(
        "dense:40:activation=silu:output=sigmoid, dense:9:activation=tanh:output=silu:tied", {3, 4, 1});
}

const float* values_of(const Model& model, std::size_t layer, std::string_view name) {
    for (const auto& row : layers::tensors_of(model.layers[layer])) {
        if (row.name == name) {
            return row.tensor->data();
        }
    }
    return nullptr;
}

Tensor as_tensor(const std::vector<double>& values, std::int64_t columns) {
    Tensor tensor({static_cast<std::int64_t>(values.size()) / columns, columns});
    std::transform(values.begin(), values.end(), tensor.data(),
                   [](double value) { return static_cast<float>(value); });
    return tensor;
}

void check_close(const Tensor& found, const std::vector<double>& expected) {
    REQUIRE(found.values().size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        REQUIRE(double{found.values()[i]} == Approx(expected[i]).margin(1e-5));
    }
}

}  // namespace

TEST_CASE("Codes and reconstructions of dense layers are what their formulas give") {
    const Model model = dense_model();
    const auto of = [&](std::size_t layer, const char* name) { return values_of(model, layer, name); };
    const Tensor pictures = reference::uniform({5, 12}, 0, 1, 8);
    const auto h1 = reference::dense(Activation::silu, pictures, of(0, "weights"), of(0, "bias"), 40);
    const auto h2 = reference::dense(Activation::tanh, as_tensor(h1, 40), of(1, "weights"), of(1, "bias"), 9);
    Encoder encoder(model);
    const Tensor codes = encoder.encode(pictures);
    REQUIRE(codes.shape() == std::vector<std::int64_t>{5, 9});
    check_close(codes, h2);
    const auto r1 =
        reference::dense(Activation::silu, codes, of(1, "weights"), of(1, "decoder_bias"), 40, true);
    const auto r0 = reference::dense(Activation::sigmoid, as_tensor(r1, 40), of(0, "decoder_weights"),
                                     of(0, "decoder_bias"), 12);
    check_close(encoder.decode(codes), r0);
    check_close(encoder.reconstruct(pictures), r0);
    Encoder lower(model, {.output = "1"});
    CHECK(lower.code_size() == 40);
    check_close(lower.encode(pictures), h1);
}

TEST_CASE("A picture has the same code alone, in a folder, and at any number of threads") {
    const std::string text = GENERATE(
        "dense:40:activation=silu, dense:9:activation=tanh:tied",
        "conv2d:6:kernel=3, pool2d:2, conv2d:8:kernel=2, pool2d:grid=2, power_norm, pca:5, l2_norm, "
        "nystroem:7",
        "conv2d:40:kernel=3:pad=1:activation=crelu, pool2d:3:stride=2:mode=maximum, dense:11, whiten:4");
    CAPTURE(text);
    const Model model = test::sample_model(text, {9, 8, 1});
    const Tensor pictures = reference::uniform({300, 72}, 0, 1, 9);
    Encoder encoder(model, {.output = "", .threads = 2});
    Encoder single(model, {.output = "", .threads = 1});
    const Tensor together = encoder.encode(pictures);
    const Tensor on_one_thread = single.encode(pictures);
    const Tensor rebuilt = encoder.reconstruct(pictures);
    for (std::int64_t i = 0; i < 300; i += 7) {
        Tensor one({1, 72});
        std::copy_n(pictures.row(i).data(), 72, one.data());
        const Tensor alone = encoder.encode(one);
        const Tensor rebuilt_alone = encoder.reconstruct(one);
        CAPTURE(i);
        for (std::size_t j = 0; j < alone.values().size(); ++j) {
            const double expected = together.row(i)[j];
            REQUIRE(double{alone.values()[j]} == Approx(expected).epsilon(1e-4).margin(1e-5));
            REQUIRE(on_one_thread.row(i)[j] == together.row(i)[j]);
        }
        for (std::size_t j = 0; j < 72; ++j) {
            REQUIRE(double{rebuilt_alone.values()[j]} ==
                    Approx(double{rebuilt.row(i)[j]}).epsilon(1e-4).margin(1e-4));
        }
    }
}

TEST_CASE("Codes can be scaled to length one, and a code of zeros stays") {
    Model model = dense_model();
    const Tensor codes =
        Encoder(model, {.output = "", .l2_normalize = true}).encode(reference::uniform({3, 12}, 0, 1, 8));
    for (std::int64_t i = 0; i < 3; ++i) {
        double sum = 0.0;
        for (const float value : codes.row(i)) {
            sum += double{value} * double{value};
        }
        CHECK(sum == Approx(1.0).epsilon(1e-5));
    }
    test::set_tensor(model, 1, "weights", {});
    test::set_tensor(model, 1, "bias", {});
    const Tensor zeros = Encoder(model, {.output = "", .l2_normalize = true}).encode(Tensor({2, 12}));
    CHECK(std::all_of(zeros.values().begin(), zeros.values().end(), [](float value) { return value == 0; }));
}

TEST_CASE("An output that is not there and pictures of another size are refused") {
    const Model model = dense_model();
    CHECK_THROWS_AS(Encoder(model, {.output = "3"}), InvalidArgument);
    CHECK_THROWS_WITH(Encoder(model, {.output = "wide"}),
                      test::contains("\"wide\" found, embedding, or 1 to 2 layers expected"));
    Encoder encoder(model);
    CHECK_THROWS_WITH(encoder.encode(Tensor({2, 13})),
                      test::contains("encode: rows of 13 values found, 12 expected"));
    CHECK_THROWS_WITH(encoder.decode(Tensor({2, 8})),
                      test::contains("decode: rows of 8 values found, 9 expected"));
    CHECK(encoder.encode(Tensor({0, 12})).rows() == 0);
}

TEST_CASE("A code that is not finite is refused with the picture's place") {
    Model model = test::sample_model("dense:2:activation=linear:output=linear", {1, 2, 1});
    test::set_tensor(model, 0, "weights", {3e38F, 3e38F, 0, 0});
    Encoder encoder(model, {.output = "", .threads = 1});
    Tensor pictures({3, 2});
    CHECK_NOTHROW(encoder.encode(pictures));
    pictures.row(1)[0] = pictures.row(1)[1] = 2.0F;
    try {
        (void)encoder.encode(pictures);
        FAIL("nothing was thrown");
    } catch (const NotFinite& error) {
        CHECK(error.row() == 1);
        CHECK(std::string(error.what()).find("the code of picture 1 is not finite") != std::string::npos);
    }
}

TEST_CASE("What cannot be inverted is refused when it is to be decoded, and encodes all the same") {
    const Model model = test::sample_model("contrast_norm, dense:3", {2, 2, 1});
    Encoder encoder(model);
    const Tensor codes = encoder.encode(reference::uniform({2, 4}, 0, 1, 3));
    CHECK(codes.columns() == 3);
    CHECK_THROWS_WITH(encoder.decode(codes),
                      test::contains("decode: contrast_norm found, a layer that can be inverted expected"));
}

}  // namespace stackae

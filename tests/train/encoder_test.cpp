#include <cmath>

#include "stackae/error.hpp"
#include "stackae/model.hpp"

#include "support/catch.hpp"
#include "support/reference.hpp"

using namespace stackae;

namespace {

/// 12 → 40 → 9, untied and tied.
Model small_model() {
    Model model;
    model.recipe.height = 3;
    model.recipe.width = 4;
    model.layers.push_back({Activation::silu, Activation::sigmoid, reference::uniform({40, 12}, -1, 1, 1),
                            reference::uniform({40}, -1, 1, 2), reference::uniform({12, 40}, -1, 1, 3),
                            reference::uniform({12}, -1, 1, 4)});
    model.layers.push_back({Activation::tanh,
                            Activation::silu,
                            reference::uniform({9, 40}, -1, 1, 5),
                            reference::uniform({9}, -1, 1, 6),
                            {},
                            reference::uniform({40}, -1, 1, 7)});
    return model;
}

Tensor as_tensor(const std::vector<double>& values, std::int64_t columns) {
    Tensor tensor({static_cast<std::int64_t>(values.size()) / columns, columns});
    std::copy(values.begin(), values.end(), tensor.data());
    return tensor;
}

}  // namespace

TEST_CASE("Codes and reconstructions are what the layers' formulas give") {
    const Model model = small_model();
    const Tensor pictures = reference::uniform({5, 12}, 0, 1, 8);
    const auto h1 = reference::dense(Activation::silu, pictures, model.layers[0].weights.data(),
                                     model.layers[0].bias.data(), 40);
    const auto h2 = reference::dense(Activation::tanh, as_tensor(h1, 40), model.layers[1].weights.data(),
                                     model.layers[1].bias.data(), 9);
    Encoder encoder(model);
    const Tensor codes = encoder.encode(pictures);
    REQUIRE(codes.shape() == std::vector<std::int64_t>{5, 9});
    for (std::size_t i = 0; i < h2.size(); ++i) {
        REQUIRE(static_cast<double>(codes.values()[i]) == Approx(h2[i]).margin(1e-5));
    }
    const auto r1 = reference::dense(Activation::silu, codes, model.layers[1].weights.data(),
                                     model.layers[1].decoder_bias.data(), 40, true);
    const auto r0 =
        reference::dense(Activation::sigmoid, as_tensor(r1, 40), model.layers[0].decoder_weights.data(),
                         model.layers[0].decoder_bias.data(), 12);
    const Tensor rebuilt = encoder.decode(codes);
    for (std::size_t i = 0; i < r0.size(); ++i) {
        REQUIRE(static_cast<double>(rebuilt.values()[i]) == Approx(r0[i]).margin(1e-5));
    }
    Encoder lower(model, {1, false, 0});
    REQUIRE(lower.code_size() == 40);
    REQUIRE(static_cast<double>(lower.encode(pictures).values()[7]) == Approx(h1[7]).margin(1e-5));
}

TEST_CASE("A picture has the same code alone, in a folder, and at any number of threads") {
    const Model model = small_model();
    const Tensor pictures = reference::uniform({300, 12}, 0, 1, 9);
    Encoder encoder(model);
    Encoder single(model, {0, false, 1});
    const Tensor together = encoder.encode(pictures);
    const Tensor on_one_thread = single.encode(pictures);
    for (std::int64_t i = 0; i < 300; ++i) {
        Tensor one({1, 12});
        std::copy_n(pictures.row(i).data(), 12, one.data());
        const Tensor alone = encoder.encode(one);
        for (std::size_t j = 0; j < 9; ++j) {
            REQUIRE(std::abs(alone.values()[j] - together.row(i)[j]) <= 1e-5F);
            REQUIRE(std::abs(on_one_thread.row(i)[j] - together.row(i)[j]) <= 1e-5F);
        }
    }
}

TEST_CASE("Codes can be scaled to length one, and a code of zeros stays") {
    Model model = small_model();
    Encoder encoder(model, {0, true, 0});
    const Tensor codes = encoder.encode(reference::uniform({3, 12}, 0, 1, 8));
    for (std::int64_t i = 0; i < 3; ++i) {
        double sum = 0.0;
        for (const float value : codes.row(i)) {
            sum += static_cast<double>(value) * static_cast<double>(value);
        }
        REQUIRE(sum == Approx(1.0).epsilon(1e-5));
    }
    model.layers[1].weights = Tensor({9, 40});
    model.layers[1].bias = Tensor({9});
    Encoder zero(model, {0, true, 0});
    const Tensor zeros = zero.encode(Tensor({2, 12}));
    for (const float value : zeros.values()) {
        REQUIRE(value == 0.0F);
    }
}

TEST_CASE("A layer that is not there and pictures of another size are refused") {
    const Model model = small_model();
    CHECK_THROWS_AS(Encoder(model, {3, false, 0}), InvalidArgument);
    CHECK_THROWS_WITH(Encoder(model, {3, false, 0}), test::contains("1 to 2"));
    Encoder encoder(model);
    CHECK_THROWS_WITH(encoder.encode(Tensor({2, 13})), test::contains("13 values found, 12 expected"));
    REQUIRE(encoder.encode(Tensor({0, 12})).rows() == 0);
}

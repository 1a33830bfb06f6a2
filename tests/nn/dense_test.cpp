#include "nn/dense.hpp"

#include "support/catch.hpp"
#include "support/reference.hpp"

using namespace stackae;

namespace {

const std::vector<Activation> all_activations = {Activation::linear, Activation::sigmoid, Activation::tanh,
                                                 Activation::relu,   Activation::elu,     Activation::silu};

struct Sizes {
    std::int64_t n, ic, oc;
};

}  // namespace

TEST_CASE("A dense layer's sums are exact on whole numbers") {
    const auto sizes = GENERATE(Sizes{1, 1, 1}, Sizes{1, 17, 5}, Sizes{7, 33, 19}, Sizes{64, 100, 64});
    const std::int64_t n = sizes.n;
    const std::int64_t ic = sizes.ic;
    const std::int64_t oc = sizes.oc;
    const bool transposed = GENERATE(false, true);
    linalg::Context context;
    nn::Dense dense(context, {n, ic, oc, Activation::linear, transposed, true});
    const Tensor src = reference::whole_numbers({n, ic}, 4, 1);
    const Tensor weights = reference::whole_numbers({oc, ic}, 4, 2);
    const Tensor bias = reference::whole_numbers({oc}, 4, 3);
    Tensor dst({n, oc});
    dense.forward(src.data(), weights.data(), bias.data(), dst.data());
    const auto expected =
        reference::dense(Activation::linear, src, weights.data(), bias.data(), oc, transposed);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        REQUIRE(static_cast<double>(dst.values()[i]) == expected[i]);
    }

    Tensor diff_dst = reference::whole_numbers({n, oc}, 4, 4);
    Tensor diff_src({n, ic});
    Tensor diff_weights({oc, ic});
    Tensor diff_bias({oc});
    dense.backward(src.data(), weights.data(), dst.data(), diff_dst.data(), diff_src.data(),
                   diff_weights.data(), diff_bias.data());
    const auto weight_at = [&](std::int64_t o, std::int64_t j) {
        return transposed ? j * oc + o : o * ic + j;
    };
    for (std::int64_t o = 0; o < oc; ++o) {
        float bias_sum = 0.0F;
        for (std::int64_t i = 0; i < n; ++i) {
            bias_sum += diff_dst.data()[i * oc + o];
        }
        REQUIRE(diff_bias.data()[o] == bias_sum);
        for (std::int64_t j = 0; j < ic; ++j) {
            float sum = 0.0F;
            for (std::int64_t i = 0; i < n; ++i) {
                sum += diff_dst.data()[i * oc + o] * src.data()[i * ic + j];
            }
            REQUIRE(diff_weights.data()[weight_at(o, j)] == sum);
        }
    }
    for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < ic; ++j) {
            float sum = 0.0F;
            for (std::int64_t o = 0; o < oc; ++o) {
                sum += diff_dst.data()[i * oc + o] * weights.data()[weight_at(o, j)];
            }
            REQUIRE(diff_src.data()[i * ic + j] == sum);
        }
    }
}

TEST_CASE("Every activation follows its formula, in training and without") {
    const Activation activation = GENERATE(from_range(all_activations));
    const bool training = GENERATE(false, true);
    linalg::Context context;
    constexpr std::int64_t n = 9;
    constexpr std::int64_t ic = 12;
    constexpr std::int64_t oc = 21;
    nn::Dense dense(context, {n, ic, oc, activation, false, training});
    const Tensor src = reference::uniform({n, ic}, -2.0F, 2.0F, 1);
    const Tensor weights = reference::uniform({oc, ic}, -1.0F, 1.0F, 2);
    const Tensor bias = reference::uniform({oc}, -1.0F, 1.0F, 3);
    Tensor dst({n, oc});
    dense.forward(src.data(), weights.data(), bias.data(), dst.data());
    const auto expected = reference::dense(activation, src, weights.data(), bias.data(), oc);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        REQUIRE(static_cast<double>(dst.values()[i]) == Approx(expected[i]).margin(2e-5));
    }
}

TEST_CASE("Activations stay finite far from zero") {
    const Activation activation = GENERATE(from_range(all_activations));
    linalg::Context context;
    nn::Dense dense(context, {2, 1, 1, activation, false, false});
    const Tensor src = [] {
        Tensor tensor({2, 1});
        tensor.values()[0] = 200.0F;
        tensor.values()[1] = -200.0F;
        return tensor;
    }();
    const float one = 1.0F;
    const float zero = 0.0F;
    Tensor dst({2, 1});
    dense.forward(src.data(), &one, &zero, dst.data());
    REQUIRE(static_cast<double>(dst.values()[0]) == Approx(reference::activate(activation, 200.0)));
    REQUIRE(static_cast<double>(dst.values()[1]) ==
            Approx(reference::activate(activation, -200.0)).margin(1e-6));
}

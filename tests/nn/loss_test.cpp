#include "nn/loss.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/reference.hpp"

using namespace stackae;

TEST_CASE("Squared error is summed over a picture and averaged over the batch") {
    linalg::Context context;
    nn::LossFunction loss(context, LossKind::squared_error, 2, 3);
    const float predicted[] = {1, 2, 3, 4, 5, 6};
    const float target[] = {1, 0, 3, 1, 5, 7};
    Tensor diff({2, 3});
    REQUIRE(loss(predicted, target, diff.data()) == (4.0 + 9.0 + 1.0) / 2.0);
    REQUIRE(std::vector<float>(diff.values().begin(), diff.values().end()) ==
            std::vector<float>{0, 2, 0, 3, 0, -1});
    REQUIRE(loss(predicted, target, nullptr) == 7.0);
}

TEST_CASE("Cross-entropy from logits follows its formula") {
    constexpr std::int64_t n = 4;
    constexpr std::int64_t d = 11;
    linalg::Context context;
    nn::LossFunction loss(context, LossKind::cross_entropy, n, d);
    const Tensor logits = reference::uniform({n, d}, -4.0F, 4.0F, 1);
    const Tensor target = reference::uniform({n, d}, 0.0F, 1.0F, 2);
    double expected = 0.0;
    for (std::size_t i = 0; i < logits.values().size(); ++i) {
        const double p = reference::activate(Activation::sigmoid, static_cast<double>(logits.values()[i]));
        const auto x = static_cast<double>(target.values()[i]);
        expected -= x * std::log(p) + (1.0 - x) * std::log(1.0 - p);
    }
    Tensor diff({n, d});
    REQUIRE(loss(logits.data(), target.data(), diff.data()) == Approx(expected / n).epsilon(1e-5));
    for (std::size_t i = 0; i < logits.values().size(); ++i) {
        const double p = reference::activate(Activation::sigmoid, static_cast<double>(logits.values()[i]));
        REQUIRE(static_cast<double>(diff.values()[i]) ==
                Approx((p - static_cast<double>(target.values()[i])) / n).margin(1e-6));
    }
}

TEST_CASE("Cross-entropy stays finite at logits where a sigmoid is 0 or 1 in single precision") {
    linalg::Context context;
    nn::LossFunction loss(context, LossKind::cross_entropy, 1, 2);
    const float logits[] = {150.0F, -150.0F};
    const float right[] = {1.0F, 0.0F};
    const float wrong[] = {0.0F, 1.0F};
    Tensor diff({1, 2});
    REQUIRE(loss(logits, right, diff.data()) == Approx(0.0).margin(1e-6));
    REQUIRE(loss(logits, wrong, diff.data()) == Approx(300.0));
    REQUIRE(diff.values()[0] == Approx(1.0));
    REQUIRE(diff.values()[1] == Approx(-1.0));
}

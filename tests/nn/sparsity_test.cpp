#include "nn/sparsity.hpp"

#include <algorithm>
#include <cmath>

#include "support/catch.hpp"
#include "support/reference.hpp"

using namespace stackae;

TEST_CASE("The KL penalty is zero at its target and follows its formula elsewhere") {
    base::OneMember one;
    nn::KlSparsity penalty(0.25, 2.0, 2, 2);
    const float at_target[] = {0.5F, 0.25F, 0.0F, 0.25F};
    REQUIRE(penalty.evaluate(at_target, one) == Approx(0.0).margin(1e-12));
    const float elsewhere[] = {0.5F, 0.25F, 0.5F, 0.25F};  // the first unit's mean is 0.5
    const double kl = 0.25 * std::log(0.25 / 0.5) + 0.75 * std::log(0.75 / 0.5);
    REQUIRE(penalty.evaluate(elsewhere, one) == Approx(2.0 * kl));
    float diff[] = {0.0F, 0.0F, 1.0F, 0.0F};
    penalty.add_gradient(diff);
    REQUIRE(diff[0] == Approx(2.0 / 2.0 * (-0.25 / 0.5 + 0.75 / 0.5)));
    REQUIRE(diff[1] == Approx(0.0).margin(1e-6));
    REQUIRE(diff[2] == Approx(2.0));
}

TEST_CASE("Each unit keeps its share of winners over the batch and nothing else") {
    constexpr std::int64_t n = 40;
    constexpr std::int64_t d = 37;
    const Tensor before = reference::uniform({n, d}, 0.1F, 1.0F, 1);
    Tensor codes = before;
    nn::WinnerTakeAll winners(0.1, n, d);
    winners.apply(codes.data());
    for (std::int64_t j = 0; j < d; ++j) {
        std::vector<float> column;
        for (std::int64_t i = 0; i < n; ++i) {
            column.push_back(before.data()[i * d + j]);
        }
        std::sort(column.rbegin(), column.rend());
        for (std::int64_t i = 0; i < n; ++i) {
            const float was = before.data()[i * d + j];
            REQUIRE(codes.data()[i * d + j] == (was >= column[3] ? was : 0.0F));
        }
    }
    Tensor diff = reference::uniform({n, d}, 1.0F, 2.0F, 2);
    const Tensor diff_before = diff;
    winners.mask_gradient(codes.data(), diff.data());
    for (std::int64_t i = 0; i < n * d; ++i) {
        REQUIRE(diff.data()[i] == (codes.data()[i] == 0.0F ? 0.0F : diff_before.data()[i]));
    }
}

TEST_CASE("At least one winner is kept in the smallest batch") {
    nn::WinnerTakeAll winners(0.05, 2, 1);
    float codes[] = {0.5F, 0.75F};
    winners.apply(codes);
    REQUIRE(codes[0] == 0.0F);
    REQUIRE(codes[1] == 0.75F);
}

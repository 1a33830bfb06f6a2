#include <algorithm>
#include <cmath>
#include <string>

#include "nn/sequential.hpp"
#include "support/catch.hpp"
#include "support/reference.hpp"

using namespace stackae;

namespace {

constexpr std::int64_t rows = 6;
constexpr std::int64_t inputs = 7;

struct Checked {
    int compared = 0;
    int kinks = 0;
    std::string failure;  ///< the first value whose gradient is wrong
};

/// Compares every partial derivative with central differences. A value whose one-sided differences disagree
/// sits at a kink (relu, a changed winner) and is counted, not compared.
Checked check_gradient(nn::Parameters& parameters, nn::Sequential& network, const Tensor& src,
                       const nn::Batch& target) {
    base::OneMember one;
    network.step(src.data(), target, one);
    const Tensor analytic = parameters.gradient();
    const auto loss = [&] { return network.step(src.data(), target, one); };
    const double here = loss();
    Checked checked;
    for (std::int64_t i = 0; i < parameters.size(); ++i) {
        float& value = parameters.values().data()[i];
        const float kept = value;
        constexpr float h = 4e-3F;
        value = kept + h;
        const double above = loss();
        value = kept - h;
        const double below = loss();
        value = kept;
        const double central = (above - below) / (2.0 * static_cast<double>(h));
        const double right = (above - here) / static_cast<double>(h);
        const double left = (here - below) / static_cast<double>(h);
        const double scale =
            std::max({0.1, std::abs(central), std::abs(static_cast<double>(analytic.data()[i]))});
        if (central == 0.0 && analytic.data()[i] == 0.0F) {
            continue;  // padding, or a unit without winners
        }
        if (std::abs(right - left) > 0.05 * scale) {
            ++checked.kinks;
            continue;
        }
        ++checked.compared;
        if (std::abs(central - static_cast<double>(analytic.data()[i])) > 4e-3 * scale &&
            checked.failure.empty()) {
            checked.failure = "value " + std::to_string(i) + ": gradient " +
                              std::to_string(analytic.data()[i]) + ", central difference " +
                              std::to_string(central);
        }
    }
    return checked;
}

void require_gradient(std::vector<nn::LayerSpec> specs, LossKind loss,
                      const nn::SparsityConfig& sparsity = {}, bool weighted = false) {
    linalg::Context context;
    nn::Parameters parameters(std::move(specs));
    std::uint32_t stream = 20;
    for (std::size_t i = 0; i < parameters.layers().size(); ++i) {
        parameters.initialize(i, 5, 1);
        const auto& spec = parameters.layers()[i];
        const Tensor bias = reference::uniform({spec.oc}, -0.3F, 0.3F, stream++);
        std::copy_n(bias.data(), spec.oc, parameters.bias(i));
    }
    nn::Sequential network(context, parameters, rows, nn::make_loss(loss, context, rows, inputs), sparsity);
    const Tensor src = reference::uniform({rows, inputs}, 0.0F, 1.0F, 1);
    const Tensor target = reference::uniform({rows, inputs}, 0.0F, 1.0F, 2);
    const Tensor weights = reference::uniform({rows}, 0.0F, 3.0F, 3);
    Tensor mask = reference::uniform({rows, inputs}, 0.0F, 1.0F, 4);
    std::transform(mask.data(), mask.data() + mask.size(), mask.data(),
                   [](float x) { return x < 0.3F ? 0.0F : 1.0F; });
    const Checked checked = check_gradient(
        parameters, network, src,
        {rows, inputs, target.data(), weighted ? weights.data() : nullptr, weighted ? mask.data() : nullptr});
    INFO(checked.failure);
    CHECK(checked.failure.empty());
    CHECK(checked.compared > 9 * checked.kinks);
    CHECK(checked.compared > 30);
}

}  // namespace

TEST_CASE("The gradient of every activation agrees with central differences") {
    const Activation activation = GENERATE(Activation::linear, Activation::sigmoid, Activation::tanh,
                                           Activation::relu, Activation::elu, Activation::silu);
    const bool tied = GENERATE(false, true);
    require_gradient({{inputs, 5, activation, -1}, {5, inputs, activation, tied ? 0 : -1}},
                     LossKind::squared_error);
}

TEST_CASE("The gradient of cross-entropy agrees with central differences") {
    const bool tied = GENERATE(false, true);
    require_gradient({{inputs, 5, Activation::sigmoid, -1}, {5, inputs, Activation::sigmoid, tied ? 0 : -1}},
                     LossKind::cross_entropy);
}

TEST_CASE("The gradient of an unrolled stack agrees with central differences") {
    const bool tied = GENERATE(false, true);
    require_gradient({{inputs, 6, Activation::tanh, -1},
                      {6, 4, Activation::silu, -1},
                      {4, 6, Activation::tanh, tied ? 1 : -1},
                      {6, inputs, Activation::sigmoid, tied ? 0 : -1}},
                     LossKind::cross_entropy);
}

TEST_CASE("The gradient of the KL sparsity penalty agrees with central differences") {
    const bool tied = GENERATE(false, true);
    require_gradient({{inputs, 5, Activation::sigmoid, -1}, {5, inputs, Activation::sigmoid, tied ? 0 : -1}},
                     LossKind::squared_error, {0, 0.1, 0.7, 0.0});
}

TEST_CASE("The gradient through winners alone agrees with central differences") {
    const Activation activation = GENERATE(Activation::relu, Activation::sigmoid);
    const bool tied = GENERATE(false, true);
    require_gradient({{inputs, 5, activation, -1}, {5, inputs, Activation::linear, tied ? 0 : -1}},
                     LossKind::squared_error, {0, 0.0, 0.0, 0.34});
}

TEST_CASE("The gradient of weighted rows with hidden values agrees with central differences") {
    const LossKind loss = GENERATE(LossKind::squared_error, LossKind::cross_entropy);
    require_gradient({{inputs, 5, Activation::sigmoid, -1}, {5, inputs, Activation::sigmoid, -1}}, loss, {},
                     true);
}

#include "nn/optimizer.hpp"

#include <cmath>

#include "base/parallel.hpp"
#include "linalg/vector_ops.hpp"
#include "support/catch.hpp"
#include "support/reference.hpp"

using namespace stackae;

namespace {

/// Runs five steps on made-up gradients of a layer of 40 weights and 5 biases; returns the values after each.
std::vector<std::vector<double>> run_steps(const OptimizerConfig& config,
                                           std::vector<std::vector<double>>& gradients) {
    nn::Parameters parameters({{8, 5, Activation::linear, -1}});
    parameters.initialize(0, 3, 0);
    nn::Optimizer optimizer(config, parameters.size());
    std::vector<std::vector<double>> values;
    const auto keep = [&] {
        values.emplace_back(parameters.values().values().begin(), parameters.values().values().end());
    };
    keep();
    for (std::uint32_t step = 0; step < 5; ++step) {
        const Tensor gradient = reference::uniform({parameters.size()}, -1.0F, 1.0F, step);
        parameters.gradient() = gradient;
        gradients.emplace_back(gradient.values().begin(), gradient.values().end());
        optimizer.update(parameters, config.learning_rate);
        keep();
    }
    return values;
}

constexpr std::size_t weights = 48;  // 40, padded to 64 bytes: only these are decayed

void require_near(double found, double expected) {
    REQUIRE(found == Approx(expected).margin(2e-6));
}

}  // namespace

TEST_CASE("SGD follows momentum, Nesterov and L2 decay by their formulas") {
    OptimizerConfig config;
    config.kind = OptimizerKind::sgd;
    config.learning_rate = 0.1;
    config.momentum = 0.8;
    config.nesterov = GENERATE(false, true);
    config.weight_decay = GENERATE(0.0, 0.05);
    std::vector<std::vector<double>> gradients;
    const auto values = run_steps(config, gradients);
    for (std::size_t i = 0; i < values[0].size(); ++i) {
        double w = values[0][i];
        double v = 0.0;
        for (std::size_t t = 0; t < 5; ++t) {
            const double g = gradients[t][i] + (i < weights ? config.weight_decay * w : 0.0);
            v = config.momentum * v + g;
            w -= config.learning_rate * (config.nesterov ? g + config.momentum * v : v);
            require_near(values[t + 1][i], w);
        }
    }
}

TEST_CASE("Adam and AdamW follow their papers") {
    OptimizerConfig config;
    config.kind = GENERATE(OptimizerKind::adam, OptimizerKind::adamw);
    config.learning_rate = 0.01;
    config.weight_decay = GENERATE(0.0, 0.1);
    std::vector<std::vector<double>> gradients;
    const auto values = run_steps(config, gradients);
    const bool decoupled = config.kind == OptimizerKind::adamw;
    for (std::size_t i = 0; i < values[0].size(); ++i) {
        const double decay = i < weights ? config.weight_decay : 0.0;
        double w = values[0][i];
        double m = 0.0;
        double v = 0.0;
        for (std::size_t t = 0; t < 5; ++t) {
            const double g = gradients[t][i] + (decoupled ? 0.0 : decay * w);
            m = 0.9 * m + 0.1 * g;
            v = 0.999 * v + 0.001 * g * g;
            const double m_hat = m / (1.0 - std::pow(0.9, static_cast<double>(t + 1)));
            const double v_hat = v / (1.0 - std::pow(0.999, static_cast<double>(t + 1)));
            w -= config.learning_rate * (m_hat / (std::sqrt(v_hat) + 1e-8) + (decoupled ? decay * w : 0.0));
            require_near(values[t + 1][i], w);
        }
    }
}

TEST_CASE("A gradient longer than the bound is shortened to it, a shorter one is left alone") {
    OptimizerConfig config;
    config.kind = OptimizerKind::sgd;
    config.learning_rate = 1.0;
    config.momentum = 0.0;
    config.clip_norm = GENERATE(0.5, 1e6);
    std::vector<std::vector<double>> gradients;
    const auto values = run_steps(config, gradients);
    double moved = 0.0;
    double norm = 0.0;
    for (std::size_t i = 0; i < values[0].size(); ++i) {
        moved += std::pow(values[1][i] - values[0][i], 2.0);
        norm += std::pow(gradients[0][i], 2.0);
    }
    REQUIRE(std::sqrt(moved) == Approx(std::min(config.clip_norm, std::sqrt(norm))).epsilon(1e-4));
}

TEST_CASE("The squared norm is the same at any number of threads") {
    const Tensor values = reference::uniform({100'003}, -1.0F, 1.0F, 9);
    const base::ThreadScope one(1);
    const double alone = linalg::squared_norm(values.data(), values.size());
    const base::ThreadScope two(2);
    REQUIRE(linalg::squared_norm(values.data(), values.size()) == alone);
    double expected = 0.0;
    for (const float value : values.values()) {
        expected += static_cast<double>(value) * static_cast<double>(value);
    }
    REQUIRE(alone == Approx(expected).epsilon(1e-5));
}

TEST_CASE("Schedules begin, peak and end where they should") {
    ScheduleConfig config;
    config.warmup = 0.25;
    config.step_epochs = 2;
    config.step_factor = 0.5;
    const auto at = [&](ScheduleKind kind, double t) {
        config.kind = kind;
        return nn::schedule_factor(config, t, 8);
    };
    REQUIRE(at(ScheduleKind::constant, 0.7) == 1.0);
    REQUIRE(at(ScheduleKind::step, 0.0) == 1.0);
    REQUIRE(at(ScheduleKind::step, 0.26) == 0.5);
    REQUIRE(at(ScheduleKind::step, 0.99) == 0.125);
    config.step_epochs = 10;
    config.kind = ScheduleKind::step;
    REQUIRE(nn::schedule_factor(config, 10.0 / 77.0, 77) ==
            0.5);  // 10 / 77 · 77 is below 10 in floating point
    REQUIRE(at(ScheduleKind::cosine, 0.0) == 1.0);
    REQUIRE(at(ScheduleKind::cosine, 0.5) == Approx(0.5));
    REQUIRE(at(ScheduleKind::one_cycle, 0.0) == Approx(0.04));
    REQUIRE(at(ScheduleKind::one_cycle, 0.25) == Approx(1.0));
    REQUIRE(at(ScheduleKind::one_cycle, 1.0) == Approx(1e-4));
}

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <numeric>

#include "stackae/error.hpp"
#include "stackae/train.hpp"

#include "base/memory.hpp"
#include "base/random.hpp"
#include "train/convolution.hpp"
#include "train/needs.hpp"
#include "train/plan_convolutions.hpp"
#include "train/sample_store.hpp"
#include "train/stack.hpp"

namespace stackae {
namespace {

constexpr double timed_seconds = 0.3;  // a phase
constexpr int least_steps = 3;

/// Seconds a step.
double time_steps(linalg::Context& context, const std::vector<nn::LayerSpec>& specs,
                  const nn::GradientLoopConfig& config, const TrainOptions& options, std::int64_t pictures) {
    using Clock = std::chrono::steady_clock;
    const std::int64_t batch = std::min(options.batch_size, pictures);
    nn::Parameters parameters(specs);
    for (std::size_t i = 0; i < specs.size(); ++i) {
        parameters.initialize(i, options.seed, 0);
    }
    training::SampleStore samples(batch, specs.front().ic, true);
    const base::Random random(options.seed, base::Stream::plan);
    for (std::int64_t i = 0; i < batch * samples.columns(); ++i) {
        samples.row(0)[i] = base::Random::uniform(random.block(static_cast<std::uint32_t>(i))[0]);
    }
    std::vector<std::int64_t> rows(static_cast<std::size_t>(batch));
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    base::OneMember alone;
    nn::GradientLoop loop(context, parameters, {samples, rows, {}}, config, alone);
    loop.learn(rows, 1, 0.0);  // makes the primitives
    loop.learn(rows, 1, 0.0);
    const auto start = Clock::now();
    int steps = 0;
    double seconds = 0.0;
    while (steps < least_steps || seconds < timed_seconds) {
        loop.learn(rows, 1, 0.0);
        ++steps;
        seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    return seconds / steps;
}

/// Seconds of every phase of the plan, and of turning a picture into its code.
void time_phases(std::int64_t pictures, const Recipe& recipe, const TrainOptions& options, TrainPlan& plan) {
    linalg::Context context(options.threads);
    const auto batch = static_cast<double>(std::min(options.batch_size, pictures));
    std::size_t phase = 0;
    const auto steps = [&](const std::vector<nn::LayerSpec>& specs, const nn::GradientLoopConfig& config) {
        const double step = time_steps(context, specs, config, options, pictures);
        plan.phases[phase++].seconds +=
            static_cast<double>(config.epochs) * static_cast<double>(pictures) / batch * step;
        return step / batch;
    };
    // A step codes and decodes and goes back through both, for two products forth: six for the code's one.
    constexpr double products_a_step = 6.0;
    training::ConvolutionCosts costs(context, pictures, recipe, options);
    while (phase < options.convolutions.size()) {
        plan.phases[phase].seconds = costs.layer_seconds(phase);
        ++phase;
    }
    std::vector<std::vector<nn::LayerSpec>> autoencoders;
    for (std::size_t i = 0; i < options.layers.size(); ++i) {
        if (i == 0 && !options.convolutions.empty()) {
            plan.phases[phase].seconds = costs.encoding_seconds(pictures);
        }
        autoencoders.push_back(training::autoencoder(options, recipe, i));
        plan.seconds_a_picture +=
            steps(autoencoders.back(), training::greedy_config(options, recipe, i)) / products_a_step;
    }
    if (options.fine_tune_epochs > 0 && !autoencoders.empty()) {
        steps(training::unrolled(autoencoders, options.tied && !options.untie_in_fine_tuning),
              training::fine_tuning_config(options, recipe));
    }
    if (options.code_size > 0) {
        plan.phases[phase].seconds = costs.code_seconds(plan.phases[phase]);
        ++phase;
    }
    if (options.radial_units > 0) {
        plan.phases[phase].seconds = costs.radial_seconds(plan.phases[phase]);
    }
    plan.seconds_a_picture += costs.encoding_seconds(1);
    plan.seconds = std::accumulate(plan.phases.begin(), plan.phases.end(), 0.0,
                                   [](double sum, const auto& each) { return sum + each.seconds; });
}

TrainPlan make_plan(std::int64_t pictures, const Recipe& recipe, const TrainOptions& options) {
    const training::Needs needs = training::needs_of(pictures, recipe, options);
    TrainPlan plan;
    plan.phases = needs.phases;
    plan.parameters = needs.parameters;
    plan.memory_limit = base::resolve_memory(options.memory_limit);
    plan.memory_bytes = needs.working_bytes;
    if (!plan.refused()) {
        const std::int64_t holdable = training::holdable_bytes(needs, options);
        // Where the pictures alone do not fit, they and all codes are in files.
        plan.memory_bytes += needs.picture_bytes <= holdable ? std::min(needs.held_bytes, holdable) : 0;
        time_phases(pictures, recipe, options, plan);
    }
    return plan;
}

}  // namespace

std::vector<ConvolutionShape> convolution_shapes(const Recipe& recipe, const TrainOptions& options) {
    std::vector<ConvolutionLayer> layers;
    std::vector<ConvolutionShape> shapes;
    for (const ConvolutionOptions& asked : options.convolutions) {
        shapes.push_back(training::next_shape(recipe, layers, asked));
        layers.emplace_back().shape = shapes.back();
    }
    return shapes;
}

TrainPlan plan_training(std::int64_t pictures, const Recipe& recipe, const TrainOptions& options) {
    if (pictures < 1) {
        throw InvalidArgument(fmt::format("plan: {} pictures found, at least 1 expected", pictures));
    }
    training::check_settings(options, recipe);
    return linalg::run_on_backend("plan", options.threads, [&] {
        return make_plan(pictures, recipe, training::settle_memory(options));
    });
}

}  // namespace stackae

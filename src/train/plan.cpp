#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <numeric>

#include "stackae/error.hpp"
#include "stackae/train.hpp"

#include "core/random.hpp"
#include "model/split.hpp"
#include "train/convolution.hpp"
#include "train/phase.hpp"
#include "train/plan_convolutions.hpp"
#include "train/sample_store.hpp"
#include "train/stack.hpp"

namespace stackae {
namespace {

constexpr double timed_seconds = 0.3;  // a phase
constexpr int least_steps = 3;

struct Timed {
    double seconds_a_step = 0.0;
    std::int64_t memory_bytes = 0;
};

Timed time_steps(nn::Context& context, const std::vector<nn::LayerSpec>& specs,
                 const training::PhaseSettings& settings, const TrainOptions& options,
                 std::int64_t pictures) {
    using Clock = std::chrono::steady_clock;
    const std::int64_t batch = std::min(options.batch_size, pictures);
    nn::Parameters parameters(specs);
    for (std::size_t i = 0; i < specs.size(); ++i) {
        parameters.initialize(i, options.seed, 0);
    }
    training::SampleStore samples(batch, specs.front().ic, true);
    const core::Random random(options.seed, core::Stream::plan);
    for (std::int64_t i = 0; i < batch * samples.columns(); ++i) {
        samples.row(0)[i] = core::Random::uniform(random.block(static_cast<std::uint32_t>(i))[0]);
    }
    std::vector<std::int64_t> rows(static_cast<std::size_t>(batch));
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    training::Phase phase(context, parameters, {samples, rows, {}}, settings, options);
    phase.step(rows, 1, 0.0);  // makes the primitives
    phase.step(rows, 1, 0.0);
    const auto start = Clock::now();
    int steps = 0;
    double seconds = 0.0;
    while (steps < least_steps || seconds < timed_seconds) {
        phase.step(rows, 1, 0.0);
        ++steps;
        seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    const std::int64_t held_out = stackae::held_out(options, pictures);
    phase.prepare(pictures - held_out, held_out);
    return {seconds / steps, phase.memory_bytes()};
}

std::int64_t parameters_of(const std::vector<nn::LayerSpec>& specs) {
    std::int64_t sum = 0;
    for (const nn::LayerSpec& spec : specs) {
        sum += spec.oc + (spec.tied_to < 0 ? spec.ic * spec.oc : 0);
    }
    return sum;
}

TrainPlan make_plan(std::int64_t pictures, const Recipe& recipe, const TrainOptions& options) {
    nn::Context context(options.threads);
    TrainPlan plan;
    const std::int64_t batch = std::min(options.batch_size, pictures);
    const auto add_phase = [&](const std::vector<nn::LayerSpec>& specs,
                               const training::PhaseSettings& settings, std::int64_t units) {
        const Timed timed = time_steps(context, specs, settings, options, pictures);
        const double steps =
            static_cast<double>(settings.epochs) * static_cast<double>(pictures) / static_cast<double>(batch);
        plan.phases.push_back({settings.layer, specs.front().ic, units, parameters_of(specs), settings.epochs,
                               steps * timed.seconds_a_step});
        plan.seconds += plan.phases.back().seconds;
        plan.memory_bytes = std::max(plan.memory_bytes, timed.memory_bytes);
        return timed.seconds_a_step / static_cast<double>(batch);
    };
    // A step codes and decodes and goes back through both, for two products forth: six for the code's one.
    constexpr double products_a_step = 6.0;
    training::ConvolutionCosts costs(context, pictures, recipe, options);
    costs.plan_layers(plan);
    std::vector<DenseLayer> layers;
    // Values of a picture that are held beside it: of the maps, and of a layer's input and output, the most
    // at one time.
    const std::int64_t maps = options.convolutions.empty() ? 0 : costs.map_size();
    std::int64_t codes = 0;
    std::int64_t dense_parameters = 0;
    std::int64_t input = 0;
    for (std::size_t i = 0; i < options.layers.size(); ++i) {
        const auto specs = training::autoencoder(options, recipe, i);
        const double step =
            add_phase(specs, training::greedy_settings(options, recipe, i), options.layers[i]);
        plan.seconds_a_picture += step / products_a_step;
        plan.parameters += plan.phases.back().parameters;
        dense_parameters += plan.phases.back().parameters;
        if (i == 0 && maps > 0) {
            plan.phases.back().seconds += costs.encoding_seconds(pictures);
            plan.seconds += costs.encoding_seconds(pictures);
        }
        if (i + 1 < options.layers.size()) {
            codes = std::max(codes, input + options.layers[i]);
            input = options.layers[i];
        }
        layers.push_back(
            {specs[0].activation, specs[1].activation, Tensor({specs[0].oc, specs[0].ic}), {}, {}, {}});
    }
    if (options.fine_tune_epochs > 0 && !layers.empty()) {
        const auto specs = training::unrolled(layers, options.tied && !options.untie_in_fine_tuning);
        add_phase(specs, training::fine_tuning_settings(options, recipe), options.layers.back());
        plan.parameters += plan.phases.back().parameters - dense_parameters;
    }
    if (options.code_size > 0) {
        costs.plan_code(options.layers.empty() ? costs.map_size() : options.layers.back(), plan);
    }
    if (options.radial_units > 0) {
        costs.plan_radial(plan);
    }
    plan.seconds_a_picture += costs.encoding_seconds(1);
    const std::int64_t mapped =
        options.layers.empty() ? std::min(pictures, training::code_pictures) : pictures;
    const std::int64_t held =
        (pictures * (recipe.size() + codes) + mapped * maps) * static_cast<std::int64_t>(sizeof(float));
    // Where the pictures alone do not fit, they and all codes are in files.
    const bool fits = pictures * recipe.size() * static_cast<std::int64_t>(sizeof(float)) <= options.memory;
    plan.memory_bytes += fits ? std::min(held, options.memory) : 0;
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
    return nn::run_on_backend("plan", options.threads, [&] { return make_plan(pictures, recipe, options); });
}

}  // namespace stackae

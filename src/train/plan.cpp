#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <numeric>

#include "stackae/error.hpp"
#include "stackae/train.hpp"

#include "base/memory.hpp"
#include "linalg/gemm.hpp"
#include "train/stages.hpp"

namespace stackae {

namespace {

TrainPlan plan_of(const training::DataSize& data, const Preprocessing& preprocessing,
                  const TrainConfig& config, const RunOptions& run) {
    validate(preprocessing);
    validate(config);
    const Stack bound = bind(config.stack, preprocessing.shape());
    const training::Stages all = training::make_stages(bound, data, preprocessing, config, run);
    TrainPlan plan;
    std::int64_t finished = 0;   // values of layers
    std::int64_t under_way = 0;  // of a stage, in a checkpoint
    std::int64_t kept = 0;       // of both
    for (const training::Stage& stage : all.stages) {
        plan.stages.push_back(stage.info);
        plan.multiply_adds += stage.info.multiply_adds;
        under_way = std::max(under_way, stage.state_values);
        kept = std::max(kept, finished + stage.state_values);
        finished += stage.kind == training::StageKind::fine_tuning ? 0 : stage.info.parameters;
    }
    plan.parameters = all.parameters;
    plan.checkpoint_bytes = static_cast<std::int64_t>(sizeof(float)) * kept;
    plan.multiply_adds_a_picture = all.multiply_adds_a_picture;
    plan.memory_limit = base::resolve_memory(run.memory_limit);
    // What is under way is copied to be written.
    plan.memory_bytes = all.working_bytes + static_cast<std::int64_t>(sizeof(float)) * under_way;
    if (!plan.refused()) {
        const std::int64_t holdable = all.holdable_bytes(run);
        // Where the pictures do not fit, they are in a file.
        const std::int64_t held = all.held_bytes - (all.picture_bytes <= holdable ? 0 : all.picture_bytes);
        plan.memory_bytes += std::min(held, holdable);
    }
    return plan;
}

}  // namespace

TrainPlan plan_training(std::int64_t pictures, const Preprocessing& preprocessing, const TrainConfig& config,
                        const RunOptions& run) {
    if (pictures < 1) {
        throw InvalidArgument(fmt::format("plan: {} pictures found, at least 1 expected", pictures));
    }
    return plan_of(training::DataSize::of_pictures(pictures, preprocessing, run), preprocessing, config, run);
}

TrainPlan plan_training(const Interactions& table, const TrainConfig& config, const RunOptions& run) {
    check(table);
    return plan_of(training::DataSize::of_table(table, config.rows), preprocessing_of(table, config.rows),
                   config, run);
}

double measure_rate(int threads) {
    constexpr std::int64_t side = 1024;
    constexpr double enough = 0.2;  // seconds
    using Clock = std::chrono::steady_clock;
    return linalg::run_on_backend("plan", threads, [&] {
        linalg::Context context(threads);
        Tensor a({side, side});
        std::iota(a.data(), a.data() + a.size(), 1.0F);
        Tensor c({side, side});
        linalg::Gemm product(context, side, side, side);
        product.run(a.data(), a.data(), c.data());  // the first is slower
        const auto start = Clock::now();
        double seconds = 0.0;
        int times = 0;
        while (seconds < enough) {
            product.run(a.data(), a.data(), c.data());
            ++times;
            seconds = std::chrono::duration<double>(Clock::now() - start).count();
        }
        return times * static_cast<double>(side * side * side) / seconds;
    });
}

bool learns_by_gradients(const TrainPlan& plan) {
    return std::any_of(plan.stages.begin(), plan.stages.end(),
                       [](const StageInfo& stage) { return stage.epochs > 0; });
}

}  // namespace stackae

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

TrainPlan plan_training(std::int64_t pictures, const Preprocessing& preprocessing, const TrainConfig& config,
                        const RunOptions& run) {
    if (pictures < 1) {
        throw InvalidArgument(fmt::format("plan: {} pictures found, at least 1 expected", pictures));
    }
    validate(preprocessing);
    validate(config);
    const Stack bound = bind(config.stack, preprocessing.shape());
    const training::Stages all = training::make_stages(bound, pictures, preprocessing, config, run);
    TrainPlan plan;
    std::int64_t finished = 0;   // values of layers
    std::int64_t under_way = 0;  // of a stage, in a checkpoint
    std::int64_t kept = 0;       // of both
    for (const training::Stage& stage : all.stages) {
        plan.stages.push_back(stage.info);
        plan.multiply_adds += stage.info.multiply_adds;
        // Of learning by gradients: the values, two moments, the best so far.
        const std::int64_t copies = stage.info.epochs > 0 ? 4 : 1;
        under_way = std::max(under_way, copies * stage.info.parameters);
        kept = std::max(kept, finished + copies * stage.info.parameters);
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

}  // namespace stackae

#include "cli/fit_table.hpp"

#include <fmt/format.h>
#include <memory>
#include <utility>

#include "stackae/choose_table_stack.hpp"
#include "stackae/error.hpp"
#include "stackae/recommend.hpp"
#include "stackae/text.hpp"

#include "cli/interrupt.hpp"

namespace stackae::cli {
namespace {

/// Says nothing, and ends by an exception where the user interrupts.
class Quietly : public TrainObserver {
public:
    bool stop() override {
        check_interrupted();
        return false;
    }
};

TrainConfig config_of(const std::string& stack, std::uint64_t seed) {
    TrainConfig config;
    config.preset = "auto";
    config.stack = parse_stack(stack);
    config.validation = 0.0;
    config.seed = seed;
    return config;
}

/// Of as many values an item as there is memory for.
std::optional<TableStack> factorised_stack(const Interactions& table, const RunOptions& run,
                                           std::uint64_t seed) {
    for (const int units : {512, 256, 128, 64, 32, 16}) {
        const TrainConfig config = config_of(fmt::format("elsa:{}", units), seed);
        if (const TrainPlan plan = plan_training(table, config, run); !plan.refused()) {
            return TableStack{config,
                              fmt::format("elsa:{} takes {}", units, format_bytes(plan.memory_bytes))};
        }
    }
    return std::nullopt;
}

}  // namespace

TrainConfig usual_stack(std::uint64_t seed) {
    return config_of("edlae", seed);
}

Scorer scorer_of(Model model, int threads) {
    struct Kept {
        Model model;
        Recommender recommender;
        Kept(Model own, int threads) : model(std::move(own)), recommender(model, {.threads = threads}) {}
    };
    return [kept = std::make_shared<Kept>(std::move(model), threads)](
               const Interactions& known, std::int64_t first, std::int64_t count) {
        return kept->recommender.scores(known, first, count);
    };
}

Scorer fit_scorer(const Interactions& table, const TrainConfig& config, const RunOptions& run) {
    RunOptions quiet = run;
    quiet.checkpoint = "";
    quiet.resume = false;
    Quietly observer;
    return scorer_of(train(table, config, quiet, observer), static_cast<int>(run.threads));
}

void check_memory(const Interactions& table, const TrainConfig& config, const RunOptions& run) {
    if (const TrainPlan plan = plan_training(table, config, run); plan.refused()) {
        const auto other = factorised_stack(table, run, config.seed);
        throw InvalidArgument(fmt::format("memory: {} to learn {} found, {} expected at most; {}",
                                          format_bytes(plan.memory_bytes), to_text(config.stack),
                                          format_bytes(plan.memory_limit),
                                          other ? fmt::format("--stack {}", other->reason)
                                                : "--memory allows more, fewer items take less"));
    }
}

std::optional<TableStack> large_table_stack(const Interactions& table, const RunOptions& run,
                                            std::uint64_t seed) {
    const TrainConfig usual = usual_stack(seed);
    const TrainPlan plan = plan_training(table, usual, run);
    if (!plan.refused()) {
        return std::nullopt;
    }
    auto other = factorised_stack(table, run, seed);
    if (!other) {
        check_memory(table, usual, run);
        return std::nullopt;
    }
    other->reason =
        fmt::format("the factorised linear autoencoder: edlae takes {} for {}, {} expected at most; {}",
                    format_bytes(plan.memory_bytes), format_count(table.item_count(), "item"),
                    format_bytes(plan.memory_limit), other->reason);
    return other;
}

TableStack choose_stack(Console& console, const Interactions& table, const RunOptions& run,
                        std::uint64_t seed) {
    if (auto large = large_table_stack(table, run, seed)) {
        return *std::move(large);
    }
    ChooseTableOptions options;
    options.seed = seed;
    options.ranking.threads = static_cast<int>(run.threads);
    options.on_tried = [&](std::int64_t tried) {
        check_interrupted();
        console.draw(fmt::format("choosing settings: {} tried", tried));
    };
    const TableStackChoice choice = choose_table_stack(
        table,
        [&](const Interactions& part, const std::string& stack) {
            return fit_scorer(part, config_of(stack, seed), run);
        },
        options);
    console.clear();
    const std::string reason = choice.tried == 0 ? "too few users to choose settings by: the usual ones"
                                                 : fmt::format(
                                                       "the linear denoising autoencoder, the best of {} "
                                                       "settings by NDCG@100 ({:.4f} ± {:.4f}) of {} "
                                                       "users held out, on {} items",
                                                       choice.tried, choice.ndcg_100.mean,
                                                       choice.ndcg_100.error, choice.users, choice.items);
    return {config_of(choice.stack, seed), reason};
}

}  // namespace stackae::cli

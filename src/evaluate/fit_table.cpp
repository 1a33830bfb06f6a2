#include "stackae/fit_table.hpp"

#include <fmt/format.h>
#include <memory>
#include <utility>

#include "stackae/choose_table_stack.hpp"
#include "stackae/error.hpp"
#include "stackae/recommend.hpp"
#include "stackae/short_forms.hpp"
#include "stackae/text.hpp"

namespace stackae {
namespace {

Model learn(const Interactions& table, const TrainConfig& config, const RunOptions& run,
            TrainObserver& observer) {
    RunOptions once = run;
    once.checkpoint = "";
    once.resume = false;
    return train(table, config, once, observer);
}

constexpr const char* automatic_preset = "auto";

TrainConfig config_of(const std::string& stack, std::uint64_t seed, TableRow rows = TableRow::user) {
    TrainConfig config;
    config.preset = automatic_preset;
    config.stack = parse_stack(stack);
    config.validation = 0.0;
    config.seed = seed;
    config.rows = rows;
    return config;
}

/// Of as many values an item as there is memory for.
std::optional<TableStack> factorised_stack(const Interactions& table, const RunOptions& run,
                                           std::uint64_t seed, TableRow rows) {
    for (const int units : {512, 256, 128, 64, 32, 16}) {
        const TrainConfig config = config_of(fmt::format("elsa:{}", units), seed, rows);
        if (const TrainPlan plan = plan_training(table, config, run); !plan.refused()) {
            return TableStack{config,
                              fmt::format("elsa:{} takes {}", units, format_bytes(plan.memory_bytes))};
        }
    }
    return std::nullopt;
}

}  // namespace

TrainConfig table_base(const std::string& named) {
    if (!named.empty() && named != automatic_preset) {
        return preset(named);
    }
    TrainConfig base;
    base.validation = 0.0;
    return base;
}

TrainConfig suited(TrainConfig config, const TrainPlan& plan) {
    if (!learns_by_gradients(plan)) {
        config.validation = 0.0;
        config.patience = 0;
    }
    return config;
}

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

Scorer fit_scorer(const Interactions& table, const TrainConfig& config, const RunOptions& run,
                  TrainObserver& observer) {
    return scorer_of(learn(table, config, run, observer), static_cast<int>(run.threads));
}

bool learns_ratings(const TrainConfig& config) {
    return *config.loss == LossKind::masked_squared_error;
}

ValueMode suited_value(const TrainConfig& config) {
    return learns_ratings(config) ? ValueMode::raw : ValueMode::binary;
}

Predictor predictor_of(Model model, int threads) {
    return [model = std::make_shared<const Model>(std::move(model)), threads](std::span<const Rating> asked) {
        return predict_ratings(*model, asked, threads);
    };
}

Predictor fit_predictor(const Interactions& table, const TrainConfig& config, const RunOptions& run,
                        TrainObserver& observer) {
    return predictor_of(learn(table, config, run, observer), static_cast<int>(run.threads));
}

void check_memory(const Interactions& table, const TrainConfig& config, const RunOptions& run) {
    if (const TrainPlan plan = plan_training(table, config, run); plan.refused()) {
        const auto other = factorised_stack(table, run, config.seed, config.rows);
        throw InvalidArgument(fmt::format("memory: {} to learn {} found, {} expected at most; {}",
                                          format_bytes(plan.memory_bytes), to_text(config.stack),
                                          format_bytes(plan.memory_limit),
                                          other ? fmt::format("the stack {}", other->reason)
                                                : "more memory allows it, fewer items take less"));
    }
}

std::optional<TableStack> large_table_stack(const Interactions& table, const RunOptions& run,
                                            std::uint64_t seed, TableRow rows) {
    TrainConfig usual = usual_stack(seed);
    usual.rows = rows;
    const TrainPlan plan = plan_training(table, usual, run);
    if (!plan.refused()) {
        return std::nullopt;
    }
    auto other = factorised_stack(table, run, seed, rows);
    if (!other) {
        check_memory(table, usual, run);
        return std::nullopt;
    }
    other->reason =
        fmt::format("the factorised linear autoencoder: edlae takes {} for {}, {} expected at most; {}",
                    format_bytes(plan.memory_bytes),
                    rows == TableRow::item ? format_count(table.user_count(), "user")
                                           : format_count(table.item_count(), "item"),
                    format_bytes(plan.memory_limit), other->reason);
    return other;
}

TableStack choose_table_stack(const Interactions& table, const RunOptions& run, std::uint64_t seed,
                              TableRow rows, TrainObserver& observer,
                              const std::function<void(std::int64_t tried)>& on_tried) {
    if (auto large = large_table_stack(table, run, seed, rows)) {
        return *std::move(large);
    }
    if (rows == TableRow::item) {
        return {config_of("edlae", seed, rows),
                "the linear denoising autoencoder with its usual settings: others are chosen by users held "
                "out, whom rows of items have no place for"};
    }
    ChooseTableOptions options;
    options.seed = seed;
    options.ranking.threads = static_cast<int>(run.threads);
    options.on_tried = on_tried;
    const TableStackChoice choice = choose_table_stack(
        table,
        [&](const Interactions& part, const std::string& stack) {
            return fit_scorer(part, config_of(stack, seed), run, observer);
        },
        options);
    const std::string reason = choice.tried == 0 ? "too few users to choose settings by: the usual ones"
                                                 : fmt::format(
                                                       "the linear denoising autoencoder, the best of {} "
                                                       "settings by NDCG@100 ({:.4f} ± {:.4f}) of {} "
                                                       "users held out, on {} items",
                                                       choice.tried, choice.ndcg_100.mean,
                                                       choice.ndcg_100.error, choice.users, choice.items);
    return {config_of(choice.stack, seed), reason};
}

TrainConfig config_of(const TrainRecipe& recipe, const Interactions& table, const RunOptions& run,
                      TrainObserver& observer, const std::function<void(std::int64_t tried)>& on_tried) {
    TrainConfig said;
    for (const char* name : {"seed", "rows"}) {
        if (const auto found = recipe.options.find(name); found != recipe.options.end()) {
            said.set(name, found->second);
        }
    }
    const bool automatic = recipe.preset == automatic_preset && recipe.stack.empty();
    TrainConfig config = apply(
        recipe, automatic ? choose_table_stack(table, run, said.seed, said.rows, observer, on_tried).config
                          : table_base(recipe.preset));
    for (const char* name : {"epochs", "batch_size", "learning_rate"}) {
        if (const auto found = recipe.options.find(name); found != recipe.options.end()) {
            config.stack = with_elsa_field(config.stack, name, found->second, false);
        }
    }
    validate(config);
    check_memory(table, config, run);
    return suited(config, plan_training(table, config, run));
}

}  // namespace stackae

#include "cli/evaluate_table.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <utility>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate_ranking.hpp"
#include "stackae/evaluate_ratings.hpp"
#include "stackae/fit_table.hpp"

#include "cli/command.hpp"
#include "cli/model_locator.hpp"
#include "cli/output.hpp"
#include "cli/quiet_training.hpp"
#include "cli/text_table.hpp"

namespace stackae::cli {
namespace {

std::string figure(const MeanError& mean) {
    return std::isnan(mean.error) ? fmt::format("{:.4f}", mean.mean)
                                  : fmt::format("{:.4f} ± {:.4f}", mean.mean, mean.error);
}

void add_row(TextTable& table, const char* name, const Ranking& ranking, bool given_parts) {
    const auto of = [&](double UserRanking::*which) { return figure(ranking.mean(which)); };
    if (given_parts) {
        table.add({name, of(&UserRanking::recall_20_all_targets), of(&UserRanking::ndcg_20),
                   fmt::format("{:.1f} %", 100.0 * ranking.coverage_20)});
    } else {
        table.add({name, of(&UserRanking::recall_20), of(&UserRanking::recall_50), of(&UserRanking::ndcg_100),
                   fmt::format("{:.1f} %", 100.0 * ranking.coverage_20)});
    }
}

std::string report(const RankingEvaluation& result, const TableEvaluation& wanted) {
    const bool given_parts = !wanted.test.empty();
    const std::string users = format_count(result.users, "user");
    std::string out =
        given_parts ? fmt::format("data   {} of the given parts\n", users)
        : !wanted.model.empty()
            ? fmt::format("data   {} whom the model has not seen, folded in with most of their items\n",
                          users)
            : fmt::format("data   {} held out in {}, folded in with most of their items\n", users,
                          format_count(result.splits, "split"));
    if (result.left_out_users > 0) {
        out += fmt::format("       {} had nothing to fold in or to find, and are left out\n",
                           format_count(result.left_out_users, "user"));
    }
    TextTable table;
    if (given_parts) {
        table.add({"", "Recall@20", "NDCG@20", "coverage"});
    } else {
        table.add({"", "Recall@20", "Recall@50", "NDCG@100", "coverage"});
    }
    if (result.model) {
        add_row(table, "model", *result.model, given_parts);
    }
    add_row(table, "popularity", result.popularity, given_parts);
    add_row(table, "item-kNN", result.item_knn, given_parts);
    if (result.ease) {
        add_row(table, "EASE", *result.ease, given_parts);
    }
    out += "\nmean ± standard error over users\n" + table.text();
    for (const std::string& remark : result.remarks()) {
        out += "\n" + remark + "\n";
    }
    return out;
}

/// Those of a table that a model has not seen, folded in with most of their items.
HeldUsers unseen_users(const TableEvaluation& wanted, const Interactions& table, const Interactions& learnt) {
    const std::vector<std::int32_t> known = numbers_among(learnt.users, table.users);
    if (std::none_of(known.begin(), known.end(), [](std::int32_t number) { return number < 0; })) {
        throw UsageError(fmt::format(
            "{}: the model knows all {} of {}, users that it has not seen expected; `evaluate TRAIN TEST -m "
            "MODEL` measures on what they took later, and --fit learns anew from some users and measures on "
            "others",
            wanted.model, format_count(table.user_count(), "user"), wanted.input));
    }
    return hold_unseen(learnt, table, wanted.seed);
}

/// Throws InvalidArgument where a model is of other items or, of ratings, of other users.
void check_same(const TableEvaluation& wanted, const Interactions& table, const Model& model, bool users) {
    if (model.table.items != table.items || (users && model.table.users != table.users)) {
        throw InvalidArgument(
            fmt::format("{}: a model of other {}items, or of another order of them, than {} found; the table "
                        "that it was learnt from expected",
                        wanted.model, users ? "users or " : "", wanted.input));
    }
}

/// Those to measure on, unless users of the table are held out anew. model: null where there is none.
std::optional<HeldUsers> held_users(Console& console, const TableEvaluation& wanted,
                                    const Interactions& table, const Model* model) {
    if (wanted.test.empty()) {
        return model == nullptr ? std::nullopt : std::optional(unseen_users(wanted, table, model->table));
    }
    if (model != nullptr) {
        check_same(wanted, table, *model, false);
    }
    return held_by_file(table, wanted.tables.read(console, wanted.test));
}

/// What is learnt where it is named; else chosen by the table.
std::optional<TrainConfig> named_config(const TableEvaluation& wanted) {
    if ((wanted.preset.empty() || wanted.preset == "auto") && !wanted.stack) {
        return std::nullopt;
    }
    TrainConfig config = table_base(wanted.preset);
    config.stack = wanted.stack.value_or(config.stack);
    config.seed = wanted.seed;
    return config;
}

/// What `train` learns of a table by a configuration that is named.
TrainConfig suited_to(const Interactions& table, const TrainConfig& named, const RunOptions& run) {
    return suited(named, plan_training(table, named, run));
}

void check_usage(const TableEvaluation& wanted) {
    if (wanted.fit && !wanted.model.empty()) {
        throw UsageError("--fit and -m exclude each other");
    }
    if (!wanted.fit && (!wanted.preset.empty() || wanted.stack)) {
        throw UsageError("--preset and --stack say what --fit learns; --fit is missing");
    }
    if (wanted.splits > 1 && (!wanted.test.empty() || !wanted.model.empty())) {
        throw UsageError(fmt::format("--splits {} found, 1 expected with {}: nothing is split at random",
                                     wanted.splits, wanted.test.empty() ? "-m MODEL" : "TEST"));
    }
}

std::string report(const RatingEvaluation& result) {
    std::string out = fmt::format("data   {} held out{}", format_count(result.mean.ratings, "rating"),
                                  result.splits > 1 ? fmt::format(" in {} splits\n", result.splits) : "\n");
    if (result.unseen > 0) {
        out += fmt::format("       {} of users or items without any other\n",
                           format_count(result.unseen, "rating"));
    }
    if (result.known > 0) {
        out += fmt::format("       {} that are learnt from left out\n", format_count(result.known, "rating"));
    }
    TextTable table;
    table.add({"", "RMSE", "MAE"});
    if (result.model) {
        table.add({"model", figure(result.model->rmse), figure(result.model->mae)});
    }
    table.add({"biases", figure(result.biases.rmse), figure(result.biases.mae)});
    table.add({"mean", figure(result.mean.rmse), figure(result.mean.mae)});
    out += "\nerror ± standard error over ratings\n" + table.text();
    for (const std::string& remark : result.remarks()) {
        out += "\n" + remark + "\n";
    }
    return out;
}

void write(bool json, const JsonObject& object, const std::string& text) {
    ResultWriter results;
    results.write(json ? object.text() + "\n" : text);
    results.finish();
}

/// model: empty where it is learnt here.
void evaluate_ratings_of(Console& console, const TableEvaluation& wanted, const Interactions& table,
                         std::optional<Model> model, const TrainConfig& config, const RunOptions& run) {
    if (model && wanted.test.empty()) {
        throw UsageError("-m with ratings needs TEST, ratings that were held out; --fit holds some out");
    }
    if (model) {
        check_same(wanted, table, *model, true);
    }
    const FitPredictor fit = [&](const Interactions& train) {
        QuietTraining observer;
        return model ? predictor_of(*std::move(model), wanted.reading.threads)
                     : fit_predictor(train, config, run, observer);
    };
    const RatingEvaluation result =
        wanted.test.empty()
            ? evaluate_ratings(table, fit, wanted.splits, wanted.seed)
            : evaluate_ratings(
                  table, matched_ratings(table, wanted.tables.read_like(console, wanted.test, table)), fit);
    write(wanted.json, to_json(result), report(result));
}

}  // namespace

int evaluate_table(Console& console, const TableEvaluation& wanted) {
    check_usage(wanted);
    std::optional<Model> model;
    if (!wanted.model.empty()) {
        model.emplace(open_table_model(console, wanted.model));
    }
    const std::optional<TrainConfig> named = model ? model->record.config : named_config(wanted);
    Interactions table =
        model ? wanted.tables.read_like(console, wanted.input, model->table)
              : wanted.tables.read(console, wanted.input, named ? suited_value(*named) : ValueMode::binary);
    RunOptions run;
    run.threads = wanted.reading.threads;
    run.memory_limit = wanted.reading.memory;
    if (named && learns_ratings(*named)) {
        evaluate_ratings_of(console, wanted, table, std::move(model), *named, run);
        return exit_code::done;
    }
    const std::optional<HeldUsers> held = held_users(console, wanted, table, model ? &*model : nullptr);
    if (model && wanted.test.empty()) {
        table = model->table;  // the baselines learn what it has learnt from
    }
    RankingEvaluationOptions options;
    options.splits = wanted.splits;
    options.seed = wanted.seed;
    options.memory = wanted.reading.memory;
    options.ranking.threads = wanted.reading.threads;
    FitScorer fit;
    if (wanted.fit) {
        fit = [&](const Interactions& train, const Interactions& tuning, const HeldUsers& /*validation*/) {
            const TableStack chosen = named ? TableStack{suited_to(train, *named, run), "as named"}
                                            : choose_table_stack(console, tuning, run, wanted.seed);
            console.note(fmt::format("{}: {}", to_text(chosen.config.stack), chosen.reason));
            QuietTraining observer;
            return fit_scorer(train, chosen.config, run, observer);
        };
    } else if (model) {
        fit = [&](const Interactions& /*train*/, const Interactions& /*tuning*/,
                  const HeldUsers& /*validation*/) {
            return scorer_of(*std::move(model), wanted.reading.threads);
        };
    }
    const RankingEvaluation result =
        held ? evaluate_ranking(table, *held, fit, options) : evaluate_ranking(table, fit, options);
    write(wanted.json, to_json(result), report(result, wanted));
    return exit_code::done;
}

}  // namespace stackae::cli

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate_ranking.hpp"
#include "stackae/text.hpp"

#include "base/json.hpp"
#include "base/memory.hpp"
#include "evaluate/mean_error.hpp"

namespace stackae {
namespace {

/// The users of all splits; the mean coverage of those that have users.
Ranking join(std::vector<Ranking> splits) {
    Ranking all;
    double coverage = 0.0;
    int measured = 0;
    for (Ranking& split : splits) {
        all.users.insert(all.users.end(), split.users.begin(), split.users.end());
        if (!split.users.empty()) {
            coverage += split.coverage_20;
            ++measured;
        }
    }
    if (measured > 0) {
        all.coverage_20 = coverage / measured;
    }
    return all;
}

/// Learns and measures, split after split.
class RankingRun {
public:
    RankingRun(const FitScorer& fit, const RankingEvaluationOptions& options, std::int64_t items)
        : fit_(fit), options_(options), ease_(options.ease) {
        const std::int64_t allowed = base::resolve_memory(options.memory);
        const double needed = ease_bytes(items);
        if (ease_ && needed > static_cast<double>(allowed)) {
            ease_ = false;
            result_.ease_left_out =
                fmt::format("EASE is left out: it takes {} for {} items, {} allowed",
                            format_bytes(base::whole_bytes(needed)), items, format_bytes(allowed));
        }
    }

    void measure(const Interactions& train, const Interactions& tuning, const HeldUsers& validation,
                 const HeldUsers& test) {
        const RankingOptions& ranking = options_.ranking;
        result_.left_out_users += test.left_out_users;
        result_.left_out_entries += test.left_out_entries;
        popularity_.push_back(measure_ranking(popularity_scorer(train), test, ranking));
        const std::int64_t k = choose_item_knn(tuning, validation, ranking);
        result_.item_knn_k.push_back(k);
        item_knn_.push_back(measure_ranking(item_knn_scorer(train, k, ranking.threads), test, ranking));
        if (ease_) {
            const double lambda = choose_ease(tuning, validation, ranking);
            result_.ease_lambda.push_back(lambda);
            ease_rankings_.push_back(
                measure_ranking(ease_scorer(train, lambda, ranking.threads), test, ranking));
        }
        if (fit_) {
            model_.push_back(measure_ranking(fit_(train, tuning, validation), test, ranking));
        }
    }

    [[nodiscard]] RankingEvaluation finish() {
        result_.splits = static_cast<int>(popularity_.size());
        result_.popularity = join(std::move(popularity_));
        result_.item_knn = join(std::move(item_knn_));
        if (ease_) {
            result_.ease = join(std::move(ease_rankings_));
        }
        if (fit_) {
            result_.model = join(std::move(model_));
        }
        result_.users = std::ssize(result_.popularity.users);
        if (result_.users == 0) {
            throw InvalidArgument(
                fmt::format("ranking: no user to measure on found, {} left out; expected some who have both "
                            "known items and "
                            "others to be found among those that were learnt from",
                            result_.left_out_users));
        }
        return std::move(result_);
    }

private:
    const FitScorer& fit_;
    const RankingEvaluationOptions& options_;
    bool ease_;
    std::vector<Ranking> model_;
    std::vector<Ranking> popularity_;
    std::vector<Ranking> item_knn_;
    std::vector<Ranking> ease_rankings_;
    RankingEvaluation result_;
};

nlohmann::json figures(const Ranking& all) {
    nlohmann::json object{{"coverage_20", all.coverage_20}};
    evaluation::put(object, "recall_20", all.mean(&UserRanking::recall_20));
    evaluation::put(object, "recall_50", all.mean(&UserRanking::recall_50));
    evaluation::put(object, "ndcg_100", all.mean(&UserRanking::ndcg_100));
    evaluation::put(object, "recall_20_all_targets", all.mean(&UserRanking::recall_20_all_targets));
    evaluation::put(object, "ndcg_20", all.mean(&UserRanking::ndcg_20));
    return object;
}

bool is_better(const Ranking& model, const Ranking& baseline) {
    const MeanError difference = mean_difference(model, baseline, &UserRanking::ndcg_100);
    return difference.mean > difference.error;
}

}  // namespace

std::vector<std::string> RankingEvaluation::remarks() const {
    std::vector<std::string> sentences;
    const bool several = users > 1;  // of one nothing can be told
    if (several && model && !is_better(*model, popularity)) {
        sentences.emplace_back("not better than popularity on this table");
    }
    if (several && model && !is_better(*model, item_knn)) {
        sentences.emplace_back("not better than item-kNN on this table");
    }
    if (!ease_left_out.empty()) {
        sentences.push_back(ease_left_out);
    }
    return sentences;
}

RankingEvaluation evaluate_ranking(const Interactions& table, const FitScorer& fit,
                                   const RankingEvaluationOptions& options) {
    if (options.splits < 1) {
        throw InvalidArgument(fmt::format("ranking: {} splits found, at least 1 expected", options.splits));
    }
    RankingRun run(fit, options, table.item_count());
    for (int number = 0; number < options.splits; ++number) {
        const RankingSplit split = split_users(table, options.seed, number);
        run.measure(split.train, split.train, split.validation, split.test);
    }
    return run.finish();
}

RankingEvaluation evaluate_ranking(const Interactions& train, const HeldUsers& test, const FitScorer& fit,
                                   const RankingEvaluationOptions& options) {
    if (options.splits != 1) {
        throw InvalidArgument(
            fmt::format("ranking: {} splits found, 1 expected with parts that are given", options.splits));
    }
    const RankingSplit tuning = split_users(train, options.seed);
    RankingRun run(fit, options, train.item_count());
    run.measure(train, tuning.train, tuning.validation, test);
    return run.finish();
}

JsonObject to_json(const RankingEvaluation& evaluation) {
    const Ranking unmeasured;  // whose figures are all null
    nlohmann::json out{{"splits", evaluation.splits},
                       {"users", evaluation.users},
                       {"left_out_users", evaluation.left_out_users},
                       {"left_out_entries", evaluation.left_out_entries},
                       {"remarks", evaluation.remarks()},
                       {"model", figures(evaluation.model ? *evaluation.model : unmeasured)}};
    auto& baselines = out["baselines"];
    baselines["popularity"] = figures(evaluation.popularity);
    baselines["item_knn"] = figures(evaluation.item_knn);
    baselines["item_knn"]["k"] = evaluation.item_knn_k;
    baselines["ease"] = figures(evaluation.ease ? *evaluation.ease : unmeasured);
    baselines["ease"]["lambda"] = evaluation.ease_lambda;
    return base::json_object(out);
}

}  // namespace stackae

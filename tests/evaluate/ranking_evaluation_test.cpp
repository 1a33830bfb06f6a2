#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate_ranking.hpp"

#include "base/random.hpp"
#include "support/catch.hpp"
#include "support/interactions.hpp"

namespace {

using stackae::FitScorer;
using stackae::HeldUsers;
using stackae::Interactions;
using stackae::RankingEvaluation;
using stackae::RankingEvaluationOptions;
using stackae::Scorer;
using stackae::UserRanking;

using Names = std::vector<std::string>;

/// Users of two kinds, each with 6 to 10 of 15 items of its own kind: neighbours tell them, popularity does
/// not.
Interactions two_kinds(std::int64_t users) {
    std::vector<std::vector<std::int32_t>> rows;
    for (std::int64_t user = 0; user < users; ++user) {
        const stackae::base::Random random(8, stackae::base::RandomStream::plan, 61,
                                           static_cast<std::uint32_t>(user));
        std::vector<std::int32_t> items(15);
        std::iota(items.begin(), items.end(), user % 2 == 0 ? 0 : 15);
        stackae::base::shuffle(items, random);
        items.resize(6 + random.below(99, 5));
        std::sort(items.begin(), items.end());
        rows.push_back(items);
    }
    return stackae::test::table(rows, 30);
}

FitScorer popularity() {
    return [](const Interactions& train, const Interactions&, const HeldUsers&) {
        return stackae::popularity_scorer(train);
    };
}

FitScorer ease() {
    return [](const Interactions& train, const Interactions& tuning, const HeldUsers& validation) {
        return stackae::ease_scorer(train, stackae::choose_ease(tuning, validation));
    };
}

nlohmann::json json_of(const RankingEvaluation& evaluation) {
    return nlohmann::json::parse(stackae::to_json(evaluation).text());
}

}  // namespace

TEST_CASE(
    "A model that knows the kinds is better than popularity, and popularity is not better than itself") {
    const Interactions table = two_kinds(400);
    const RankingEvaluation good = stackae::evaluate_ranking(table, ease(), {.splits = 2});
    CHECK(good.users + good.left_out_users == 80);
    REQUIRE(good.model);
    REQUIRE(good.ease);
    CHECK(good.model->users == good.ease->users);
    CHECK(good.item_knn.mean(&UserRanking::ndcg_100).mean >
          1.2 * good.popularity.mean(&UserRanking::ndcg_100).mean);
    const Names remarks = good.remarks();
    CHECK(std::find(remarks.begin(), remarks.end(), "not better than popularity on this table") ==
          remarks.end());

    const RankingEvaluation bad = stackae::evaluate_ranking(table, popularity(), {});
    CHECK(bad.remarks() ==
          Names{"not better than popularity on this table", "not better than item-kNN on this table"});
    CHECK(stackae::evaluate_ranking(table, {}, {}).remarks().empty());
}

TEST_CASE("Of a single user it is not said that a model is not better") {
    const Interactions table = two_kinds(60);
    stackae::HeldUsers one = stackae::split_users(table, 0).test;
    one.known.users.resize(1);
    one.known.offsets.resize(2);
    one.known.columns.resize(static_cast<std::size_t>(one.known.offsets[1]));
    one.known.values.resize(one.known.columns.size());
    one.targets.resize(1);
    const RankingEvaluation single = stackae::evaluate_ranking(table, one, popularity(), {});
    CHECK(single.users == 1);
    CHECK(single.remarks().empty());
    CHECK(std::isnan(single.model->mean(&UserRanking::ndcg_100).error));
}

TEST_CASE("What learns sees neither the test users nor items of theirs alone") {
    const Interactions table = stackae::test::random_table(260, 50, 20, 62);
    int number = 0;
    std::int64_t users = 0;
    const FitScorer fit = [&](const Interactions& train, const Interactions& tuning,
                              const HeldUsers& validation) {
        const auto split = stackae::split_users(table, 5, number++);
        CHECK(train == split.train);
        CHECK(tuning == split.train);
        CHECK(validation.known == split.validation.known);
        CHECK(validation.targets == split.validation.targets);
        users += split.test.known.user_count();
        return [](const Interactions& known, std::int64_t, std::int64_t count) {
            return stackae::Tensor({count, known.item_count()});
        };
    };
    const auto evaluation = stackae::evaluate_ranking(table, fit, {.splits = 3, .seed = 5, .ease = false});
    CHECK(number == 3);
    CHECK(evaluation.splits == 3);
    CHECK(evaluation.users == users);
    CHECK(evaluation.item_knn_k.size() == 3);
    CHECK(!evaluation.ease);
}

TEST_CASE("Figures over splits are means over all their users, coverage is that of the splits") {
    const Interactions table = two_kinds(150);
    const auto both = stackae::evaluate_ranking(table, {}, {.splits = 2, .seed = 9});
    std::vector<UserRanking> users;
    double coverage = 0.0;
    for (int number = 0; number < 2; ++number) {
        const auto split = stackae::split_users(table, 9, number);
        const auto ranking = stackae::measure_ranking(stackae::popularity_scorer(split.train), split.test);
        users.insert(users.end(), ranking.users.begin(), ranking.users.end());
        coverage += ranking.coverage_20 / 2.0;
    }
    CHECK(both.popularity.users == users);
    CHECK(both.popularity.coverage_20 == Approx(coverage));
}

TEST_CASE("With given parts settings are chosen within the training part, and all of it is learnt from") {
    const Interactions train = two_kinds(120);
    std::vector<std::vector<std::int32_t>> targets(120);
    for (std::int32_t user = 0; user < 120; ++user) {
        targets[static_cast<std::size_t>(user)] = {user % 2 == 0 ? user % 15 : 15 + user % 15};
    }
    const HeldUsers test = stackae::held_by_file(train, stackae::test::table(targets, 30));
    const FitScorer fit = [&](const Interactions& all, const Interactions& tuning,
                              const HeldUsers& validation) {
        const auto split = stackae::split_users(train, 4);
        CHECK(all == train);
        CHECK(tuning == split.train);
        CHECK(validation.known == split.validation.known);
        return stackae::popularity_scorer(all);
    };
    const RankingEvaluationOptions options{.seed = 4};
    const auto evaluation = stackae::evaluate_ranking(train, test, fit, options);
    CHECK(evaluation.users == test.known.user_count());
    CHECK(evaluation.model->users == stackae::measure_ranking(stackae::popularity_scorer(train), test).users);
    CHECK_THROWS_AS(stackae::evaluate_ranking(train, test, fit, {.splits = 2}), stackae::InvalidArgument);
}

TEST_CASE("JSON of an evaluation has every figure with its standard error") {
    const Interactions table = two_kinds(150);
    const RankingEvaluation evaluation = stackae::evaluate_ranking(table, popularity(), {});
    const nlohmann::json json = json_of(evaluation);
    const auto& baselines = json.at("baselines");
    for (const auto* figures :
         {&json.at("model"), &baselines.at("popularity"), &baselines.at("item_knn"), &baselines.at("ease")}) {
        for (const char* key : {"recall_20", "recall_50", "ndcg_100", "recall_20_all_targets", "ndcg_20"}) {
            CAPTURE(key);
            CHECK(figures->at(key).is_number());
            CHECK(figures->at(std::string(key) + "_se").is_number());
        }
        CHECK(figures->at("coverage_20").is_number());
    }
    const auto mean = evaluation.item_knn.mean(&UserRanking::recall_20);
    CHECK(baselines.at("item_knn").at("recall_20").get<double>() == mean.mean);
    CHECK(baselines.at("item_knn").at("recall_20_se").get<double>() == mean.error);
    CHECK(baselines.at("item_knn").at("k") == evaluation.item_knn_k);
    CHECK(baselines.at("ease").at("lambda") == evaluation.ease_lambda);
    CHECK(json.at("users") == evaluation.users);
    CHECK(json.at("remarks").at(0) == "not better than popularity on this table");
}

TEST_CASE("Where EASE takes more memory than is allowed, it is left out and said so") {
    const auto evaluation = stackae::evaluate_ranking(two_kinds(60), {}, {.memory = 1000});
    CHECK(!evaluation.ease);
    REQUIRE(evaluation.remarks().size() == 1);
    CHECK_THAT(evaluation.remarks()[0], stackae::test::contains("KiB for 30 items, 1000 bytes allowed"));
    const nlohmann::json json = json_of(evaluation);
    CHECK(json.at("baselines").at("ease").at("ndcg_100").is_null());
    CHECK(json.at("baselines").at("ease").at("ndcg_100_se").is_null());
    CHECK(json.at("model").at("recall_20").is_null());
}

TEST_CASE("Nobody to measure on, no splits and tables that are too small are refused") {
    const Interactions apart = stackae::test::table({{0, 1, 2, 3, 4}, {5, 6, 7, 8, 9}, {10}}, 11);
    CHECK_THROWS_WITH(stackae::evaluate_ranking(apart, {}, {}),
                      stackae::test::contains("no user to measure on found, 1 left out"));
    CHECK_THROWS_AS(stackae::evaluate_ranking(two_kinds(60), {}, {.splits = 0}), stackae::InvalidArgument);
    CHECK_THROWS_AS(stackae::evaluate_ranking(stackae::Interactions(), {}, {}), stackae::InvalidArgument);
}

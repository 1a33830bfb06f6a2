#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate_ranking.hpp"

#include "base/random.hpp"
#include "support/catch.hpp"
#include "support/interactions.hpp"
#include "support/tensor.hpp"

namespace {

using stackae::HeldUsers;
using stackae::Interactions;
using stackae::MeanError;
using stackae::Ranking;
using stackae::RankingOptions;
using stackae::Scorer;
using stackae::Tensor;
using stackae::UserRanking;

using Numbers = std::vector<std::int32_t>;

constexpr float infinity = std::numeric_limits<float>::infinity();

/// Gives rows of a tensor, one a user.
Scorer rows_of(const Tensor& scores) {
    return [scores](const Interactions& /*known*/, std::int64_t first, std::int64_t count) {
        Tensor some({count, scores.columns()});
        std::copy_n(scores.data() + first * scores.columns(), some.size(), some.data());
        return some;
    };
}

/// The unknown items by falling score and rising number, by sorting them all.
Numbers ranked(std::span<const float> scores, std::span<const std::int32_t> known) {
    Numbers order;
    for (std::int32_t item = 0; item < std::ssize(scores); ++item) {
        if (std::find(known.begin(), known.end(), item) == known.end()) {
            order.push_back(item);
        }
    }
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
        return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)];
    });
    return order;
}

double hits(const Numbers& order, const Numbers& targets, std::size_t k) {
    const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(k, order.size()));
    return static_cast<double>(std::count_if(order.begin(), end, [&](std::int32_t item) {
        return std::find(targets.begin(), targets.end(), item) != targets.end();
    }));
}

double ndcg(const Numbers& order, const Numbers& targets, std::size_t k) {
    double gain = 0.0;
    double ideal = 0.0;
    for (std::size_t rank = 1; rank <= k; ++rank) {
        const double discount = std::log(2.0) / std::log(static_cast<double>(rank) + 1.0);
        const bool hit = rank <= order.size() && hits({order[rank - 1]}, targets, 1) > 0.0;
        gain += hit ? discount : 0.0;
        ideal += rank <= targets.size() ? discount : 0.0;
    }
    return gain / ideal;
}

UserRanking reference(const Numbers& order, const Numbers& targets) {
    const auto t = static_cast<double>(targets.size());
    return {hits(order, targets, 20) / std::min(20.0, t), hits(order, targets, 50) / std::min(50.0, t),
            ndcg(order, targets, 100), hits(order, targets, 20) / t, ndcg(order, targets, 20)};
}

/// Of each user 1 to 150 of the items that are not known are targets.
HeldUsers random_users(std::int64_t users, std::int64_t items) {
    HeldUsers held{stackae::test::random_table(users, items, items / 2, 31), {}};
    for (std::int64_t user = 0; user < users; ++user) {
        const auto known = held.known.items_of(user);
        Numbers others(static_cast<std::size_t>(items));
        std::iota(others.begin(), others.end(), 0);
        std::erase_if(
            others, [&](std::int32_t item) { return std::binary_search(known.begin(), known.end(), item); });
        const stackae::base::Random random(3, stackae::base::RandomStream::plan, 32,
                                           static_cast<std::uint32_t>(user));
        stackae::base::shuffle(others, random);
        others.resize(1 + random.below(0, std::min<std::size_t>(others.size(), 150)));
        std::sort(others.begin(), others.end());
        held.targets.push_back(others);
    }
    return held;
}

/// Few different values, so that many are equal.
Tensor coarse_scores(std::int64_t users, std::int64_t items, std::uint64_t values) {
    Tensor scores({users, items});
    const stackae::base::Random random(4, stackae::base::RandomStream::plan, 33);
    std::uint32_t i = 0;
    for (float& score : scores.values()) {
        score = static_cast<float>(random.below(i++, values)) - 3.0F;
    }
    return scores;
}

}  // namespace

TEST_CASE("Figures of one user are those found by hand") {
    // Ranked: 4, 1, 5, 3, 2; item 0 is known.
    const Tensor scores = stackae::test::tensor({1, 6}, {9, 4, 1, 2, 8, 3});
    const HeldUsers users{stackae::test::table({{0}}, 6), {{1, 3}}};
    const Ranking ranking = stackae::measure_ranking(rows_of(scores), users);
    REQUIRE(ranking.users.size() == 1);
    CHECK(ranking.users[0].recall_20 == 1.0);
    CHECK(ranking.users[0].recall_50 == 1.0);
    CHECK(ranking.users[0].recall_20_all_targets == 1.0);
    const double expected = (1.0 / std::log2(3.0) + 1.0 / std::log2(5.0)) / (1.0 + 1.0 / std::log2(3.0));
    CHECK(ranking.users[0].ndcg_100 == Approx(expected).epsilon(1e-12));
    CHECK(ranking.users[0].ndcg_20 == Approx(expected).epsilon(1e-12));
    CHECK(ranking.coverage_20 == Approx(5.0 / 6.0));
}

TEST_CASE("Figures are those of sorting all items, with ties, in batches and at any number of threads") {
    const std::int64_t items = GENERATE(8, 45, 260);
    const HeldUsers users = random_users(50, items);
    const Tensor scores = coarse_scores(50, items, GENERATE(1U, 4U, 100'000U));
    const Ranking ranking = stackae::measure_ranking(rows_of(scores), users, {.threads = 1});
    REQUIRE(ranking.users.size() == 50);
    std::set<std::int32_t> recommended;
    for (std::size_t i = 0; i < 50; ++i) {
        const auto user = static_cast<std::int64_t>(i);
        const Numbers order = ranked(scores.row(user), users.known.items_of(user));
        recommended.insert(order.begin(), order.begin() + std::min<std::ptrdiff_t>(20, std::ssize(order)));
        const UserRanking expected = reference(order, users.targets[i]);
        CAPTURE(items, i);
        CHECK(ranking.users[i].recall_20 == expected.recall_20);
        CHECK(ranking.users[i].recall_50 == expected.recall_50);
        CHECK(ranking.users[i].recall_20_all_targets == expected.recall_20_all_targets);
        CHECK(ranking.users[i].ndcg_100 == Approx(expected.ndcg_100).epsilon(1e-12));
        CHECK(ranking.users[i].ndcg_20 == Approx(expected.ndcg_20).epsilon(1e-12));
    }
    CHECK(ranking.coverage_20 ==
          Approx(static_cast<double>(recommended.size()) / static_cast<double>(items)));
    for (const RankingOptions& options : {RankingOptions{1, 3}, RankingOptions{28 * items, 2}}) {
        const Ranking again = stackae::measure_ranking(rows_of(scores), users, options);
        CHECK(again.users == ranking.users);
        CHECK(again.coverage_20 == ranking.coverage_20);
    }
}

TEST_CASE("A scorer is asked for whole batches of bounded size, each user once") {
    const HeldUsers users = random_users(23, 10);
    std::vector<std::int64_t> counts;
    std::int64_t next = 0;
    const Scorer scorer = [&](const Interactions& known, std::int64_t first, std::int64_t count) {
        CHECK(known == users.known);
        CHECK(first == next);
        next += count;
        counts.push_back(count);
        return Tensor({count, 10});
    };
    CHECK(stackae::measure_ranking(scorer, users, {.batch_memory = 400}).users.size() == 23);
    CHECK(counts == std::vector<std::int64_t>{10, 10, 3});
}

TEST_CASE("Of equal scores the first items are recommended, known ones never") {
    Numbers known(30);
    std::iota(known.begin(), known.end(), 5);
    const HeldUsers users{stackae::test::table({known}, 60), {{4, 49, 50}}};
    const Ranking ranking = stackae::measure_ranking(rows_of(Tensor({1, 60})), users);
    CHECK(ranking.users[0].recall_20 == Approx(2.0 / 3.0));  // ranks 5 and 20 are items 4 and 49
    CHECK(ranking.users[0].recall_50 == 1.0);
    CHECK(ranking.coverage_20 == Approx(20.0 / 60.0));
}

TEST_CASE("A perfect ranking has figures of 1, whether targets are few or more than ranks") {
    for (const std::size_t count : {1U, 20U, 99U, 100U, 180U}) {
        Numbers targets(count);
        std::iota(targets.begin(), targets.end(), 1);
        const HeldUsers users{stackae::test::table({{0}}, 200), {targets}};
        Tensor scores({1, 200});
        std::fill_n(scores.data(), count + 1, 1.0F);
        const Ranking ranking = stackae::measure_ranking(rows_of(scores), users);
        CAPTURE(count);
        CHECK(ranking.users[0].recall_20 == 1.0);
        CHECK(ranking.users[0].recall_50 == 1.0);
        CHECK(ranking.users[0].ndcg_100 == 1.0);
        CHECK(ranking.users[0].ndcg_20 == 1.0);
        CHECK(ranking.users[0].recall_20_all_targets ==
              Approx(std::min(1.0, 20.0 / static_cast<double>(count))));
    }
}

TEST_CASE("Who knows all items but the target finds it, unless it is never recommended") {
    const HeldUsers users{stackae::test::table({{0, 1, 3}, {0, 1, 3}}, 4), {{2}, {2}}};
    const Tensor scores = stackae::test::tensor({2, 4}, {5, 5, -9, 5, 5, 5, -infinity, 5});
    const Ranking ranking = stackae::measure_ranking(rows_of(scores), users);
    CHECK(ranking.users[0] == UserRanking{1.0, 1.0, 1.0, 1.0, 1.0});
    CHECK(ranking.users[1] == UserRanking{});
    CHECK(ranking.coverage_20 == 0.25);
}

TEST_CASE("Without users nothing is measured") {
    const Scorer never = [](const Interactions&, std::int64_t, std::int64_t) -> Tensor { throw 1; };
    for (const std::int64_t items : {0, 5}) {
        const Ranking ranking = stackae::measure_ranking(never, {stackae::test::table({}, items), {}});
        CHECK(ranking.users.empty());
        CHECK(std::isnan(ranking.coverage_20));
        CHECK(std::isnan(ranking.mean(&UserRanking::ndcg_100).mean));
        CHECK(std::isnan(ranking.mean(&UserRanking::ndcg_100).error));
    }
}

TEST_CASE("Scores that are not numbers and tensors of another shape are refused") {
    const HeldUsers users{stackae::test::table({{0}, {1}, {2}}, 3), {{1}, {2}, {0}}};
    const Tensor odd = stackae::test::tensor({3, 3}, {1, 2, 3, 1, NAN, 3, 1, 2, 3});
    try {
        static_cast<void>(stackae::measure_ranking(rows_of(odd), users, {.batch_memory = 1}));
        FAIL("a score that is no number was ranked");
    } catch (const stackae::NotFinite& error) {
        CHECK(error.row() == 1);
    }
    CHECK_THROWS_WITH(stackae::measure_ranking(rows_of(Tensor({3, 4})), users),
                      stackae::test::contains("3 x 4 found, 3 users x 3 items expected"));
}

TEST_CASE("Means have the standard error of a sample") {
    Ranking ranking;
    CHECK(std::isnan(ranking.mean(&UserRanking::recall_20).mean));
    ranking.users = {{.recall_20 = 0.25}};
    CHECK(ranking.mean(&UserRanking::recall_20).mean == 0.25);
    CHECK(std::isnan(ranking.mean(&UserRanking::recall_20).error));
    ranking.users = {{.recall_20 = 0.0}, {.recall_20 = 1.0}, {.recall_20 = 0.5}, {.recall_20 = 0.5}};
    const MeanError mean = ranking.mean(&UserRanking::recall_20);
    CHECK(mean.mean == 0.5);
    CHECK(mean.error == Approx(std::sqrt(0.5 / 3.0 / 4.0)));
    CHECK(ranking.mean(&UserRanking::ndcg_100).mean == 0.0);
}

TEST_CASE("A difference is of the same users: what varies in both does not blur it") {
    const Ranking a{{{.ndcg_100 = 0.1}, {.ndcg_100 = 0.9}, {.ndcg_100 = 0.5}}, 1.0};
    Ranking b{{{.ndcg_100 = 0.0}, {.ndcg_100 = 0.75}, {.ndcg_100 = 0.4}}, 1.0};
    const MeanError difference = stackae::mean_difference(a, b, &UserRanking::ndcg_100);
    CHECK(difference.mean == Approx(0.35 / 3.0));
    CHECK(difference.error == Approx(0.05 / std::sqrt(3.0) / std::sqrt(3.0)));
    b.users.pop_back();
    CHECK_THROWS_WITH(stackae::mean_difference(a, b, &UserRanking::ndcg_100),
                      stackae::test::contains("2 users found, 3 expected"));
}

#include "search/top_k.hpp"

#include <algorithm>
#include <limits>

#include "base/random.hpp"
#include "support/catch.hpp"

using namespace stackae;
using search::Scored;
using search::TopK;

namespace {

constexpr float infinite = std::numeric_limits<float>::infinity();

/// Of few values, so that many are equal.
std::vector<float> scores_of(std::int64_t n, std::uint32_t values) {
    const base::Random random(7, base::RandomStream::plan);
    std::vector<float> scores;
    for (std::int64_t i = 0; i < n; ++i) {
        scores.push_back(static_cast<float>(random.block(static_cast<std::uint32_t>(i))[0] % values));
    }
    return scores;
}

/// In order.
std::vector<Scored<float>> best_of(TopK& best, const std::vector<float>& scores, std::int64_t capacity) {
    best.reset(capacity);
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (scores[i] < best.worst()) {
            best.push(scores[i], static_cast<std::int64_t>(i));
        }
    }
    std::vector<Scored<float>> rows = best.settle();
    std::sort(rows.begin(), rows.end());
    return rows;
}

}  // namespace

TEST_CASE("The best rows are those of a sort, equal scores by their rows") {
    const auto capacity = GENERATE(std::int64_t{1}, std::int64_t{10}, std::int64_t{26}, std::int64_t{100});
    const auto n = GENERATE(std::int64_t{100}, std::int64_t{1000});
    const auto values = GENERATE(std::uint32_t{3}, std::uint32_t{50}, std::uint32_t{1'000'000});
    CAPTURE(capacity, n, values);
    const std::vector<float> scores = scores_of(n, values);
    std::vector<Scored<float>> sorted;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        sorted.push_back({scores[i], static_cast<std::int64_t>(i)});
    }
    std::sort(sorted.begin(), sorted.end());
    TopK best;
    for (int time = 0; time < 2; ++time) {  // it can be used again
        const auto rows = best_of(best, scores, capacity);
        REQUIRE(std::ssize(rows) == capacity);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            REQUIRE(rows[i].row == sorted[i].row);
            REQUIRE(rows[i].score == sorted[i].score);
        }
        CHECK(best.worst() == rows.back().score);
    }
}

TEST_CASE("Fewer rows than asked for are all there, and none was dropped") {
    TopK best;
    const auto rows = best_of(best, {3.0F, 1.0F, infinite, 2.0F}, 4);
    REQUIRE(rows.size() == 3);
    CHECK(rows.front().row == 1);
    CHECK(best.worst() == infinite);
}

TEST_CASE("Rows that may belong to the best by a slack are kept with them") {
    const std::vector<float> scores = scores_of(1000, 1'000'000);
    std::vector<float> sorted = scores;
    std::sort(sorted.begin(), sorted.end());
    const float slack = (sorted[14] + sorted[15]) / 2.0F - sorted[9];
    for (const float bound : {infinite, sorted[9], sorted[200]}) {
        CAPTURE(bound);
        TopK best;
        const auto push_all = [&] {
            for (std::size_t i = 0; i < scores.size(); ++i) {
                if (scores[i] < best.worst()) {
                    best.push(scores[i], static_cast<std::int64_t>(i));
                }
            }
        };
        best.reset(26, 10, slack, bound);
        push_all();
        CHECK(best.keeps_to_bound());
        CHECK(best.settle().size() == 15);
        CHECK(best.worst() == sorted[9] + slack);

        best.reset(12, 10, slack, bound);  // no room for all of them
        push_all();
        CHECK(best.settle().size() == 12);
        CHECK(best.worst() == sorted[11]);
    }
}

TEST_CASE("A bound that too few scores keep to shows") {
    TopK best;
    best.reset(4, 2, 0.5F, 1.0F);
    best.push(1.0F, 0);  // not above the bound
    CHECK_FALSE(best.keeps_to_bound());
    CHECK(best.worst() > 1.5F);
    CHECK(best.worst() < 1.501F);
    best.push(1.25F, 1);  // as many as wanted, but one by the slack alone
    CHECK_FALSE(best.keeps_to_bound());
    best.push(0.5F, 2);
    CHECK(best.keeps_to_bound());
}

TEST_CASE("No rows asked for are none") {
    TopK best;
    CHECK(best_of(best, {3.0F, -infinite}, 0).empty());
    CHECK(best.worst() == -infinite);
}

#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate_ratings.hpp"

#include "support/catch.hpp"
#include "support/interactions.hpp"

namespace {

using stackae::Interactions;
using stackae::Rating;

constexpr float infinity = std::numeric_limits<float>::infinity();

/// Two users rate 5 and 1 whatever it is, a third 3; the last item is rated by the first user alone.
Interactions ratings() {
    Interactions table = stackae::test::table({{0, 1, 2}, {0, 1}, {0, 1}}, 3);
    table.values = {5, 5, 5, 1, 1, 3, 3};
    return table;
}

}  // namespace

TEST_CASE("A tenth of the ratings is held out, and the rest is learnt from") {
    const Interactions table = stackae::test::random_table(40, 30, 12, 5, 5);
    const auto parts = stackae::split_ratings(table, 3);
    CHECK(std::ssize(parts.test) == (table.entry_count() + 5) / 10);
    CHECK(parts.train.entry_count() + std::ssize(parts.test) == table.entry_count());
    CHECK(parts.train.users == table.users);
    CHECK(parts.train.items == table.items);
    check(parts.train);
    std::set<std::pair<std::int64_t, std::int64_t>> held;
    for (const Rating& rating : parts.test) {
        held.insert({rating.user, rating.item});
        const auto items = table.items_of(rating.user);
        const auto found = std::find(items.begin(), items.end(), static_cast<std::int32_t>(rating.item));
        REQUIRE(found != items.end());
        CHECK(table.values_of(rating.user)[static_cast<std::size_t>(found - items.begin())] == rating.value);
        const auto left = parts.train.items_of(rating.user);
        CHECK(std::find(left.begin(), left.end(), *found) == left.end());
    }
    CHECK(held.size() == parts.test.size());
    CHECK(stackae::split_ratings(table, 3).train == parts.train);
    CHECK_FALSE(stackae::split_ratings(table, 4).train == parts.train);
    CHECK_FALSE(stackae::split_ratings(table, 3, 1).train == parts.train);
    CHECK_THROWS_AS(stackae::split_ratings(stackae::test::table({{0}}, 1), 0), stackae::InvalidArgument);
}

TEST_CASE("Ratings are matched by ids, whatever the order") {
    Interactions test;
    test.users = {"u9", "u1"};
    test.items = {"i2", "i0", "new"};
    test.offsets = {0, 1, 4};
    test.columns = {0, 0, 1, 2};
    test.values = {4, 2, 5, 3};
    const auto given = stackae::matched_ratings(ratings(), test);
    const auto& matched = given.ratings;
    REQUIRE(matched.size() == 3);
    CHECK(given.known == 1);  // the second user's of the first item is learnt from
    CHECK((matched[0].user == -1 && matched[0].item == 2 && matched[0].value == 4.0F));
    CHECK((matched[1].user == 1 && matched[1].item == 2 && matched[1].value == 2.0F));
    CHECK((matched[2].user == 1 && matched[2].item == -1));
}

TEST_CASE("The biases of users and items are those of their formula") {
    const std::vector<Rating> asked{{0, 0, 0.0F}, {1, 2, 0.0F}, {-1, 0, 0.0F}, {2, -1, 0.0F}};
    const double mean = 23.0 / 7.0;
    const double item_0 = (9.0 - 3.0 * mean) / 28.0;
    const double item_2 = (5.0 - mean) / 26.0;
    const double user_0 = (15.0 - 3.0 * mean - 2.0 * item_0 - item_2) / 13.0;
    const double user_1 = (2.0 - 2.0 * mean - 2.0 * item_0) / 12.0;
    const double user_2 = (6.0 - 2.0 * mean - 2.0 * item_0) / 12.0;
    const auto predicted = stackae::bias_predictor(ratings())(asked);
    CHECK(predicted[0] == Approx(mean + item_0 + user_0));
    CHECK(predicted[1] == Approx(mean + item_2 + user_1));
    CHECK(predicted[2] == Approx(mean + item_0));
    CHECK(predicted[3] == Approx(mean + user_2));
    CHECK(stackae::mean_predictor(ratings())(asked) == std::vector<float>(4, static_cast<float>(mean)));
}

TEST_CASE("A model stands beside the baselines on the same ratings, and what is no better is said") {
    const Interactions table = stackae::test::random_table(60, 20, 15, 6, 5);
    const stackae::FitPredictor knows = [&](const Interactions& /*train*/) {
        return [&](std::span<const Rating> asked) {
            std::vector<float> values;
            for (const Rating& rating : asked) {
                values.push_back(rating.value);
            }
            return values;
        };
    };
    const auto good = stackae::evaluate_ratings(table, knows, 2, 1);
    CHECK(good.model->rmse.mean == 0.0);
    CHECK(good.remarks().empty());
    CHECK(good.mean.ratings == 2 * std::ssize(stackae::split_ratings(table, 1).test));
    CHECK(good.biases.rmse.mean > 0.0);
    const auto poor = stackae::evaluate_ratings(table, stackae::mean_predictor, 1, 1);
    CHECK(poor.remarks().size() == 1);
    CHECK(poor.model->rmse.mean == poor.mean.rmse.mean);
    const std::string json = stackae::to_json(poor).text();
    CHECK(json.find(R"("biases":{)") != std::string::npos);
    CHECK_FALSE(stackae::evaluate_ratings(table, nullptr, 1, 1).model);
    CHECK_THROWS_AS(stackae::evaluate_ratings(table, stackae::GivenRatings(), nullptr),
                    stackae::InvalidArgument);
}

TEST_CASE("Of a single rating it is not said which is better") {
    const Interactions table = stackae::test::random_table(60, 20, 15, 6, 5);
    const stackae::GivenRatings two{.ratings = {{0, 0, 1.0F}, {1, 1, 5.0F}}};
    const stackae::GivenRatings one{.ratings = {two.ratings.front()}};
    const stackae::FitPredictor poor = [](const Interactions& /*train*/) {
        return [](std::span<const Rating> asked) { return std::vector<float>(asked.size(), 1000.0F); };
    };
    CHECK(stackae::evaluate_ratings(table, two, poor).remarks().size() == 1);
    const auto of_one = stackae::evaluate_ratings(table, one, poor);
    CHECK(of_one.remarks().empty());
    CHECK(std::isnan(of_one.model->rmse.error));
}

TEST_CASE("Errors of ratings are those found by hand") {
    const std::vector<float> predicted{1, 4, 2, 5};
    const std::vector<float> held{2, 4, 4, 4};
    const auto errors = stackae::measure_ratings(predicted, held);
    CHECK(errors.ratings == 4);
    CHECK(errors.rmse.mean == Approx(std::sqrt(1.5)));
    CHECK(errors.mae.mean == Approx(1.0));
    // Squares 1, 0, 4, 1 around 1.5; magnitudes 1, 0, 2, 1 around 1.
    CHECK(errors.rmse.error == Approx(std::sqrt(9.0 / 3.0 / 4.0) / (2.0 * std::sqrt(1.5))));
    CHECK(errors.mae.error == Approx(std::sqrt(2.0 / 3.0 / 4.0)));
    CHECK(stackae::to_json(errors).text().find(R"("rmse_se":)") != std::string::npos);
    CHECK(stackae::measure_ratings(held, held).rmse.error == 0.0);
}

TEST_CASE("Ratings without predictions, and such as are no numbers, are refused; none at all have no error") {
    const std::vector<float> two{1, 2};
    const std::vector<float> odd{1, infinity};
    CHECK_THROWS_AS(stackae::measure_ratings(std::span(two).first(1), two), stackae::InvalidArgument);
    CHECK_THROWS_AS(stackae::measure_ratings(odd, two), stackae::NotFinite);
    const auto none = stackae::measure_ratings({}, {});
    CHECK(none.ratings == 0);
    CHECK(std::isnan(none.rmse.mean));
    CHECK(stackae::to_json(none).text() ==
          R"({"mae":null,"mae_se":null,"ratings":0,"rmse":null,"rmse_se":null})");
}

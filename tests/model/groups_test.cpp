#include "model/groups.hpp"

#include <algorithm>
#include <set>

#include "model/split.hpp"
#include "support/catch.hpp"

namespace stackae {
namespace {

/// Groups of 1 to 7 rows, one after the other, until there are that many rows.
std::vector<std::int64_t> some_groups(std::int64_t rows) {
    std::vector<std::int64_t> groups;
    for (std::int64_t group = 0; std::ssize(groups) < rows; ++group) {
        groups.insert(groups.end(), static_cast<std::size_t>(1 + group * 5 % 7), group);
    }
    groups.resize(static_cast<std::size_t>(rows));
    return groups;
}

std::set<std::int64_t> groups_of(const std::vector<std::int64_t>& rows,
                                 const std::vector<std::int64_t>& groups) {
    std::set<std::int64_t> found;
    for (const std::int64_t row : rows) {
        found.insert(groups[static_cast<std::size_t>(row)]);
    }
    return found;
}

}  // namespace

TEST_CASE("Groups get numbers as they come, and a picture without one its own") {
    GroupNumbers numbers;
    for (const char* const name : {"b", "", "a", "b", "", "a"}) {
        numbers.add(std::string(name).empty() ? std::nullopt : std::optional<std::string>(name));
    }
    CHECK(numbers.take() == std::vector<std::int64_t>{0, 1, 2, 0, 3, 2});
    GroupNumbers none;
    none.add(std::nullopt);
    CHECK(none.take().empty());
}

TEST_CASE("Groups are dealt whole, and every class goes to all parts about equally") {
    const std::vector<std::int64_t> groups = some_groups(1000);
    std::vector<std::int64_t> labels;
    for (const std::int64_t group : groups) {
        labels.push_back(group % 10 == 0 ? 1 : 0);  // a rare class
    }
    std::set<std::vector<std::int64_t>> deals;
    for (const std::uint64_t seed : {0U, 1U, 2U}) {
        const auto parts = deal_groups(labels, groups, 2, base::Random(seed, base::RandomStream::splits));
        CHECK(parts == deal_groups(labels, groups, 2, base::Random(seed, base::RandomStream::splits)));
        deals.insert(parts);
        std::int64_t rare = 0;
        std::int64_t first = 0;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            REQUIRE((i == 0 || groups[i] != groups[i - 1] || parts[i] == parts[i - 1]));
            first += parts[i] == 0 ? 1 : 0;
            rare += labels[i] == 1 ? (parts[i] == 0 ? 1 : -1) : 0;
        }
        CHECK(std::abs(first - 500) < 20);
        CHECK(std::abs(rare) < 10);
    }
    CHECK(deals.size() == 3);
}

TEST_CASE("What training holds out are whole groups, no more pictures than without groups") {
    TrainConfig config;
    config.validation = 0.1;
    const std::vector<std::int64_t> groups = some_groups(1000);
    const Split split = split_pictures(config, 1000, groups);
    CHECK(split.held_out.size() <= 100);
    CHECK(split.held_out.size() > 90);
    CHECK(split.held_out.size() + split.train.size() == 1000);
    CHECK(std::is_sorted(split.train.begin(), split.train.end()));
    const auto held = groups_of(split.held_out, groups);
    for (const std::int64_t group : groups_of(split.train, groups)) {
        REQUIRE_FALSE(held.contains(group));
    }
    CHECK(split_pictures(config, 1000, groups).held_out == split.held_out);
    config.seed = 1;
    CHECK(split_pictures(config, 1000, groups).held_out != split.held_out);
}

TEST_CASE(
    "Where every group is larger than what is to be held out the smallest is, but never more than half") {
    TrainConfig config;
    config.validation = 0.1;
    std::vector<std::int64_t> groups(100, 0);
    std::fill(groups.begin() + 60, groups.end(), 1);
    CHECK(split_pictures(config, 100, groups).held_out.size() == 40);
    std::fill(groups.begin(), groups.end(), 0);
    CHECK(split_pictures(config, 100, groups).held_out.empty());
    config.validation = 0.0;
    groups.back() = 1;
    CHECK(split_pictures(config, 100, groups).held_out.empty());
}

}  // namespace stackae

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate_ranking.hpp"

#include "support/catch.hpp"
#include "support/interactions.hpp"

namespace {

using stackae::HeldUsers;
using stackae::Interactions;
using stackae::RankingSplit;

using Names = std::vector<std::string>;
using Numbers = std::vector<std::int32_t>;

/// The values of a user's items, by the items' ids.
using Basket = std::map<std::string, float>;

Basket basket(const Interactions& table, std::int64_t user) {
    Basket result;
    for (std::size_t i = 0; i < table.items_of(user).size(); ++i) {
        result[table.items[static_cast<std::size_t>(table.items_of(user)[i])]] = table.values_of(user)[i];
    }
    return result;
}

std::map<std::string, Basket> baskets(const Interactions& table) {
    std::map<std::string, Basket> result;
    for (std::int64_t user = 0; user < table.user_count(); ++user) {
        result[table.users[static_cast<std::size_t>(user)]] = basket(table, user);
    }
    return result;
}

/// What a held user's row in the table says, but for items unseen in training and the targets' values.
void check_held(const HeldUsers& held, const RankingSplit& split, const std::map<std::string, Basket>& all) {
    REQUIRE(held.known.items == split.train.items);
    REQUIRE(std::ssize(held.targets) == held.known.user_count());
    const std::set<std::string> seen(split.train.items.begin(), split.train.items.end());
    for (std::int64_t user = 0; user < held.known.user_count(); ++user) {
        const auto& name = held.known.users[static_cast<std::size_t>(user)];
        const auto& targets = held.targets[static_cast<std::size_t>(user)];
        CAPTURE(name);
        Basket expected = all.at(name);
        CHECK(expected.size() >= 5);
        CHECK(!targets.empty());
        CHECK(targets.size() <= std::max<std::size_t>(1, expected.size() / 5));
        CHECK(std::is_sorted(targets.begin(), targets.end()));
        Basket found = basket(held.known, user);
        CHECK(!found.empty());
        for (const std::int32_t target : targets) {
            const auto& id = held.known.items[static_cast<std::size_t>(target)];
            CHECK(found.emplace(id, expected[id]).second);
        }
        std::erase_if(expected, [&](const auto& entry) { return !seen.contains(entry.first); });
        CHECK(found == expected);
    }
}

TEST_CASE("Users whom a table has not are folded in with four fifths of their items, by that table's items") {
    const Interactions table = stackae::test::random_table(200, 40, 25, 71, 3);
    Interactions learnt = stackae::test::random_table(50, 30, 20, 72);  // u0 to u49, i0 to i29
    std::reverse(learnt.items.begin(), learnt.items.end());
    const HeldUsers held = stackae::hold_unseen(learnt, table, 3);
    const auto all = baskets(table);
    CHECK(held.known.items == learnt.items);
    REQUIRE(held.known.user_count() > 50);
    std::int64_t left_out = 0;
    for (std::int64_t user = 50; user < 200; ++user) {
        left_out += table.items_of(user).size() < 5 ? 1 : 0;
    }
    CHECK(held.known.user_count() + held.left_out_users == 150);
    CHECK(held.left_out_users >= left_out);
    for (std::int64_t user = 0; user < held.known.user_count(); ++user) {
        const std::string& name = held.known.users[static_cast<std::size_t>(user)];
        CHECK(std::stoi(name.substr(1)) >= 50);
        Basket expected = all.at(name);
        std::erase_if(expected, [](const auto& entry) { return std::stoi(entry.first.substr(1)) >= 30; });
        for (const std::int32_t target : held.targets[static_cast<std::size_t>(user)]) {
            CHECK(expected.erase(learnt.items[static_cast<std::size_t>(target)]) == 1);
        }
        CHECK(basket(held.known, user) == expected);
        CHECK(std::is_sorted(held.known.items_of(user).begin(), held.known.items_of(user).end()));
    }
    CHECK(stackae::hold_unseen(table, table, 3).known.user_count() == 0);
}

}  // namespace

TEST_CASE(
    "A split holds a tenth of the users with 5 items to test and a tenth to choose, and learns from the "
    "rest") {
    const Interactions table = stackae::test::random_table(300, 60, 25, 41, 3);
    const auto all = baskets(table);
    const auto enough =
        std::count_if(all.begin(), all.end(), [](const auto& user) { return user.second.size() >= 5; });
    const auto tenth = static_cast<std::int64_t>(std::lround(static_cast<double>(enough) / 10.0));
    const RankingSplit split = stackae::split_users(table, 7);
    CHECK(split.train.user_count() == 300 - 2 * tenth);
    CHECK(split.test.known.user_count() + split.test.left_out_users == tenth);
    CHECK(split.validation.known.user_count() + split.validation.left_out_users == tenth);
    CHECK(split.test.left_out_users < tenth / 2);
    check_held(split.test, split, all);
    check_held(split.validation, split, all);
    std::set<std::string> users(split.train.users.begin(), split.train.users.end());
    users.insert(split.test.known.users.begin(), split.test.known.users.end());
    users.insert(split.validation.known.users.begin(), split.validation.known.users.end());
    CHECK(std::ssize(users) == 300 - split.test.left_out_users - split.validation.left_out_users);
    const auto learnt = baskets(split.train);
    std::set<std::string> seen;
    for (const auto& [name, entries] : learnt) {
        CHECK(entries == all.at(name));
        std::transform(entries.begin(), entries.end(), std::inserter(seen, seen.end()),
                       [](const auto& entry) { return entry.first; });
    }
    CHECK(seen == std::set<std::string>(split.train.items.begin(), split.train.items.end()));
}

TEST_CASE("A fifth of a held user's items are targets, rounded down, but one at least") {
    // Everyone has the first n items, and all items are learnt from: nothing is dropped.
    for (const auto& [n, expected] : {std::pair{5, 1}, std::pair{9, 1}, std::pair{10, 2}, std::pair{34, 6}}) {
        Numbers items(static_cast<std::size_t>(n));
        std::iota(items.begin(), items.end(), 0);
        const RankingSplit split = stackae::split_users(stackae::test::table({12, items}, n), 1);
        REQUIRE(split.test.targets.size() == 1);
        CHECK(std::ssize(split.test.targets[0]) == expected);
        CHECK(std::ssize(split.test.known.items_of(0)) == n - expected);
    }
}

TEST_CASE("A split is a function of the seed and its number") {
    const Interactions table = stackae::test::random_table(200, 40, 20, 42);
    const RankingSplit split = stackae::split_users(table, 3, 1);
    const RankingSplit again = stackae::split_users(table, 3, 1);
    CHECK(split.train == again.train);
    CHECK(split.test.known == again.test.known);
    CHECK(split.test.targets == again.test.targets);
    CHECK(split.validation.known == again.validation.known);
    CHECK(stackae::split_users(table, 3, 2).test.known.users != split.test.known.users);
    CHECK(stackae::split_users(table, 4, 1).test.known.users != split.test.known.users);
}

TEST_CASE("Items that nobody learns from are dropped, and who has no others is left out") {
    // All are held: each of the first 2 users has items of its own only; those learnt from have less than 5
    // items.
    std::vector<Numbers> rows{{0, 1, 2, 3, 4}, {5, 6, 7, 8, 9}, {10, 11}, {11}};
    const RankingSplit none = stackae::split_users(stackae::test::table(rows, 12), 0);
    CHECK(none.train.items == Names{"i10", "i11"});
    CHECK(none.train.users == Names{"u2", "u3"});
    CHECK(none.test.known.user_count() + none.validation.known.user_count() == 0);
    CHECK(none.test.left_out_users == 1);
    CHECK(none.validation.left_out_users == 1);
    // Two items of each are learnt from. Where one of them is a target and the other known, the user stays.
    rows[2] = {0, 1, 5, 6};
    bool stayed = false;
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        const RankingSplit split = stackae::split_users(stackae::test::table(rows, 12), seed);
        REQUIRE(split.test.known.user_count() + split.test.left_out_users == 1);
        if (split.test.known.user_count() == 1) {
            stayed = true;
            CHECK(split.test.left_out_entries == 3);
            CHECK(split.test.known.entry_count() == 1);
            CHECK(split.test.targets[0].size() == 1);
        } else {
            CHECK(split.test.left_out_entries == 0);
            CHECK(split.test.known.entry_count() == 0);
        }
    }
    CHECK(stayed);
}

TEST_CASE("Tables too small to hold users out are refused, with what is needed") {
    const Numbers five{0, 1, 2, 3, 4};
    const Numbers four{0, 1, 2, 3};
    CHECK_THROWS_WITH(stackae::split_users({}, 0),
                      stackae::test::contains("0 users found, 0 of them with 5 items"));
    for (const std::vector<Numbers>& rows :
         {std::vector<Numbers>{five}, {five, five}, {five, four, four, four}, {four, four, four}}) {
        CHECK_THROWS_AS(stackae::split_users(stackae::test::table(rows, 5), 0), stackae::InvalidArgument);
    }
    const RankingSplit least = stackae::split_users(stackae::test::table({five, five, five}, 5), 0);
    CHECK(least.train.user_count() == 1);
    CHECK(least.test.known.user_count() == 1);
    CHECK(least.validation.known.user_count() == 1);
}

TEST_CASE("With given parts a user's training row is known and its test row the targets, by their ids") {
    Interactions train = stackae::test::table({{0, 2}, {1}, {0, 1, 2}, {2}, {}}, 4);
    train.values = {1, 2, 3, 4, 5, 6, 7};
    Interactions test;
    test.items = {"i3", "new", "i0", "i1"};
    test.users = {"u2", "u9", "u0", "u1", "u4"};
    test.offsets = {0, 2, 3, 6, 7, 8};
    test.columns = {0, 1, 0, 0, 2, 3, 1, 3};
    test.values.assign(8, 1.0F);
    const HeldUsers held = stackae::held_by_file(train, test);
    CHECK(held.known.users == Names{"u0", "u2"});
    CHECK(held.known.items == train.items);
    CHECK(baskets(held.known) ==
          std::map<std::string, Basket>{{"u0", {{"i0", 1.0F}, {"i2", 2.0F}}},
                                        {"u2", {{"i0", 4.0F}, {"i1", 5.0F}, {"i2", 6.0F}}}});
    // u0: i3 and i1, i0 is known; u2: i3.
    CHECK(held.targets == std::vector<Numbers>{{1, 3}, {3}});
    CHECK(held.left_out_entries == 2);
    CHECK(held.left_out_users == 3);  // u9 is new, u1 has a new item alone, nothing is known of u4
    CHECK(stackae::held_by_file(train, {}).known.user_count() == 0);
    CHECK(stackae::held_by_file({}, test).left_out_users == 5);
}

#include "evaluate/item_selection.hpp"

#include <string>
#include <vector>

#include "evaluate/ranking_split.hpp"
#include "support/catch.hpp"
#include "support/interactions.hpp"

namespace {

using stackae::HeldUsers;
using stackae::Interactions;
namespace evaluation = stackae::evaluation;

using Names = std::vector<std::string>;
using Numbers = std::vector<std::int32_t>;

Numbers row(const Interactions& table, std::int64_t user) {
    const auto items = table.items_of(user);
    return {items.begin(), items.end()};
}

}  // namespace

TEST_CASE("The most frequent items are chosen by the number of users, the first of equal ones") {
    const Interactions table = stackae::test::table({{0, 1, 3}, {1, 3, 4}, {1, 2}, {}}, 6);
    CHECK(item_counts(table) == std::vector<std::int64_t>{1, 3, 1, 2, 1, 0});
    const auto three = evaluation::most_frequent_items(table, 3);
    CHECK(three.items == Names{"i0", "i1", "i3"});
    CHECK(three.number == Numbers{0, 1, -1, 2, -1, -1});
    CHECK(evaluation::most_frequent_items(table, 99).items == table.items);
}

TEST_CASE("A selection keeps users, their order and the values of what is kept") {
    Interactions table = stackae::test::table({{0, 1, 3}, {2}, {1, 3, 4}}, 5);
    table.values = {1, 2, 3, 4, 5, 6, 7};
    const auto selection = evaluation::items_of_users(table, {1, 2});
    CHECK(selection.items == Names{"i1", "i2", "i3", "i4"});
    const Interactions kept = evaluation::keep(table, {0, 2}, selection);
    CHECK(kept.users == Names{"u0", "u2"});
    CHECK(row(kept, 0) == Numbers{0, 2});
    CHECK(row(kept, 1) == Numbers{0, 2, 3});
    CHECK(kept.values == std::vector<float>{2, 3, 5, 6, 7});
    CHECK(evaluation::keep(table, selection).users == table.users);
}

TEST_CASE("Held users without targets or known items among the selected ones are left out") {
    const HeldUsers users{stackae::test::table({{0, 1}, {0}, {2}}, 4), {{2, 3}, {3}, {3}}};
    const auto selection = evaluation::items_of_users(users.known, {0, 2});  // i0, i1 and i2
    const HeldUsers kept = evaluation::keep(users, selection);
    CHECK(kept.known.users == Names{"u0"});
    CHECK(row(kept.known, 0) == Numbers{0, 1});
    CHECK(kept.targets == std::vector<Numbers>{{2}});
    CHECK(kept.left_out_users == 2);
}

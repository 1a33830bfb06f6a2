#include "stackae/choose_table_stack.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/interactions.hpp"

using namespace stackae;

namespace {

/// Everything equal: ranked by the table's order.
Tensor equal_scores(const Interactions& known, std::int64_t count) {
    return Tensor({count, known.item_count()});
}

/// How many of the user's items are of an item's half of the table.
Tensor taste(const Interactions& known, std::int64_t first, std::int64_t count) {
    Tensor scores({count, known.item_count()});
    for (std::int64_t u = 0; u < count; ++u) {
        for (const std::int32_t item : known.items_of(first + u)) {
            const bool upper = item >= known.item_count() / 2;
            for (std::int64_t i = 0; i < known.item_count(); ++i) {
                scores.row(u)[static_cast<std::size_t>(i)] +=
                    upper == (i >= known.item_count() / 2) ? 1.0F : 0.0F;
            }
        }
    }
    return scores;
}

}  // namespace

TEST_CASE(
    "Where no setting recommends better, those of the beginning stay, and each neighbour is tried once") {
    std::vector<std::string> tried;
    const TableStackChoice choice = choose_table_stack(
        test::two_tastes(200), [&](const Interactions& /*table*/, const std::string& stack) {
            tried.push_back(stack);
            return [](const Interactions& known, std::int64_t /*first*/, std::int64_t count) {
                return equal_scores(known, count);
            };
        });
    CHECK(choice.stack == "edlae:l2=50:dropout=0.5:item_power=0.2:user_power=0.2");
    CHECK(choice.tried == 9);
    REQUIRE(tried.size() == 9);
    CHECK(tried.front() == choice.stack);
    CHECK(tried[1] == "edlae:l2=100:dropout=0.5:item_power=0.2:user_power=0.2");
    CHECK(tried[2] == "edlae:l2=20:dropout=0.5:item_power=0.2:user_power=0.2");
}

TEST_CASE("A setting moves as long as users who are held out are recommended better") {
    std::int64_t told = 0;
    ChooseTableOptions options;
    options.on_tried = [&](std::int64_t tried) { told = tried; };
    const TableStackChoice choice = choose_table_stack(
        test::two_tastes(300),
        [](const Interactions& /*table*/, const std::string& stack) -> Scorer {
            if (stack.find("l2=100:") != std::string::npos || stack.find("l2=200:") != std::string::npos) {
                return taste;
            }
            return [](const Interactions& known, std::int64_t /*first*/, std::int64_t count) {
                return equal_scores(known, count);
            };
        },
        options);
    CHECK(choice.stack == "edlae:l2=100:dropout=0.5:item_power=0.2:user_power=0.2");
    CHECK(choice.tried == told);
    CHECK(choice.users > 10);
    CHECK(choice.items == 20);
    CHECK(choice.ndcg_100.mean > 0.2);
}

TEST_CASE("A table of too few users has the usual settings") {
    const TableStackChoice choice = choose_table_stack(
        test::two_tastes(2), [](const Interactions& /*table*/, const std::string& /*stack*/) -> Scorer {
            FAIL("nothing is to be learnt");
            return taste;
        });
    CHECK(choice.stack == "edlae");
    CHECK(choice.tried == 0);
}

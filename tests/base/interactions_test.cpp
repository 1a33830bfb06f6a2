#include "stackae/interactions.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/interactions.hpp"

namespace stackae {
namespace {

using Ids = std::vector<std::string>;

TEST_CASE("Ids are found among others byte for byte") {
    const Ids others{"7", "007", "\xff", "b"};
    CHECK(numbers_among(others, {"007", "\xff", "a", "7", "7"}) == std::vector<std::int32_t>{1, 2, -1, 0, 0});
    CHECK(numbers_among({}, {"a"}) == std::vector<std::int32_t>{-1});
}

TEST_CASE("A table with another table's items has them in its order, and no others") {
    Interactions table = test::table({{0, 1, 2}, {1}, {}}, 3);
    table.values = {1.0F, 2.0F, 3.0F, 4.0F};
    table.value_mode = ValueMode::raw;
    const Interactions same = with_items(table, {"new", "i2", "i0"});
    CHECK(same.users == table.users);
    CHECK(same.items == Ids{"new", "i2", "i0"});
    CHECK(same.offsets == std::vector<std::int64_t>{0, 2, 2, 2});
    CHECK(same.columns == std::vector<std::int32_t>{1, 2});
    CHECK(same.values == std::vector<float>{3.0F, 1.0F});
    CHECK(same.value_mode == ValueMode::raw);
    check(same);
}

TEST_CASE("Rows of a table have a value for each item") {
    Interactions table = test::table({{0, 2}, {1}}, 3);
    table.values = {1.0F, 2.0F, 3.0F};
    const Tensor rows = dense_rows(table, 0, 2);
    CHECK(std::vector<float>(rows.values().begin(), rows.values().end()) ==
          std::vector<float>{1, 0, 2, 0, 3, 0});
    CHECK(dense_rows(table, 1, 1).values()[1] == 3.0F);
    CHECK(item_counts(table) == std::vector<std::int64_t>{1, 1, 1});
}

}  // namespace
}  // namespace stackae

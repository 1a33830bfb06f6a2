#include "cli/text_table.hpp"

#include "support/catch.hpp"

namespace stackae::cli {
namespace {

TEST_CASE("Tables line up, also with names that are not ASCII") {
    TextTable table;
    table.add({"name", "pictures"});
    table.add({"Zoë", "7"});
    table.add({"日本", "1,234"});
    CHECK(table.text() == "  name  pictures\n  Zoë          7\n  日本       1,234\n");
    CHECK(TextTable().text().empty());
}

}  // namespace
}  // namespace stackae::cli

#include "base/rows.hpp"

#include <vector>

#include "support/catch.hpp"

namespace stackae::base {

TEST_CASE("Rows that are spread evenly rise from the first on and are no more than asked for") {
    using Rows = std::vector<std::int64_t>;
    CHECK(spread_rows(10, 4) == Rows{0, 2, 5, 7});
    CHECK(spread_rows(3, 3) == Rows{0, 1, 2});
    CHECK(spread_rows(3, 100) == Rows{0, 1, 2});
    CHECK(spread_rows(5, 1) == Rows{0});
    CHECK(spread_rows(0, 4).empty());
    CHECK(spread_rows(Rows{9, 8, 7, 6, 5}, 2) == Rows{9, 7});
}

}  // namespace stackae::base

#include "base/row_source.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "stackae/tensor.hpp"

#include "support/catch.hpp"

using namespace stackae;

namespace {

/// Row i has its own number in column i % columns, and i + 1 in the one behind it; every fourth is all zeros.
class Some final : public base::RowSource {
public:
    [[nodiscard]] std::int64_t columns() const override { return 7; }
    void gather(std::span<const std::int64_t> indices, float* dst) const override {
        std::fill_n(dst, std::ssize(indices) * columns(), 0.0F);
        for (const std::int64_t row : indices) {
            if (row % 4 != 0) {
                dst[row % 6] = static_cast<float>(row);
                dst[row % 6 + 1] = static_cast<float>(row + 1);
            }
            dst += columns();
        }
    }
};

}  // namespace

TEST_CASE("Rows without their zeros are those that have them, behind what was there") {
    std::vector<std::int64_t> indices(600);
    std::iota(indices.rbegin(), indices.rend(), std::int64_t{0});
    base::SparseRows rows;
    rows.columns = {5};
    rows.values = {0.5F};
    rows.offsets = {0, 1};
    Some().gather_sparse(indices, rows);
    REQUIRE(rows.rows() == 601);
    CHECK(rows.entries() == 1 + 2 * 450);
    CHECK(rows.columns.front() == 5);
    Tensor dense({600, 7});
    Some().gather(indices, dense.data());
    for (std::int64_t i = 0; i < 600; ++i) {
        std::vector<float> row(7);
        for (std::int64_t e = rows.offsets[static_cast<std::size_t>(i + 1)];
             e < rows.offsets[static_cast<std::size_t>(i + 2)]; ++e) {
            row[static_cast<std::size_t>(rows.columns[static_cast<std::size_t>(e)])] =
                rows.values[static_cast<std::size_t>(e)];
        }
        REQUIRE(std::equal(row.begin(), row.end(), dense.row(i).begin()));
    }
}

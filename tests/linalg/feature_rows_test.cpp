#include "linalg/feature_rows.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/tensor.hpp"

using namespace stackae;
using linalg::Bfloat16Rows;
using linalg::FeatureRows;

namespace {

std::vector<float> row_of(const FeatureRows& rows, std::int64_t row) {
    std::vector<float> values(static_cast<std::size_t>(rows.columns()));
    rows.copy(row, 0, rows.columns(), values.data());
    return values;
}

}  // namespace

TEST_CASE("Half the memory keeps what varies, even a little around a large value") {
    Tensor exact({40, 3});
    for (std::int64_t i = 0; i < 40; ++i) {
        const auto x = static_cast<float>(i) - 19.5F;
        const auto row = exact.row(i);
        row[0] = x;
        row[1] = 1000.0F + x / 64.0F;
        row[2] = -1e-6F * x;
    }
    Bfloat16Rows halves(40, 3);
    CHECK(halves.origin().empty());
    halves.center(exact);
    for (std::int64_t i = 0; i < 40; ++i) {
        halves.set(i, exact.row(i));
    }
    CHECK(halves.origin()[1] == 1000.0F);
    for (std::int64_t i = 0; i < 40; ++i) {
        const auto found = row_of(halves, i);
        const double x = std::abs(static_cast<double>(i) - 19.5);
        CHECK(std::abs(double{found[0]} - double{exact.row(i)[0]}) <= x / 256.0);
        CHECK(std::abs(double{found[1]} - double{exact.row(i)[1]}) <= x / 64.0 / 256.0);
        CHECK(std::abs(double{found[2]} - double{exact.row(i)[2]}) <= 1e-6 * x / 256.0 + 1e-12);
    }
}

TEST_CASE("What is not finite stays so in half the memory") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const float infinity = std::numeric_limits<float>::infinity();
    const Tensor rows = test::tensor({1, 4}, {nan, infinity, 1.0F, std::numeric_limits<float>::max()});
    Bfloat16Rows halves(1, 4);
    halves.center(std::vector<float>(4, 0.0F));
    halves.set(0, rows.row(0));
    const auto found = row_of(halves, 0);
    CHECK_FALSE(std::isfinite(found[0]));
    CHECK_FALSE(std::isfinite(found[1]));
    CHECK(found[2] == 1.0F);
    Bfloat16Rows centred(1, 4);
    centred.center(rows);  // a mean that is no number is no origin
    centred.set(0, rows.row(0));
    CHECK_FALSE(std::isfinite(row_of(centred, 0)[0]));
    CHECK(row_of(centred, 0)[2] == 1.0F);
}

TEST_CASE("Rows are gathered, joined and cut off, and a view shows those in its places") {
    const Tensor rows = test::tensor({3, 2}, {1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F});
    Bfloat16Rows halves(3, 2);
    halves.center(std::vector<float>{1.0F, 0.0F});
    for (std::int64_t i = 0; i < 3; ++i) {
        halves.set(i, rows.row(i));
    }
    const std::vector<std::int64_t> places{2, 0, 2};
    Bfloat16Rows joined = halves.gather(places);
    CHECK(joined.rows() == 3);
    CHECK(row_of(joined, 0) == std::vector<float>{5.0F, 6.0F});
    CHECK(row_of(joined, 1) == std::vector<float>{1.0F, 2.0F});
    joined.append(halves);
    CHECK(joined.rows() == 6);
    CHECK(row_of(joined, 4) == std::vector<float>{3.0F, 4.0F});
    joined.shrink(1);
    CHECK(joined.rows() == 1);
    CHECK(FeatureRows(joined).rows() == 1);

    const FeatureRows of_floats({rows}, places);
    const FeatureRows of_halves({halves}, places);
    for (const FeatureRows& view : {of_floats, of_halves}) {
        CHECK(view.rows() == 3);
        CHECK(view.columns() == 2);
        CHECK(row_of(view, 1) == std::vector<float>{1.0F, 2.0F});
        CHECK(row_of(view, 2) == std::vector<float>{5.0F, 6.0F});
        float second = 0.0F;
        view.copy(0, 1, 1, &second);
        CHECK(second == 6.0F);
    }
    CHECK(FeatureRows(Tensor()).empty());
    CHECK(FeatureRows({rows}, std::vector<std::int64_t>()).empty());
}

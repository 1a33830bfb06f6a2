#include "linalg/positive_definite.hpp"

#include <Eigen/Core>
#include <Eigen/LU>
#include <algorithm>

#include "stackae/error.hpp"

#include "support/catch.hpp"
#include "support/reference.hpp"

using namespace stackae;

namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// XᵀX of n rows more than columns, and something on the diagonal.
Tensor positive_definite(std::int64_t n) {
    const Tensor x = reference::uniform({n + 20, n}, -1, 1, static_cast<std::uint32_t>(n));
    const Eigen::Map<const RowMajor> rows(x.data(), n + 20, n);
    Tensor matrix({n, n});
    Eigen::Map<RowMajor> product(matrix.data(), n, n);
    product = rows.transpose() * rows;
    product.diagonal().array() += 0.1F * static_cast<float>(n);
    return matrix;
}

}  // namespace

TEST_CASE("The inverse of a positive definite matrix is Eigen's, of whole blocks and of others") {
    const std::int64_t n = GENERATE(1, 2, 127, 128, 129, 300, 517);
    CAPTURE(n);
    Tensor matrix = positive_definite(n);
    const Eigen::MatrixXd expected = Eigen::Map<const RowMajor>(matrix.data(), n, n).cast<double>().inverse();
    // What is below the diagonal is not looked at.
    for (std::int64_t i = 0; i < n; ++i) {
        std::fill_n(matrix.row(i).data(), i, 1e9F);
    }
    linalg::invert_positive_definite(matrix, 2);
    const Eigen::MatrixXd found = Eigen::Map<const RowMajor>(matrix.data(), n, n).cast<double>();
    CHECK((found - expected).cwiseAbs().maxCoeff() < 1e-5 * expected.cwiseAbs().maxCoeff());
    CHECK((found - found.transpose()).cwiseAbs().maxCoeff() == 0.0);
}

TEST_CASE("The inverse of a positive definite matrix is the same at any number of threads") {
    Tensor one = positive_definite(400);
    Tensor three = one;
    linalg::invert_positive_definite(one, 1);
    linalg::invert_positive_definite(three, 3);
    CHECK(std::equal(one.values().begin(), one.values().end(), three.values().begin()));
}

TEST_CASE("A matrix that is not positive definite, or not square, has no such inverse") {
    Tensor matrix = positive_definite(200);
    matrix.row(150)[150] = -1.0F;
    CHECK_THROWS_AS(linalg::invert_positive_definite(matrix, 1), InvalidArgument);
    Tensor wide({2, 3});
    CHECK_THROWS_AS(linalg::invert_positive_definite(wide, 1), InvalidArgument);
}

#include "linalg/ridge_solver.hpp"

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "stackae/tensor.hpp"

#include "support/catch.hpp"

namespace {

using stackae::Tensor;
using stackae::linalg::SymmetricMatrix;

/// H diag(a) H with H = 1 − 2 v vᵀ / ‖v‖², v of ones: values a from 1e6 down by factors to 1, but for the
/// last.
SymmetricMatrix steep(std::int64_t size) {
    SymmetricMatrix matrix(size, 160, 2);
    const auto n = static_cast<double>(size);
    std::vector<double> a(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) {
        a[static_cast<std::size_t>(i)] = std::pow(1e6, 1.0 - static_cast<double>(i) / (n - 1.0));
    }
    const double all = std::accumulate(a.begin(), a.end(), 0.0);
    for (std::int64_t i = 0; i < size; ++i) {
        for (std::int64_t j = i; j < size; ++j) {
            const double own = i == j ? a[static_cast<std::size_t>(i)] : 0.0;
            const double both = a[static_cast<std::size_t>(i)] + a[static_cast<std::size_t>(j)];
            matrix.row(i)[j] = static_cast<float>(own - 2.0 / n * both + 4.0 / (n * n) * all);
        }
    }
    matrix.mirror();
    return matrix;
}

/// Length of B − (A + λ) U as a share of B's, of the first column.
double left_over(const SymmetricMatrix& matrix, double lambda, const Tensor& b, const Tensor& u) {
    double left = 0.0;
    double all = 0.0;
    for (std::int64_t i = 0; i < b.rows(); ++i) {
        double sum = lambda * double{u.row(i)[0]};
        for (std::int64_t j = 0; j < b.rows(); ++j) {
            sum += double{matrix.row(i)[j]} * double{u.row(j)[0]};
        }
        left += std::pow(double{b.row(i)[0]} - sum, 2.0);
        all += std::pow(double{b.row(i)[0]}, 2.0);
    }
    return std::sqrt(left / all);
}

}  // namespace

TEST_CASE("With leading eigenvectors, conjugate gradients settle on steep values") {
    const SymmetricMatrix matrix = steep(640);
    REQUIRE(matrix.size() == 640);
    Tensor b({640, 2});
    for (std::int64_t i = 0; i < 640; ++i) {
        b.row(i)[0] = static_cast<float>((i * 7919) % 101 - 50);  // the other column stays 0
    }
    constexpr double lambda = 10.0;
    const auto eigen = stackae::linalg::top_eigenvectors(matrix, 300);
    CHECK(eigen.values.front() == Approx(1e6).epsilon(0.01));
    const auto few = stackae::linalg::top_eigenvectors(matrix, 1);
    const Tensor helped = stackae::linalg::solve_ridge(matrix, lambda, b, &eigen, {1e-4, 1e-4});
    const Tensor hardly = stackae::linalg::solve_ridge(matrix, lambda, b, &few, {1e-4, 1e-4});
    CHECK(left_over(matrix, lambda, b, helped) < 1e-3);
    CHECK(left_over(matrix, lambda, b, hardly) > 1e-2);
    CHECK(helped.row(5)[1] == 0.0F);
}

TEST_CASE("Smaller matrices are solved at once, however steep") {
    const SymmetricMatrix matrix = steep(320);
    Tensor b({320, 1});
    b.row(3)[0] = 1.0F;
    const double lambda = GENERATE(1e-2, 1e5);
    CHECK(left_over(matrix, lambda, b, stackae::linalg::solve_ridge(matrix, lambda, b, nullptr, {0.1})) <
          1e-3);
}

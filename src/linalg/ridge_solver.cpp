#include "linalg/ridge_solver.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "stackae/error.hpp"

#include "linalg/gemm.hpp"
#include "linalg/onednn.hpp"

namespace stackae::linalg {
namespace {

constexpr int max_steps = 200;
constexpr int eigenvector_iterations = 3;

using PerColumn = std::vector<double>;

/// The dot products of columns of a and b.
PerColumn dots(const Tensor& a, const Tensor& b) {
    PerColumn sums(static_cast<std::size_t>(a.columns()));
    for (std::int64_t i = 0; i < a.rows(); ++i) {
        const auto x = a.row(i);
        const auto y = b.row(i);
        for (std::size_t k = 0; k < sums.size(); ++k) {
            sums[k] += double{x[k]} * double{y[k]};
        }
    }
    return sums;
}

/// y ← α x + β y, with factors of their own for each column.
void combine(const PerColumn& alpha, const Tensor& x, const PerColumn& beta, Tensor& y) {
    for (std::int64_t i = 0; i < x.rows(); ++i) {
        const auto from = x.row(i);
        const auto to = y.row(i);
        for (std::size_t k = 0; k < alpha.size(); ++k) {
            to[k] = static_cast<float>(alpha[k] * double{from[k]} + beta[k] * double{to[k]});
        }
    }
}

/// Multiplies by M⁻¹, see solve_ridge().
class Preconditioner {
public:
    Preconditioner(const EigenResult& eigen, double lambda, std::int64_t size, std::int64_t columns)
        : eigen_(eigen),
          in_(context_, eigen.vectors.rows(), columns, size),
          out_(context_, size, columns, eigen.vectors.rows(), {.trans_a = true}),
          along_({eigen.vectors.rows(), columns}) {
        const double explained = std::accumulate(eigen.values.begin(), eigen.values.end(), 0.0);
        const double others = std::max(0.0, eigen.trace - explained) /
                              static_cast<double>(std::max<std::int64_t>(size - eigen.vectors.rows(), 1));
        rest_ = static_cast<float>(1.0 / (lambda + others));
        for (const double value : eigen.values) {
            scale_.push_back(static_cast<float>((others - value) / (lambda + value)));
        }
    }

    /// to = M⁻¹ from, both size × columns.
    void apply(const Tensor& from, Tensor& to) {
        in_.run(eigen_.vectors.data(), from.data(), along_.data());
        for (std::int64_t i = 0; i < along_.rows(); ++i) {
            for (float& value : along_.row(i)) {
                value *= scale_[static_cast<std::size_t>(i)];
            }
        }
        out_.run(eigen_.vectors.data(), along_.data(), to.data());
        std::transform(from.data(), from.data() + from.size(), to.data(), to.data(),
                       [rest = rest_](float own, float along) { return rest * (own + along); });
    }

private:
    const EigenResult& eigen_;
    base::ThreadScope scope_{1};  // one thread, so that sums do not depend on how many there are
    Context context_{1};
    Gemm in_;
    Gemm out_;
    Tensor along_;
    std::vector<float> scale_;  // (a₀ − a) / (λ + a)
    float rest_ = 1.0F;         // 1 / (λ + a₀)
};

Tensor solve_directly(const SymmetricMatrix& a, double lambda, const Tensor& b) {
    using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const Eigen::Index n = a.size();
    Eigen::MatrixXd matrix = Eigen::Map<const RowMajor>(a.row(0), n, n).cast<double>();
    matrix.diagonal().array() += lambda;
    const Eigen::Map<const RowMajor> sides(b.data(), n, b.columns());
    const Eigen::LLT<Eigen::MatrixXd> factors(matrix);
    if (factors.info() != Eigen::Success) {
        throw BackendError("linear classifier: c too large for the rows, or values that are not numbers");
    }
    Tensor solution({a.size(), b.columns()});
    Eigen::Map<RowMajor>(solution.data(), n, b.columns()) = factors.solve(sides.cast<double>()).cast<float>();
    return solution;
}

}  // namespace

EigenResult top_eigenvectors(const SymmetricMatrix& matrix, std::int64_t count) {
    const base::ThreadScope scope(1);
    return top_eigenvectors(matrix.size(), count, matrix.trace(), eigenvector_iterations,
                            [&](const Tensor& columns, Tensor& to) { matrix.multiply(columns, to); });
}

Tensor solve_ridge(const SymmetricMatrix& a, double lambda, const Tensor& b, const EigenResult* eigen,
                   const std::vector<double>& tolerances) {
    if (a.size() <= max_direct) {
        return solve_directly(a, lambda, b);
    }
    Tensor solution({b.rows(), b.columns()});
    solve_ridge([&](const Tensor& columns, Tensor& to) { a.multiply(columns, to); }, lambda, b, *eigen,
                tolerances, solution);
    return solution;
}

void solve_ridge(const MatrixProduct& multiply, double lambda, const Tensor& b, const EigenResult& eigen,
                 const std::vector<double>& tolerances, Tensor& solution) {
    const std::int64_t columns = b.columns();
    Preconditioner preconditioner(eigen, lambda, b.rows(), columns);
    Tensor residual = b;  // R = B − (A + λ) U
    Tensor preconditioned({b.rows(), columns});
    Tensor product({b.rows(), columns});
    preconditioner.apply(residual, preconditioned);
    PerColumn targets = dots(residual, preconditioned);
    std::transform(targets.begin(), targets.end(), tolerances.begin(), targets.begin(),
                   [](double initial, double tolerance) { return tolerance * tolerance * initial; });
    const PerColumn ones(targets.size(), 1.0);
    const PerColumn shift(targets.size(), lambda);
    if (std::any_of(solution.data(), solution.data() + solution.size(), [](float x) { return x != 0.0F; })) {
        multiply(solution, product);
        combine(shift, solution, ones, product);
        combine(PerColumn(targets.size(), -1.0), product, ones, residual);
        preconditioner.apply(residual, preconditioned);
    }
    Tensor direction = preconditioned;
    PerColumn squared_norms = dots(residual, preconditioned);  // rᵀ M⁻¹ r
    const auto done = [&] {
        return std::equal(squared_norms.begin(), squared_norms.end(), targets.begin(), std::less_equal<>{});
    };
    for (int step = 0; step < max_steps && !done(); ++step) {
        multiply(direction, product);
        combine(shift, direction, ones, product);
        const PerColumn curvature = dots(direction, product);
        PerColumn alpha(squared_norms.size());
        PerColumn minus_alpha(squared_norms.size());
        for (std::size_t k = 0; k < squared_norms.size(); ++k) {
            // A column that has converged stays as it is.
            alpha[k] =
                squared_norms[k] <= targets[k] || curvature[k] <= 0.0 ? 0.0 : squared_norms[k] / curvature[k];
            minus_alpha[k] = -alpha[k];
        }
        combine(alpha, direction, ones, solution);
        combine(minus_alpha, product, ones, residual);
        preconditioner.apply(residual, preconditioned);
        const PerColumn next_norms = dots(residual, preconditioned);
        PerColumn beta(squared_norms.size());
        for (std::size_t k = 0; k < squared_norms.size(); ++k) {
            beta[k] = alpha[k] == 0.0 ? 0.0 : next_norms[k] / squared_norms[k];
        }
        squared_norms = next_norms;
        combine(ones, preconditioned, beta, direction);
    }
}

}  // namespace stackae::linalg

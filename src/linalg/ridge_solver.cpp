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

using Columns = std::vector<double>;  // a number for each

/// Σ a b of each column.
Columns dots(const Tensor& a, const Tensor& b) {
    Columns sums(static_cast<std::size_t>(a.columns()));
    for (std::int64_t i = 0; i < a.rows(); ++i) {
        const auto x = a.row(i);
        const auto y = b.row(i);
        for (std::size_t k = 0; k < sums.size(); ++k) {
            sums[k] += double{x[k]} * double{y[k]};
        }
    }
    return sums;
}

/// y ← scale x + turn y, by columns.
void combine(const Columns& scale, const Tensor& x, const Columns& turn, Tensor& y) {
    for (std::int64_t i = 0; i < x.rows(); ++i) {
        const auto from = x.row(i);
        const auto to = y.row(i);
        for (std::size_t k = 0; k < scale.size(); ++k) {
            to[k] = static_cast<float>(scale[k] * double{from[k]} + turn[k] * double{to[k]});
        }
    }
}

/// M⁻¹ of the header.
class Preconditioner {
public:
    Preconditioner(const PcaResult& eigen, double lambda, std::int64_t size, std::int64_t columns)
        : eigen_(eigen),
          in_(context_, eigen.components.rows(), columns, size),
          out_(context_, size, columns, eigen.components.rows(), {.trans_a = true}),
          along_({eigen.components.rows(), columns}) {
        const double explained = std::accumulate(eigen.variances.begin(), eigen.variances.end(), 0.0);
        const double others = std::max(0.0, eigen.total_variance - explained) /
                              static_cast<double>(std::max<std::int64_t>(size - eigen.components.rows(), 1));
        rest_ = static_cast<float>(1.0 / (lambda + others));
        for (const double value : eigen.variances) {
            scale_.push_back(static_cast<float>((others - value) / (lambda + value)));
        }
    }

    /// to = M⁻¹ from, both size × columns.
    void apply(const Tensor& from, Tensor& to) {
        in_.run(eigen_.components.data(), from.data(), along_.data());
        for (std::int64_t i = 0; i < along_.rows(); ++i) {
            for (float& value : along_.row(i)) {
                value *= scale_[static_cast<std::size_t>(i)];
            }
        }
        out_.run(eigen_.components.data(), along_.data(), to.data());
        std::transform(from.data(), from.data() + from.size(), to.data(), to.data(),
                       [rest = rest_](float own, float along) { return rest * (own + along); });
    }

private:
    const PcaResult& eigen_;
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

PcaResult top_eigenvectors(const SymmetricMatrix& matrix, std::int64_t count) {
    const base::ThreadScope scope(1);
    Context context(1);
    return top_eigenvectors(context, matrix.size(), count, matrix.trace(), eigenvector_iterations,
                            [&](const Tensor& columns, Tensor& to) { matrix.multiply(columns, to); });
}

Tensor solve_ridge(const SymmetricMatrix& a, double lambda, const Tensor& b, const PcaResult* eigen,
                   const std::vector<double>& tolerances) {
    if (a.size() <= max_direct) {
        return solve_directly(a, lambda, b);
    }
    const std::int64_t columns = b.columns();
    Preconditioner preconditioner(*eigen, lambda, a.size(), columns);
    Tensor solution({a.size(), columns});
    Tensor rest = b;  // B − (A + λ) U
    Tensor conditioned({a.size(), columns});
    Tensor product({a.size(), columns});
    preconditioner.apply(rest, conditioned);
    Tensor direction = conditioned;
    Columns squares = dots(rest, conditioned);
    Columns enough(squares.size());
    std::transform(squares.begin(), squares.end(), tolerances.begin(), enough.begin(),
                   [](double square, double tolerance) { return tolerance * tolerance * square; });
    const Columns ones(squares.size(), 1.0);
    const Columns shift(squares.size(), lambda);
    const auto done = [&] {
        return std::equal(squares.begin(), squares.end(), enough.begin(), std::less_equal<>{});
    };
    for (int step = 0; step < max_steps && !done(); ++step) {
        a.multiply(direction, product);
        combine(shift, direction, ones, product);
        const Columns curvature = dots(direction, product);
        Columns length(squares.size());
        Columns back(squares.size());
        for (std::size_t k = 0; k < squares.size(); ++k) {
            // A column that is done stands still.
            length[k] = squares[k] <= enough[k] || curvature[k] <= 0.0 ? 0.0 : squares[k] / curvature[k];
            back[k] = -length[k];
        }
        combine(length, direction, ones, solution);
        combine(back, product, ones, rest);
        preconditioner.apply(rest, conditioned);
        const Columns now = dots(rest, conditioned);
        Columns turn(squares.size());
        for (std::size_t k = 0; k < squares.size(); ++k) {
            turn[k] = length[k] == 0.0 ? 0.0 : now[k] / squares[k];
        }
        squares = now;
        combine(ones, conditioned, turn, direction);
    }
    return solution;
}

}  // namespace stackae::linalg

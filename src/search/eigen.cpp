#include "search/eigen.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>

#include "stackae/error.hpp"

#include "core/random.hpp"

namespace stackae::search {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

constexpr int most_iterations = 200;
constexpr double tolerance = 1e-8;

/// All eigenpairs, cut to the c largest, in falling order (Eigen's is rising).
Eigenpairs solve_whole(const MatrixXd& matrix, Index c) {
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(matrix);
    if (solver.info() != Eigen::Success) {
        throw BackendError("principal components: the eigenvalue solver did not converge");
    }
    return {solver.eigenvalues().tail(c).reverse().cwiseMax(0.0),
            solver.eigenvectors().rightCols(c).rowwise().reverse()};
}

MatrixXd orthonormal(const MatrixXd& matrix) {
    const Eigen::HouseholderQR<MatrixXd> decomposition(matrix);
    return decomposition.householderQ() * MatrixXd::Identity(matrix.rows(), matrix.cols());
}

MatrixXd random_start(Index rows, Index columns) {
    const core::Random random(0, core::Stream::weights);
    MatrixXd start(rows, columns);
    for (Index i = 0; i < start.size(); i += 2) {
        const auto bits = random.block(static_cast<std::uint32_t>(i / 2));
        const auto normal = core::Random::normal(bits[0], bits[1]);
        start.data()[i] = double{normal[0]};
        if (i + 1 < start.size()) {
            start.data()[i + 1] = double{normal[1]};
        }
    }
    return start;
}

Eigenpairs iterate(const MatrixXd& matrix, Index c, Index width) {
    MatrixXd basis = orthonormal(random_start(matrix.rows(), width));
    const double trace = matrix.trace();
    double before = -1.0;
    for (int iteration = 0;; ++iteration) {
        const MatrixXd image = matrix * basis;
        const MatrixXd projected = basis.transpose() * image;  // width × width (Rayleigh–Ritz)
        const Eigenpairs ritz = solve_whole(0.5 * (projected + projected.transpose()), width);
        const double captured = ritz.values.head(c).sum();
        if (captured - before <= tolerance * trace || iteration == most_iterations) {
            return {ritz.values.head(c), basis * ritz.vectors.leftCols(c)};
        }
        before = captured;
        basis = orthonormal(image);
    }
}

}  // namespace

Eigenpairs leading_eigenpairs(const MatrixXd& matrix, std::int64_t c) {
    // More columns than asked for speed the iteration up: it converges with λ(width + 1) / λ(c).
    const Index width = c + std::max<Index>(16, c / 2);
    if (matrix.rows() <= full_solver_size || width > matrix.rows() / 3) {
        return solve_whole(matrix, c);
    }
    return iterate(matrix, c, width);
}

}  // namespace stackae::search

#pragma once

#include <Eigen/Core>
#include <cstdint>

namespace stackae::search {

/// Eigenvectors as columns, largest eigenvalue first.
struct Eigenpairs {
    Eigen::VectorXd values;   ///< c, never below 0
    Eigen::MatrixXd vectors;  ///< size × c, orthonormal columns
};

/// The c leading eigenpairs of a symmetric positive semi-definite matrix. Up to full_solver_size, or
/// where c is a large part of it, by tridiagonalisation; else by subspace iteration (Halko, Martinsson &
/// Tropp 2011, algorithm 4.4, on the matrix itself) until the sum of the eigenvalues stands to 10⁻⁸ of the
/// trace.
[[nodiscard]] Eigenpairs leading_eigenpairs(const Eigen::MatrixXd& matrix, std::int64_t c);

inline constexpr std::int64_t full_solver_size = 1024;

}  // namespace stackae::search

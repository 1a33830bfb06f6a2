#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "stackae/tensor.hpp"

#include "base/communicator.hpp"

namespace stackae::linalg {

/// The principal components of rows: the directions in which they vary most.
struct PcaResult {
    Tensor mean;                    ///< d
    Tensor components;              ///< c × d, orthonormal rows, largest variance first
    std::vector<double> variances;  ///< size c: of the rows along each component
    double total_variance = 0.0;    ///< along all directions
};

/// Principal component analysis of n rows of d floats: at most `n_components` components, fewer where the
/// rows vary in fewer directions. Up to 512 columns, the covariance is tridiagonalised in double precision.
/// Above, subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4) runs in single precision, on the
/// covariance or, where that would be large, on the rows. scale: what each column is multiplied by first;
/// empty: nothing. Several members, each with all rows, share them out and end with the same components.
[[nodiscard]] PcaResult pca(const float* rows, std::int64_t n, std::int64_t d, std::int64_t n_components,
                            std::span<const double> scale = {},
                            base::Communicator& communicator = base::alone());

/// P, c × d: the components, each divided by sqrt(λ + epsilon · λ̄), λ the variance along it and λ̄ the mean
/// variance of a column.
[[nodiscard]] Tensor whitening(const PcaResult& pca, double epsilon);

/// Floats that pca() holds beside the rows.
[[nodiscard]] double pca_floats(std::int64_t n, std::int64_t d, std::int64_t n_components);

/// What pca() does, in multiply-adds of matrix products: what is slower counts as many as take its time.
[[nodiscard]] double pca_multiply_adds(std::int64_t n, std::int64_t d, std::int64_t n_components);

/// Leading eigenvectors of a symmetric matrix A, d × d.
struct EigenResult {
    Tensor vectors;              ///< c × d, orthonormal rows, largest eigenvalue first
    std::vector<double> values;  ///< size c
    double trace = 0.0;          ///< the sum of all d eigenvalues
};

/// At most `count` eigenvectors of the largest eigenvalues, computed as pca() does with a covariance; fewer
/// where the other eigenvalues are next to 0.
[[nodiscard]] EigenResult top_eigenvectors(const Tensor& matrix, std::int64_t count);
/// The same for a matrix that is known by its trace and its products: multiply(x, y) sets y = A x, both d ×
/// w. With few iterations the result is a rough one.
[[nodiscard]] EigenResult top_eigenvectors(std::int64_t d, std::int64_t count, double trace, int iterations,
                                           const std::function<void(const Tensor& x, Tensor& y)>& multiply);

}  // namespace stackae::linalg

#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "stackae/tensor.hpp"

#include "linalg/onednn.hpp"

namespace stackae::linalg {

/// The directions in which rows vary most.
struct PcaResult {
    Tensor mean;                    ///< d
    Tensor components;              ///< c × d, orthonormal rows, largest variance first
    std::vector<double> variances;  ///< size c: of the rows along each axis
    double total_variance = 0.0;    ///< along all directions
};

/// At most `count` axes of n rows of d floats; fewer where the rows vary in fewer directions. Up to 512
/// columns by tridiagonalisation of the covariance in double precision; above by subspace iteration in single
/// precision (Halko, Martinsson & Tropp 2011, algorithm 4.4) on the covariance or, where that would be large,
/// on the rows.
[[nodiscard]] PcaResult pca(Context& context, const float* rows, std::int64_t n, std::int64_t d,
                            std::int64_t count);

/// Floats that pca() holds beside the rows.
[[nodiscard]] double pca_floats(std::int64_t n, std::int64_t d, std::int64_t count);

/// At most `count` leading eigenvectors of a symmetric matrix, d × d, as if it were a covariance; mean stays
/// empty.
[[nodiscard]] PcaResult top_eigenvectors(Context& context, const Tensor& matrix, std::int64_t count);
/// The same of a matrix by its products, image(columns d × w, to d × w), and its trace; the fewer iterations,
/// the rougher.
[[nodiscard]] PcaResult top_eigenvectors(Context& context, std::int64_t d, std::int64_t count, double trace,
                                         int iterations,
                                         const std::function<void(const Tensor&, Tensor&)>& image);

}  // namespace stackae::linalg

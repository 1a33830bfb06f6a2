#pragma once

#include <cstdint>

#include "stackae/tensor.hpp"

namespace stackae::linalg {

/// Inverts a symmetric positive definite matrix in place, a block of pivots at a time, by the symmetric sweep
/// operator (Goodnight 1979) on the upper triangle. For pivots K and all others i, j:
///
///     A_ij ← A_ij − A_iK A_KK⁻¹ A_Kj,   A_iK ← A_iK A_KK⁻¹,   A_KK ← −A_KK⁻¹,
///
/// and once all are swept A is −A⁻¹ of what it was. n³/2 multiply-adds, in single precision but for the
/// blocks of pivots; two panels of n × a block are held beside the matrix. Tiles are one thread's work each,
/// so that the result is the same at any number of threads.
class PositiveDefiniteInverse {
public:
    /// matrix: n × n, of which the upper triangle is looked at; has to outlive this. Throws InvalidArgument
    /// where it is not square.
    PositiveDefiniteInverse(Tensor& matrix, int threads);

    /// Sweeps one more block of pivots; the last step makes the matrix whole. False: it is done. Throws
    /// InvalidArgument where a block is not positive definite; the matrix is of no use then.
    bool step();
    [[nodiscard]] std::int64_t done() const { return done_; }  ///< rows of pivots
    [[nodiscard]] std::int64_t of() const { return matrix_.rows(); }

    /// For a matrix of n × n: floats held beside it, and multiply-adds.
    [[nodiscard]] static double working_floats(std::int64_t n);
    [[nodiscard]] static double multiply_adds(std::int64_t n);

private:
    void sweep(std::int64_t first, std::int64_t count);

    Tensor& matrix_;
    int threads_;
    std::int64_t done_ = 0;
    Tensor panel_;   ///< A_:K before
    Tensor solved_;  ///< A_:K A_KK⁻¹
};

/// All of its steps.
void invert_positive_definite(Tensor& matrix, int threads);

}  // namespace stackae::linalg

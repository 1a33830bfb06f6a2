#pragma once

#include <cstdint>

#include "stackae/tensor.hpp"

/// Products whose sums are not shared out: the same to the last bit at any number of threads.
namespace stackae::linalg {

/// The matrix product C = A · B of floats: A m × k, B k × n, C m × n, row-major. C is cut into tiles, whose
/// size depends on m and n alone; as many threads as OpenMP is set to take one tile after another, each
/// with all of its k terms. (oneDNN's own threads share out the terms of long sums, too, and how these are
/// rounded then depends on how many threads there are.)
struct TiledProduct {
    std::int64_t m = 0;
    std::int64_t n = 0;
    std::int64_t k = 0;
    bool trans_a = false;  ///< A is stored transposed, k × m
    bool trans_b = false;  ///< B is stored transposed, n × k

    /// Overwrites c, which must not overlap the others. bias: n values that are added to each row, or null.
    void run(const float* a, const float* b, float* c, const float* bias = nullptr) const;
    /// Adds to what is in c.
    void add(const float* a, const float* b, float* c) const;
};

/// Adds Xᵀ X of n rows of d values to the upper triangle of sum, d × d, in tiles likewise. Below the diagonal
/// it leaves what is of no use until mirror_upper().
void add_gram(const float* rows, std::int64_t n, std::int64_t d, float* sum);

/// On so many threads, copies a square matrix's upper triangle to the lower one.
void mirror_upper(Tensor& matrix, int threads);

}  // namespace stackae::linalg

#pragma once

#include <cstdint>
#include <dnnl.hpp>
#include <unordered_map>

#include "linalg/onednn.hpp"

namespace stackae::linalg {

/// Which of the two row-major factors is transposed.
enum class ProductForm {
    plain,         ///< C = A · B,   A m × k, B k × n
    transposed_b,  ///< C = A · Bᵀ,  A m × k, B n × k: all dot products of two sets of rows
    transposed_a,  ///< C = Aᵀ · B,  A k × m, B k × n: sums of outer products over k rows
};

/// A matrix product of fixed shape, C m × n: one oneDNN matmul, made once. run() allocates nothing.
/// The context must outlive it; one per thread.
class MatrixProduct {
public:
    /// Throws InvalidArgument when an extent is below 1.
    MatrixProduct(Context& context, ProductForm form, std::int64_t m, std::int64_t n, std::int64_t k);
    MatrixProduct(const MatrixProduct&) = delete;
    MatrixProduct& operator=(const MatrixProduct&) = delete;
    MatrixProduct(MatrixProduct&&) noexcept = default;
    MatrixProduct& operator=(MatrixProduct&&) noexcept = default;
    ~MatrixProduct() = default;

    /// Overwrites c; returns when it is whole. c must not overlap a or b.
    void run(const float* a, const float* b, float* c);

private:
    Context* context_;
    dnnl::memory a_;
    dnnl::memory b_;
    dnnl::memory c_;
    dnnl::matmul primitive_;
    std::unordered_map<int, dnnl::memory> arguments_;
};

}  // namespace stackae::linalg

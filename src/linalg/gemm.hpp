#pragma once

#include <cstdint>
#include <dnnl.hpp>
#include <optional>
#include <unordered_map>

#include "linalg/bfloat16.hpp"
#include "linalg/onednn.hpp"

namespace stackae::linalg {

/// What is multiplied, and what is done to each value of the product.
struct GemmOptions {
    bool trans_a = false;     ///< A is stored transposed, k × m
    bool trans_b = false;     ///< B is stored transposed, n × k
    bool packed_b = false;    ///< B is packed, by pack(), in the layout that suits oneDNN best
    bool bf16 = false;        ///< A and B are bfloat16; sums and C stay float
    bool bias = false;        ///< a row of n values is added to each row of C
    bool relu = false;        ///< C = max(0, …)
    bool accumulate = false;  ///< C = C + A · B, before what else is done
};

/// How a packed B lies in memory.
using PackedLayout = dnnl::memory::desc;

/// The matrix product C = A · B of BLAS's name, of fixed extents: A m × k, B k × n, C m × n, row-major. One
/// oneDNN matmul, made once; run() allocates nothing. The context must outlive it; one per thread. Throws
/// InvalidArgument when an extent is below 1, else BackendError.
class Gemm {
public:
    /// layout: of a B that another Gemm of the same n and k has packed; empty: the one that suits best.
    Gemm(Context& context, std::int64_t m, std::int64_t n, std::int64_t k, const GemmOptions& options = {},
         const PackedLayout& layout = {});
    /// C = A · Bᵀ (+ bias), for weights B that stay, n × k floats: they are packed into memory of its own.
    /// bias: n values, of which a copy is kept, or null. Both may go afterwards. With GemmOptions::bf16, A
    /// and B are given as floats all the same and rounded here; a processor that doesn't multiply bfloat16
    /// multiplies the rounded floats. How they lie is not looked for in options.
    Gemm(Context& context, std::int64_t m, std::int64_t n, std::int64_t k, const float* weights,
         const float* bias, GemmOptions options = {});
    Gemm(const Gemm&) = delete;
    Gemm& operator=(const Gemm&) = delete;
    Gemm(Gemm&&) noexcept = default;
    Gemm& operator=(Gemm&&) noexcept = default;
    ~Gemm() = default;

    /// Of B once it is packed.
    [[nodiscard]] PackedLayout layout() const { return b_.get_desc(); }
    /// Packs b into memory of layout().get_size() bytes.
    void pack(const void* b, void* packed);

    /// Overwrites c, which must not overlap the others; returns when it is whole. a and b: floats, or
    /// bfloat16 with GemmOptions::bf16; b is what pack() made with GemmOptions::packed_b. bias: n values with
    /// GemmOptions::bias.
    void run(const void* a, const void* b, float* c, const float* bias = nullptr);
    /// The same with the weights that were given at first.
    void run(const float* a, float* c);

private:
    void pack();
    void execute();
    template <class Body>
    void guarded(const Body& body) const;

    Context* context_;
    std::int64_t m_, n_, k_;
    dnnl::memory a_, b_, bias_, c_;
    dnnl::memory plain_b_;                    ///< before it is packed
    std::optional<RoundedFactor> rounded_a_;  ///< of floats that are given to weights in bfloat16
    dnnl::matmul matmul_;
    dnnl::reorder packing_;
    std::unordered_map<int, dnnl::memory> arguments_;
};

/// A Gemm with a context of one thread's own, for the workers of base::parallel_for().
struct OwnGemm {
    OwnGemm(std::int64_t m, std::int64_t n, std::int64_t k, const GemmOptions& options = {})
        : product(context, m, n, k, options) {}
    OwnGemm(const OwnGemm&) = delete;
    OwnGemm& operator=(const OwnGemm&) = delete;

    Context context{1};
    Gemm product;
};

}  // namespace stackae::linalg

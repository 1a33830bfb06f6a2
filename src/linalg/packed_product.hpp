#pragma once

#include <cstdint>
#include <dnnl.hpp>
#include <unordered_map>

#include "linalg/onednn.hpp"

namespace stackae::linalg {

/// C = A · Bᵀ with a B that stays: A m × k, B n × k, C m × n, row-major. B is brought once to the layout that
/// oneDNN likes best. The context must outlive it; one per thread.
class PackedProduct {
public:
    /// b may go afterwards. bias: n, added to each row of C, or null. relu: C = max(0, …).
    PackedProduct(Context& context, std::int64_t m, std::int64_t n, std::int64_t k, const float* b,
                  const float* bias, bool relu);

    /// Overwrites c, which must not overlap a. Allocates nothing.
    void run(const float* a, float* c);

private:
    Context* context_;
    dnnl::memory a_;
    dnnl::memory c_;
    dnnl::matmul primitive_;
    std::unordered_map<int, dnnl::memory> arguments_;
};

}  // namespace stackae::linalg

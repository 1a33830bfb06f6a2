#pragma once

#include <cstdint>
#include <dnnl.hpp>
#include <unordered_map>
#include <vector>

#include "linalg/onednn.hpp"

namespace stackae::bench {

/// Rows · weights, of one layer.
struct ProductShape {
    std::int64_t n;
    std::int64_t ic;
    std::int64_t oc;

    /// Of one product of the layer.
    [[nodiscard]] double flops() const {
        return 2.0 * static_cast<double>(n) * static_cast<double>(ic) * static_cast<double>(oc);
    }
};

/// The limit: the matrix products of some layers by oneDNN and nothing else, in the layouts it likes best,
/// one after the other.
class Products {
public:
    /// training: the products of a backward pass too, but for the gradient by the first layer's input.
    Products(linalg::Context& context, const std::vector<ProductShape>& layers, bool training);

    void run();
    [[nodiscard]] double flops() const { return flops_; }

private:
    struct Call {
        dnnl::primitive primitive;
        std::unordered_map<int, dnnl::memory> arguments;
    };

    void add(const dnnl::primitive& primitive,
             const std::vector<std::pair<int, dnnl::memory::desc>>& arguments);

    linalg::Context& context_;
    std::vector<Call> calls_;
    double flops_ = 0.0;
};

}  // namespace stackae::bench

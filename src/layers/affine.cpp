#include "layers/affine.hpp"

#include <utility>

#include "nn/dense.hpp"

namespace stackae::layers {
namespace {

class AffineOp : public Op {
public:
    AffineOp(linalg::Context& context, const nn::DenseShape& shape, const Tensor& weights, const Tensor& bias)
        : weights_(weights), bias_(bias), dense_(context, shape) {}

    void run(const float* src, float* dst) override {
        dense_.forward(src, weights_.data(), bias_.data(), dst);
    }

private:
    const Tensor& weights_;
    const Tensor& bias_;
    nn::Dense dense_;
};

}  // namespace

std::unique_ptr<Op> make_affine(const OpContext& context, Activation activation, const Tensor& weights,
                                const Tensor& bias, bool transposed) {
    std::int64_t ic = weights.columns();
    std::int64_t oc = weights.rows();
    if (transposed) {
        std::swap(ic, oc);
    }
    return std::make_unique<AffineOp>(
        context.context, nn::DenseShape{context.rows, ic, oc, activation, transposed, false}, weights, bias);
}

}  // namespace stackae::layers

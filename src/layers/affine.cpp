#include "layers/affine.hpp"

#include "nn/dense.hpp"

namespace stackae::layers {
namespace {

class AffineOp : public Op {
public:
    AffineOp(const OpContext& context, const Affine& affine)
        : affine_(affine),
          dense_(context.context,
                 {context.rows, affine.ic, affine.oc, affine.activation, affine.transposed, false}) {}

    void run(const float* src, float* dst) override {
        dense_.forward(src, affine_.weights, affine_.bias, dst);
    }

private:
    Affine affine_;
    nn::Dense dense_;
};

}  // namespace

std::unique_ptr<Op> make_affine(const OpContext& context, const Affine& affine) {
    return std::make_unique<AffineOp>(context, affine);
}

}  // namespace stackae::layers

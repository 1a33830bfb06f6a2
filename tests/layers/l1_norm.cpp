#include "layers/l1_norm.hpp"

#include <cmath>

#include "base/fields.hpp"
#include "layers/op.hpp"

namespace stackae::layers {
namespace {

class L1NormOp : public Op {
public:
    L1NormOp(std::int64_t positions, std::int64_t channels, double epsilon)
        : positions_(positions), channels_(channels), epsilon_(epsilon) {}

    void run(const float* src, float* dst) override {
        for (std::int64_t i = 0; i < positions_; ++i, src += channels_, dst += channels_) {
            double sum = epsilon_;
            for (std::int64_t c = 0; c < channels_; ++c) {
                sum += std::abs(double{src[c]});
            }
            for (std::int64_t c = 0; c < channels_; ++c) {
                dst[c] = static_cast<float>(double{src[c]} / sum);
            }
        }
    }

private:
    std::int64_t positions_;
    std::int64_t channels_;
    double epsilon_;
};

}  // namespace

void L1Norm::fields(base::FieldTable& table) {
    table.add("epsilon", epsilon, {0.0, 1.0, true}, "keeps an empty position from being divided by 0");
}

std::unique_ptr<Op> L1Norm::encoder(const OpContext& context) const {
    const Shape& shape = input_shape();
    return std::make_unique<L1NormOp>(context.rows * shape.height * shape.width, shape.channels, epsilon);
}

}  // namespace stackae::layers

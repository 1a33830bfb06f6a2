#include "layers/power_norm.hpp"

#include "base/fields.hpp"
#include "layers/op.hpp"
#include "nn/row_kernels.hpp"

namespace stackae::layers {
namespace {

class RaisingOp : public Op {
public:
    RaisingOp(std::int64_t size, double power) : size_(size), power_(static_cast<float>(power)) {}
    void run(const float* src, float* dst) override { nn::signed_power(src, size_, power_, dst); }

private:
    std::int64_t size_;
    float power_;
};

class RaisingPositions : public PositionOp {
public:
    RaisingPositions(std::int64_t channels, double power)
        : channels_(channels), power_(static_cast<float>(power)) {}
    void run(float* values, std::int64_t count) override {
        nn::signed_power(values, count * channels_, power_, values);
    }

private:
    std::int64_t channels_;
    float power_;
};

}  // namespace

void PowerNorm::fields(base::FieldTable& table) {
    table.add("alpha", alpha, {0.05, 1.0}, "the power");
}

std::unique_ptr<Op> PowerNorm::encoder(const OpContext& context) const {
    return std::make_unique<RaisingOp>(context.rows * input_shape().size(), alpha);
}

std::unique_ptr<Op> PowerNorm::decoder(const OpContext& context) const {
    return std::make_unique<RaisingOp>(context.rows * input_shape().size(), 1.0 / alpha);
}

std::unique_ptr<PositionOp> PowerNorm::position_op() const {
    return std::make_unique<RaisingPositions>(input_shape().channels, alpha);
}

}  // namespace stackae::layers

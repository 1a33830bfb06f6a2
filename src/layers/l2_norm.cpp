#include "layers/l2_norm.hpp"

#include <algorithm>

#include "base/rows.hpp"
#include "layers/op.hpp"

namespace stackae::layers {
namespace {

class ScalePositions : public PositionOp {
public:
    explicit ScalePositions(std::int64_t channels) : channels_(static_cast<std::size_t>(channels)) {}
    void run(float* values, std::int64_t count) override {
        for (std::int64_t i = 0; i < count; ++i, values += channels_) {
            const std::span<float> position(values, channels_);
            base::l2_normalize(position, position);
        }
    }

private:
    std::size_t channels_;
};

class ScaleOp : public Op {
public:
    ScaleOp(std::int64_t positions, std::int64_t channels)
        : positions_(positions), channels_(channels), scale_(channels) {}
    void run(const float* src, float* dst) override {
        std::copy_n(src, positions_ * channels_, dst);
        scale_.run(dst, positions_);
    }

private:
    std::int64_t positions_;
    std::int64_t channels_;
    ScalePositions scale_;
};

class CopyOp : public Op {
public:
    explicit CopyOp(std::int64_t size) : size_(size) {}
    void run(const float* src, float* dst) override { std::copy_n(src, size_, dst); }

private:
    std::int64_t size_;
};

}  // namespace

void L2Norm::fields(base::FieldTable& /*table*/) {}

std::unique_ptr<Op> L2Norm::encoder(const OpContext& context) const {
    const Shape& shape = input_shape();
    return std::make_unique<ScaleOp>(context.rows * shape.height * shape.width, shape.channels);
}

std::unique_ptr<Op> L2Norm::decoder(const OpContext& context) const {
    return std::make_unique<CopyOp>(context.rows * input_shape().size());
}

std::unique_ptr<PositionOp> L2Norm::position_op() const {
    return std::make_unique<ScalePositions>(input_shape().channels);
}

}  // namespace stackae::layers

#include "layers/l1_norm.hpp"

#include <algorithm>
#include <cmath>

#include "base/fields.hpp"
#include "layers/op.hpp"

namespace stackae::layers {

void L1Norm::fields(base::FieldTable& table) {
    table.add("epsilon", epsilon, {0.0, 1.0, true}, "keeps an empty position from being divided by 0");
}

std::unique_ptr<Op> L1Norm::encoder(const OpContext& context) const {
    const Shape& shape = input_shape();
    return std::make_unique<RowOp>(
        context.rows * shape.height * shape.width, shape.channels, [epsilon = epsilon](auto src, auto dst) {
            double sum = epsilon;
            for (const float value : src) {
                sum += std::abs(double{value});
            }
            std::transform(src.begin(), src.end(), dst.begin(),
                           [sum](float value) { return static_cast<float>(double{value} / sum); });
        });
}

}  // namespace stackae::layers

#include "layers/contrast_norm.hpp"

#include "base/fields.hpp"
#include "base/rows.hpp"
#include "layers/onnx_graph.hpp"
#include "layers/op.hpp"

namespace stackae::layers {

void ContrastNorm::fields(base::FieldTable& table) {
    table.add("epsilon", epsilon, {0.0, 1e6, true}, "added to the variance");
}

std::unique_ptr<Op> ContrastNorm::encoder(const OpContext& context) const {
    return std::make_unique<RowOp>(
        context.rows, input_shape().size(),
        [epsilon = epsilon](auto src, auto dst) { base::contrast_normalize(src, epsilon, dst); });
}

OnnxValue ContrastNorm::to_onnx(OnnxGraph& graph, const OnnxValue& input) const {
    return graph.contrast_normalize(input, epsilon);
}

}  // namespace stackae::layers

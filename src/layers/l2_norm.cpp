#include "layers/l2_norm.hpp"

#include <algorithm>

#include "base/rows.hpp"
#include "layers/onnx_graph.hpp"
#include "layers/op.hpp"

namespace stackae::layers {

std::unique_ptr<Op> L2Norm::encoder(const OpContext& context) const {
    const Shape& shape = input_shape();
    if (shape.channels == 1) {
        return std::make_unique<RowOp>(context.rows, shape.size(), base::l2_normalize);
    }
    return std::make_unique<RowOp>(context.rows * shape.height * shape.width, shape.channels,
                                   base::l2_normalize);
}

std::unique_ptr<Op> L2Norm::decoder(const OpContext& context) const {
    return std::make_unique<RowOp>(context.rows, input_shape().size(), [](auto src, auto dst) {
        std::copy(src.begin(), src.end(), dst.begin());
    });
}

PositionOp L2Norm::position_op() const {
    if (input_shape().channels == 1) {
        return {};
    }
    return [channels = static_cast<std::size_t>(input_shape().channels)](float* values, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i, values += channels) {
            base::l2_normalize({values, channels}, {values, channels});
        }
    };
}

OnnxValue L2Norm::to_onnx(OnnxGraph& graph, const OnnxValue& input) const {
    const Shape& shape = input_shape();
    if (shape.channels > 1) {
        const bool positions = shape.height * shape.width > 1;
        return graph.l2_normalize(positions ? graph.as_map(input) : graph.as_rows(input));
    }
    OnnxValue row = graph.as_rows(input);
    row.shape = {1, 1, shape.size()};
    OnnxValue code = graph.l2_normalize(row);
    code.shape = shape;
    return code;
}

OnnxValue L2Norm::decoder_to_onnx(OnnxGraph& /*graph*/, const OnnxValue& code) const {
    return code;
}

}  // namespace stackae::layers

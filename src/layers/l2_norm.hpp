#pragma once

#include "layers/layer_of.hpp"

namespace stackae::layers {

/// h = x / ‖x‖ over the channels of each position, or of one channel alone over all positions; zeros stay.
/// What is decoded keeps length 1: x̂ = h.
class L2Norm : public LayerOf<L2Norm> {
public:
    static constexpr const char* kind_name = "l2_norm";
    static constexpr const char* summary =
        "Length 1 over the channels of each position (of one channel over all), h = x / |x|, so that "
        "distances compare directions.";
    static constexpr const char* papers = "";

    void fields(base::FieldTable& /*table*/) override {}
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    [[nodiscard]] std::unique_ptr<Op> decoder(const OpContext& context) const override;
    [[nodiscard]] OnnxValue to_onnx(OnnxGraph& graph, const OnnxValue& input) const override;
    [[nodiscard]] OnnxValue decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const override;
    [[nodiscard]] PositionOp position_op() const override;
    [[nodiscard]] bool keeps_zeros() const override { return true; }
};

}  // namespace stackae::layers

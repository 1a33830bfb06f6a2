#pragma once

#include "layers/layer_of.hpp"

namespace stackae::layers {

/// Power normalisation (Perronnin, Sánchez & Mensink 2010): h = sign(x) |x|^α, so that a strong value does
/// not drown the others; x̂ = sign(h) |h|^(1/α).
class PowerNorm : public LayerOf<PowerNorm> {
public:
    static constexpr const char* kind_name = "power_norm";
    static constexpr const char* summary = "Power normalisation, value by value: h = sign(x) |x|^alpha.";
    static constexpr const char* papers = "Perronnin, Sanchez & Mensink 2010";

    double alpha = 0.5;

    void fields(base::FieldTable& table) override;
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    [[nodiscard]] std::unique_ptr<Op> decoder(const OpContext& context) const override;
    [[nodiscard]] OnnxValue to_onnx(OnnxGraph& graph, const OnnxValue& input) const override;
    [[nodiscard]] OnnxValue decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const override;
    [[nodiscard]] Activation output_activation(Activation below) const override { return below; }
    [[nodiscard]] PositionOp position_op() const override;
    [[nodiscard]] bool keeps_zeros() const override { return true; }
};

}  // namespace stackae::layers

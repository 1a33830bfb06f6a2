#pragma once

#include "layers/layer_of.hpp"

namespace stackae::layers {

/// Contrast normalisation of a whole input: h = (x − mean(x)) / sqrt(var(x) + ε), over all values of one
/// picture. What it takes off is lost, so that it cannot be decoded.
class ContrastNorm : public LayerOf<ContrastNorm> {
public:
    static constexpr const char* kind_name = "contrast_norm";
    static constexpr const char* summary =
        "Contrast normalisation over all values: h = (x - mean(x)) / sqrt(var(x) + epsilon).";
    static constexpr const char* papers = "Coates, Lee & Ng 2011";

    double epsilon = 10.0 / (255.0 * 255.0);

    void fields(base::FieldTable& table) override;
    [[nodiscard]] bool is_invertible() const override { return false; }
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    [[nodiscard]] OnnxValue to_onnx(OnnxGraph& graph, const OnnxValue& input) const override;
};

}  // namespace stackae::layers

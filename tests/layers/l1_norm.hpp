#pragma once

#include "layers/layer_of.hpp"

namespace stackae::layers {

/// Shares over the channels of each position: h = x / (‖x‖₁ + ε). The sum is lost, so that it cannot be
/// decoded.
class L1Norm : public LayerOf<L1Norm> {
public:
    static constexpr const char* kind_name = "l1_norm";
    static constexpr const char* summary =
        "Shares over the channels of each position: h = x / (|x|_1 + epsilon).";
    static constexpr const char* papers = "";

    double epsilon = 1e-6;

    void fields(base::FieldTable& table) override;
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    [[nodiscard]] bool is_invertible() const override { return false; }
};

}  // namespace stackae::layers

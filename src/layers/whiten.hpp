#pragma once

#include <cstdint>
#include <optional>

#include "stackae/tensor.hpp"

#include "layers/closed_form.hpp"

namespace stackae::layers {

/// Whitening: z_i = u_iᵀ (x − μ) / sqrt(λ_i + ε λ̄), u_i the principal axes of the inputs, λ_i the variances
/// along them and λ̄ their mean over all inputs.
class Whiten : public ClosedForm<Whiten> {
public:
    static constexpr const char* kind_name = "whiten";
    static constexpr const char* summary =
        "Whitening: z = U (x - mean) / sqrt(variance + epsilon mean variance).";
    static constexpr const char* papers = "Coates, Lee & Ng 2011";

    std::optional<std::int64_t> n_components;
    double epsilon = 0.1;

    Tensor whitening;  ///< P, n_components × inputs; rows orthogonal
    Tensor mean;       ///< μ, inputs

    [[nodiscard]] Shape output_shape() const override { return {1, 1, *n_components}; }
    void fields(base::FieldTable& table) override;
    void tensors(TensorTable& table) override;
    StageCost plan(const PlanContext& context) override { return cost_of_axes(context, *n_components); }
    static constexpr std::int64_t max_rows = 20'000;
    static constexpr bool changes_rows = false;
    /// Of rows of its input.
    void solve(TrainContext& context, RowStore& rows);
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    [[nodiscard]] std::unique_ptr<Op> decoder(const OpContext& context) const override;
    [[nodiscard]] OnnxValue to_onnx(OnnxGraph& graph, const OnnxValue& input) const override;
    [[nodiscard]] OnnxValue decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const override;
    [[nodiscard]] bool decorrelates() const override { return true; }
    [[nodiscard]] double working_floats(std::int64_t /*rows*/, bool decoding) const override {
        return matrix_size() * (decoding ? 3.0 : 1.0);
    }
    [[nodiscard]] double encoding_multiply_adds() const override { return matrix_size(); }

private:
    void on_bind() override;
};

}  // namespace stackae::layers

#pragma once

#include <cstdint>

#include "stackae/tensor.hpp"

#include "layers/closed_form.hpp"

namespace stackae::layers {

/// Principal components (Pearson 1901), the code space of the linear autoencoder of least squared error
/// (Baldi & Hornik 1989), solved in closed form: h_i = λ_i^p u_iᵀ D (x − μ), u_i the axes of largest variance
/// λ_i of D x and p the eigen_power; x̂ = D⁻¹ Σ u_i λ_i^−p h_i + μ.
class Pca : public ClosedForm<Pca> {
public:
    static constexpr const char* kind_name = "pca";
    static constexpr const char* summary =
        "Principal components in closed form: h = L^p U D (x - mean), L the variances along the axes U.";
    static constexpr const char* papers = "Pearson 1901; Baldi & Hornik 1989";

    std::int64_t n_components = 0;
    double eigen_power = 0.0;    ///< p; −0.5 whitens
    double std_shrinkage = 0.0;  ///< D = 1 / (s + std_shrinkage s̄), s an input's deviation; 0: D = 1

    Tensor weights;          ///< W, n_components × inputs
    Tensor bias;             ///< b = −W μ
    Tensor decoder_weights;  ///< V, inputs × n_components
    Tensor decoder_bias;     ///< μ, inputs

    [[nodiscard]] Shape output_shape() const override { return {1, 1, n_components}; }
    void fields(base::FieldTable& table) override;
    void tensors(TensorTable& table) override;
    StageCost plan(const PlanContext& context) override { return cost_of_axes(context, n_components); }
    static constexpr std::int64_t max_rows = 20'000;  ///< more change little
    static constexpr bool changes_rows = false;
    /// Of rows of its input.
    void solve(TrainContext& context, RowStore& rows);
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    [[nodiscard]] std::unique_ptr<Op> decoder(const OpContext& context) const override;
    [[nodiscard]] OnnxValue to_onnx(OnnxGraph& graph, const OnnxValue& input) const override;
    [[nodiscard]] OnnxValue decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const override;
    [[nodiscard]] bool decorrelates() const override { return true; }
    [[nodiscard]] double working_floats(std::int64_t /*rows*/, bool decoding) const override {
        return matrix_size() * (decoding ? 2.0 : 1.0);
    }
    [[nodiscard]] double encoding_multiply_adds() const override { return matrix_size(); }

private:
    void on_bind() override;
};

}  // namespace stackae::layers

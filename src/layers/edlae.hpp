#pragma once

#include <cstdint>
#include <memory>

#include "stackae/tensor.hpp"

#include "layers/layer_of.hpp"

namespace stackae::layers {

/// The linear denoising autoencoder of rows of interactions x, users × n items, in closed form (EDLAE, Steck
/// 2020): it learns to rebuild rows of which a share p was dropped, while no item may rebuild itself. With c
/// the numbers of users that have each item and |u| that of a user's items,
///
///     G = Xᵀ diag(|u|^−β) X,   Λ = λ + p / (1 − p) c,   P = (G + diag Λ)⁻¹,   B_ij = −P_ij / P_jj,   B_jj =
///     0, W_ij = c_i^α B_ij c_j^−α,   h = x W,   x̂ = h.
///
/// The powers make up for how much more popular some items, and how much busier some users, are than others
/// (Park et al. 2025). One n × n matrix is all that it works in.
class Edlae : public LayerOf<Edlae> {
public:
    static constexpr const char* kind_name = "edlae";
    static constexpr const char* summary =
        "Linear denoising autoencoder of rows of interactions, in closed form: h = x W, the diagonal 0.";
    static constexpr const char* papers = "Steck 2020; Park et al. 2025";

    double dropout = 0.5;     ///< p
    double l2 = 50.0;         ///< λ
    double item_power = 0.2;  ///< α
    double user_power = 0.2;  ///< β

    Tensor weights;    ///< W, inputs × outputs
    Tensor precision;  ///< P_jj, inputs
    Tensor counts;     ///< c, inputs

    void fields(base::FieldTable& table) override;
    void tensors(TensorTable& table) override;
    [[nodiscard]] bool is_trained() const override { return true; }
    [[nodiscard]] std::unique_ptr<LayerTrainer> trainer(const TrainContext& context) const override;
    StageCost plan(const PlanContext& context) override;
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    /// The code is the row as it is rebuilt.
    [[nodiscard]] std::unique_ptr<Op> decoder(const OpContext& context) const override;
    [[nodiscard]] OnnxValue to_onnx(OnnxGraph& graph, const OnnxValue& input) const override;
    [[nodiscard]] OnnxValue decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const override;
    [[nodiscard]] bool is_row_wise() const override { return true; }
    /// −P_ij / √(P_ii P_jj), the partial correlation.
    [[nodiscard]] Tensor input_similarity(std::int64_t input) const override;
    [[nodiscard]] std::unique_ptr<Layer> without_input(std::int64_t input) const override;
    [[nodiscard]] double encoding_multiply_adds() const override { return matrix_size(); }
};

}  // namespace stackae::layers

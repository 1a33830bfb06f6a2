#pragma once

#include <cstdint>

#include "stackae/tensor.hpp"

#include "layers/closed_form.hpp"

namespace stackae::layers {

/// Nyström features of a Gaussian kernel on the sphere, by landmarks that training saw. With z = s x / ‖s x‖
/// and e = exp(γ (C z − 1)),
///
///     h = R e,   R = (exp(γ (C Cᵀ − 1)) + 0.01)^−½
///
/// so that products of two inputs' h are about exp(γ (cos(z, z') − 1)): a linear classifier of h can tell
/// apart what only a curved border does in x. Where there are many landmarks, R is of a block of them at a
/// time. The decoder gives x̂ = length ẑ / s, with ẑ the mean over the blocks of Cᵀ R h, which meets the
/// landmarks.
class Nystroem : public FoundFromRows<Nystroem> {
public:
    static constexpr const char* kind_name = "nystroem";
    static constexpr const char* summary =
        "Nystroem features of a Gaussian (RBF) kernel between directions: h = R exp(gamma (C z - 1)), C "
        "landmarks.";
    static constexpr const char* papers = "Williams & Seeger 2001; Mairal et al. 2014";

    std::int64_t n_landmarks = 0;
    double gamma = 1.0;
    double input_power = 0.2;
    std::int64_t block = 2048;

    Tensor scale;              ///< s, inputs; above 0
    Tensor landmarks;          ///< C, n_landmarks × inputs; rows of length 1, or 0 where inputs are 0
    Tensor kernel_normalizer;  ///< R, n_landmarks × block: row i holds what landmark i takes of its own block
    Tensor length;             ///< 1: mean of ‖s x‖ over the inputs that it was learnt from

    /// Landmarks that R mixes with one another: `block` at most, and alike in all blocks but the last.
    [[nodiscard]] std::int64_t block_size() const;

    [[nodiscard]] Shape output_shape() const override { return {1, 1, n_landmarks}; }
    void fields(base::FieldTable& table) override;
    void tensors(TensorTable& table) override;
    StageCost plan(const PlanContext& context) override;
    [[nodiscard]] std::unique_ptr<LayerTrainer> trainer(const TrainContext& context) const override;
    static constexpr std::int64_t max_rows = 100'000;
    static constexpr bool changes_rows = true;  ///< that it is learnt from
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    [[nodiscard]] std::unique_ptr<Op> decoder(const OpContext& context) const override;
    [[nodiscard]] OnnxValue to_onnx(OnnxGraph& graph, const OnnxValue& input) const override;
    [[nodiscard]] OnnxValue decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const override;
    [[nodiscard]] bool is_expansion() const override { return true; }
    [[nodiscard]] double working_floats(std::int64_t rows, bool decoding) const override;
    [[nodiscard]] double encoding_multiply_adds() const override;

private:
    void check_values() const override;
};

}  // namespace stackae::layers

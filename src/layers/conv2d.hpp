#pragma once

#include <cstdint>
#include <optional>

#include "stackae/tensor.hpp"

#include "layers/layer_of.hpp"
#include "nn/conv2d.hpp"

namespace stackae::layers {

/// A convolutional autoencoder of patches. For every patch x of its input,
///
///     u = (x − mean(x)) / sqrt(var(x) + contrast_epsilon),  z = P (u − μ),  h = max(0, W z + b)
///
/// with P a whitening of the patches. The decoder rebuilds every patch, ẑ = V h + c, undoes the whitening
/// (P's pseudoinverse), averages overlapping patches to y, and gives x̂ = gain · y + offset. W is a dictionary
/// of spherical k-means, the limit of one winner a patch of winner-take-all autoencoders (Makhzani & Frey
/// 2015), refined as one where there are epochs; whitening and soft thresholds as in Coates, Lee & Ng 2011.
class Conv2d : public LayerOf<Conv2d> {
public:
    static constexpr const char* kind_name = "conv2d";
    static constexpr const char* summary =
        "Convolutional autoencoder of whitened patches: h = max(0, W P (u - mean) + b) at every position.";
    static constexpr const char* papers =
        "Coates, Lee & Ng 2011; Makhzani & Frey 2015; with slow_offset Wiskott & Sejnowski 2002";

    std::int64_t units = 0;
    std::int64_t kernel = 5;
    std::int64_t pad = 0;
    nn::PatchActivation activation = nn::PatchActivation::relu;
    double activation_rate = 0.2;
    std::optional<bool> contrast_norm;
    std::optional<double> contrast_epsilon;
    std::optional<std::int64_t> whitening_dim;
    double whitening_epsilon = 0.1;
    std::int64_t slow_offset = 0;
    std::int64_t patches = 200'000;
    std::optional<std::int64_t> kmeans_passes;
    std::int64_t epochs = 0;
    double lifetime_sparsity = 0.02;
    std::optional<nn::Precision> precision;

    Tensor whitening;        ///< P, whitening_dim × patch size; rows orthogonal, of length 1 / sqrt(λ + ε)
    Tensor patch_mean;       ///< μ, patch size
    Tensor weights;          ///< W, units × whitening_dim
    Tensor bias;             ///< b, units; −θ
    Tensor decoder_weights;  ///< V, whitening_dim × units
    Tensor decoder_bias;     ///< c, whitening_dim
    Tensor gain;             ///< 1
    Tensor offset;           ///< of each value of the input

    /// Of spherical k-means over the patches. After none W is the patches that k-means begins with, which are
    /// drawn at random: random patch features (Coates & Ng 2011; Rolf et al. 2021).
    [[nodiscard]] int passes() const { return static_cast<int>(kmeans_passes.value_or(default_passes)); }
    /// Settles `precision` where it is auto, once P is known: bfloat16 where that takes less time and is not
    /// seen. Values u of a patch, 1 in their root mean square, and filters f = Pᵀ w are each off by 2⁻¹⁰ of
    /// themselves or so, and their products, at random, by 0.0014 ‖f‖. That is to be half a hundredth at most
    /// of the products' deviation, ‖w‖; since P's rows are orthogonal, ‖f‖ ≤ ‖w‖ max ‖Pᵢ‖.
    void settle_precision();
    /// Of the input with its padding.
    [[nodiscard]] nn::Conv2dShape shape() const;
    [[nodiscard]] Shape output_shape() const override;
    void fields(base::FieldTable& table) override;
    void tensors(TensorTable& table) override;
    [[nodiscard]] bool is_trained() const override { return true; }
    /// These two in conv2d_trainer.cpp.
    StageCost plan(const PlanContext& context) override;
    [[nodiscard]] std::unique_ptr<LayerTrainer> trainer(const TrainContext& context) const override;
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    [[nodiscard]] std::unique_ptr<Op> decoder(const OpContext& context) const override;
    [[nodiscard]] OnnxValue to_onnx(OnnxGraph& graph, const OnnxValue& input) const override;
    [[nodiscard]] OnnxValue decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const override;
    [[nodiscard]] bool is_row_wise() const override { return true; }
    [[nodiscard]] std::unique_ptr<Op> fused_encoder(const OpContext& context,
                                                    std::span<const std::shared_ptr<const Layer>> from_here,
                                                    std::size_t& taken) const override;
    [[nodiscard]] Activation output_activation(Activation /*below*/) const override {
        return activation == nn::PatchActivation::linear ? Activation::linear : Activation::relu;
    }
    [[nodiscard]] ReceptiveField receptive_field() const override {
        return {{kernel, 1, -pad}, {kernel, 1, -pad}};
    }
    /// P⁺ V's columns.
    [[nodiscard]] Tensor filters() const override;
    [[nodiscard]] double working_floats(std::int64_t rows, bool decoding) const override;
    [[nodiscard]] double encoding_multiply_adds() const override;

private:
    static constexpr std::int64_t default_passes = 12;

    void on_bind() override;
};

}  // namespace stackae::layers

#pragma once

#include <cstdint>
#include <optional>

#include "stackae/activation.hpp"
#include "stackae/tensor.hpp"

#include "layers/layer_of.hpp"

namespace stackae::layers {

/// A dense autoencoder: h = f(W x + b), x̂ = g(V h + c), learnt by gradients.
class Dense : public LayerOf<Dense> {
public:
    static constexpr const char* kind_name = "dense";
    static constexpr const char* summary =
        "Dense autoencoder: h = f(W x + b), decoded as g(V h + c), learnt by backpropagation.";
    static constexpr const char* papers = "Hinton & Salakhutdinov 2006; Vincent et al. 2010";

    std::int64_t units = 0;
    Activation activation = Activation::silu;  ///< f
    std::optional<Activation> output;          ///< g; absent: suited to what the layer sees
    bool tied = false;                         ///< V = Wᵀ
    // Of training; absent: as the configuration says for all layers.
    std::optional<std::int64_t> epochs;
    std::optional<double> corruption_level;

    Tensor weights;          ///< W, units × inputs
    Tensor bias;             ///< b, units
    Tensor decoder_weights;  ///< V, inputs × units; empty when tied
    Tensor decoder_bias;     ///< c, inputs

    [[nodiscard]] Shape output_shape() const override { return {1, 1, units}; }
    void fields(base::FieldTable& table) override;
    void tensors(TensorTable& table) override;
    [[nodiscard]] bool is_trained() const override { return true; }
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    [[nodiscard]] std::unique_ptr<Op> decoder(const OpContext& context) const override;
    [[nodiscard]] OnnxValue to_onnx(OnnxGraph& graph, const OnnxValue& input) const override;
    [[nodiscard]] OnnxValue decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const override;
    /// These two in dense_trainer.cpp.
    StageCost plan(const PlanContext& context) override;
    [[nodiscard]] std::unique_ptr<LayerTrainer> trainer(const TrainContext& context) const override;
    [[nodiscard]] std::unique_ptr<Autoencoder> autoencoder() const override;
    [[nodiscard]] std::unique_ptr<Layer> with_parameters(const nn::Parameters& parameters,
                                                         std::size_t encoder,
                                                         std::size_t decoder) const override;
    [[nodiscard]] Activation output_activation(Activation /*below*/) const override { return activation; }
    [[nodiscard]] Tensor filters() const override { return weights; }
    [[nodiscard]] double working_floats(std::int64_t /*rows*/, bool decoding) const override {
        return matrix_size() * (decoding ? 2.0 : 1.0);  // oneDNN may bring weights into another layout
    }
    [[nodiscard]] double encoding_multiply_adds() const override;
};

}  // namespace stackae::layers

#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "stackae/tensor.hpp"

#include "layers/layer_of.hpp"

namespace stackae::layers {

/// A linear autoencoder of rows of interactions x, users × n items, of few values an item (ELSA, Vančura et
/// al. 2022): with A n × k, whose rows have length 1,
///
///     h = x A,   x̂ = h Aᵀ,
///
/// learnt so that x (A Aᵀ − I), in which no item rebuilds itself, points the same way as x: the mean over the
/// rows of ‖ x / ‖x‖ − x̂ / ‖x̂‖ ‖² is lowered by gradients, see ElsaLoss. The decoder leaves −x out, which
/// changes the values of the items that a row has, and of no other. Takes k values an item where `edlae`
/// takes n, and time in proportion to the entries.
class Elsa : public LayerOf<Elsa> {
public:
    static constexpr const char* kind_name = "elsa";
    static constexpr const char* summary =
        "Linear autoencoder of rows of interactions, of few values an item: h = x A, decoded as h A^T.";
    static constexpr const char* papers = "Vancura et al. 2022";

    static constexpr std::int64_t usual_epochs = 20;
    static constexpr double usual_rate = 0.05;

    std::int64_t units = 512;  ///< k
    // Absent: the usual, and a fortieth of the rows (0 too), whatever the training says of other layers.
    std::optional<std::int64_t> epochs;
    std::optional<std::int64_t> batch_size;
    std::optional<double> learning_rate;

    Tensor weights;  ///< A, inputs × units

    [[nodiscard]] Shape output_shape() const override { return {1, 1, units}; }
    void fields(base::FieldTable& table) override;
    void tensors(TensorTable& table) override;
    [[nodiscard]] bool is_trained() const override { return true; }
    [[nodiscard]] std::unique_ptr<LayerTrainer> trainer(const TrainContext& context) const override;
    StageCost plan(const PlanContext& context) override;
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    [[nodiscard]] std::unique_ptr<Op> decoder(const OpContext& context) const override;
    [[nodiscard]] OnnxValue to_onnx(OnnxGraph& graph, const OnnxValue& input) const override;
    [[nodiscard]] OnnxValue decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const override;
    /// The cosine of two rows of A.
    [[nodiscard]] Tensor input_similarity(std::int64_t input) const override;
    [[nodiscard]] std::unique_ptr<Layer> without_input(std::int64_t input) const override;
    [[nodiscard]] double encoding_multiply_adds() const override { return matrix_size(); }

private:
    void on_bind() override;
};

}  // namespace stackae::layers

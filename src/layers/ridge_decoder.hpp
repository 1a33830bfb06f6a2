#pragma once

#include <cstdint>

#include "stackae/tensor.hpp"

#include "layers/layer_of.hpp"

namespace stackae::layers {

/// A linear reconstruction head, from a code straight to the picture: x̂ = D h + e, by ridge regression. The
/// values of the code have mean 0 and do not vary together, as those of principal components, so that for
/// each value of x and of h
///
///     d = λ / (λ + c) · Σ x h / Σ h²,   e = mean x
///
/// with λ the variance of h to the power variance_power, and c that of least generalised cross-validation
/// (Golub, Heath & Wahba 1979), in which a degree of freedom counts 1.4 times (Kim & Gu 2004): codes that are
/// nearly as many as the pictures are not believed as they are.
class RidgeDecoder : public LayerOf<RidgeDecoder> {
public:
    static constexpr const char* kind_name = "ridge_decoder";
    static constexpr const char* summary =
        "Reconstruction head: x = D h + e by ridge regression, from a code to the picture.";
    static constexpr const char* papers = "Golub, Heath & Wahba 1979; Kim & Gu 2004";

    std::int64_t height = 1;  ///< of the picture
    std::int64_t width = 1;
    std::int64_t channels = 1;
    double variance_power = 2.0;  ///< 1 / (1 + 2 p) of components of eigen_power p: that of −0.25

    Tensor weights;  ///< D, values of a picture × values of a code
    Tensor bias;     ///< e

    [[nodiscard]] Shape output_shape() const override { return {height, width, channels}; }
    void fields(base::FieldTable& table) override;
    void tensors(TensorTable& table) override;
    [[nodiscard]] bool is_trained() const override { return true; }
    StageCost plan(const PlanContext& context) override;
    [[nodiscard]] std::unique_ptr<LayerTrainer> trainer(const TrainContext& context) const override;
    [[nodiscard]] bool is_invertible() const override { return false; }
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    [[nodiscard]] OnnxValue to_onnx(OnnxGraph& graph, const OnnxValue& input) const override;
    [[nodiscard]] double working_floats(std::int64_t /*rows*/, bool /*decoding*/) const override {
        return matrix_size();
    }
    [[nodiscard]] double encoding_multiply_adds() const override { return matrix_size(); }

private:
    void on_bind() override;
};

}  // namespace stackae::layers

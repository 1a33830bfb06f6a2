#pragma once

#include <cstdint>

#include "stackae/tensor.hpp"

#include "layers/layer_of.hpp"

namespace stackae::layers {

/// A linear reconstruction head, from a code straight to the picture: x̂ = D h + e, by ridge regression.
class RidgeDecoder : public LayerOf<RidgeDecoder> {
public:
    static constexpr const char* kind_name = "ridge_decoder";
    static constexpr const char* summary =
        "Reconstruction head: x = D h + e by ridge regression, from a code to the picture.";
    static constexpr const char* papers = "Golub, Heath & Wahba 1979; Kim & Gu 2004";

    std::int64_t height = 1;  ///< of the picture
    std::int64_t width = 1;
    std::int64_t channels = 1;

    Tensor weights;  ///< D, values of a picture × values of a code
    Tensor bias;     ///< e

    [[nodiscard]] Shape output_shape() const override { return {height, width, channels}; }
    void fields(base::FieldTable& table) override;
    void tensors(TensorTable& table) override;
    [[nodiscard]] bool is_trained() const override { return true; }
    [[nodiscard]] bool is_invertible() const override { return false; }
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    [[nodiscard]] double working_floats(std::int64_t rows, bool decoding) const override;
};

}  // namespace stackae::layers

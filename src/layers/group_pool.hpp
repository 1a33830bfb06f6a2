#pragma once

#include <vector>

#include "stackae/enum_names.hpp"

#include "layers/layer_of.hpp"

namespace stackae::layers {

/// Pictures that are one and the same thing seen in another way, closed under composition. Has names.
enum class TransformGroup {
    mirror,    ///< a picture and its mirror image, left to right
    rotate90,  ///< its four turns by right angles; of square pictures
    dihedral,  ///< the turns of both; likewise
};

/// Pooling over a group G of transforms of the picture: h = (1/|G|) Σ_g f(g x), f what all layers below make
/// of a picture x, which run once for each of them. Since g G = G, a picture and its mirror image or its
/// turns have the same code. (Where pictures are standardised pixel by pixel it does not
/// hold, and training refuses them.) Laptev et al. pool the maximum likewise; the mean keeps the code's
/// length. Layers below learn from pictures as they are. Decoded, h is taken for what the picture itself
/// gave.
class GroupPool : public LayerOf<GroupPool> {
public:
    static constexpr const char* kind_name = "group_pool";
    static constexpr const char* summary =
        "Pooling over mirror images or turns of the picture: the mean of what the layers below make of each.";
    static constexpr const char* papers = "Laptev et al. 2016; Cohen & Welling 2016";

    TransformGroup group = TransformGroup::mirror;

    void fields(base::FieldTable& table) override;
    void check_picture(const Shape& picture) const override;
    [[nodiscard]] std::vector<PictureTransform> transforms() const override;
    /// Of the values of one picture: the mean is taken by who runs the layers below.
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    [[nodiscard]] std::unique_ptr<Op> decoder(const OpContext& context) const override;
    [[nodiscard]] OnnxValue to_onnx(OnnxGraph& graph, const OnnxValue& input) const override;
    [[nodiscard]] OnnxValue decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const override;
    [[nodiscard]] std::vector<OnnxValue> transforms_to_onnx(OnnxGraph& graph,
                                                            const OnnxValue& picture) const override;
    /// Every position sees all of the input, in one picture or another.
    [[nodiscard]] ReceptiveField receptive_field() const override;
    [[nodiscard]] Activation output_activation(Activation below) const override { return below; }
    [[nodiscard]] bool loses_detail() const override { return true; }
};

}  // namespace stackae::layers

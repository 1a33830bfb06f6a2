#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stackae/convolution.hpp"
#include "stackae/tensor.hpp"

#include "linalg/gemm.hpp"
#include "nn/winograd.hpp"

namespace stackae::nn {

/// Copies patches of a map into rows, size count × patch_size, from the position `first` on (row-major order
/// of positions), and evens out their contrast where the shape says so.
void unfold(const ConvolutionShape& shape, const float* map, std::int64_t first, std::int64_t count,
            float* rows);

/// Runs a trained convolutional layer on one map at a time, on one thread: blocks of patches are coded by
/// matrix products (unfolded or, where that is faster, by Winograd's way) and pooled while they are in the
/// cache. One per thread; the context must have one thread and, like the layer, outlive it.
class Convolution {
public:
    Convolution(linalg::Context& context, const ConvolutionLayer& layer);

    /// map: input_size; code: output_size, overwritten.
    void forward(const float* map, float* code);
    /// code: output_size; map: input_size, overwritten.
    void backward(const float* code, float* map);

private:
    /// The cells, [first, last), in which a position along one side is pooled.
    struct Span {
        std::int64_t first;
        std::int64_t last;
    };
    void encode_unfolded(const float* map, float* pooled);
    void encode_by_winograd(const float* map, float* pooled);
    /// scale: 1 / sqrt(var(x) + ε) of `count` patches from (y, x) on, side by side. offset: see
    /// WinogradProduct.
    void settle_contrast(const float* map, std::int64_t y, std::int64_t x, std::int64_t count, float offset,
                         float* scale);
    /// Codes of a block, from its patches' products with the filters.
    float* encode(float* products);
    /// code: of a patch; scaled in place where it is of unit length.
    void pool(float* code, std::int64_t position, float* pooled);

    ConvolutionShape shape_;
    std::vector<Span> down_;
    std::vector<Span> across_;
    std::vector<float> cell_scale_;  ///< 1 / positions of each cell, for averages
    /// Filters over patches: of codes or, where `encode_` follows, of whitened patches. One of the two is
    /// there.
    std::optional<WinogradProduct> winograd_;
    std::optional<linalg::Gemm> unfolded_;
    std::optional<linalg::Gemm> encode_;  ///< codes of whitened patches
    Tensor bias_;                         ///< of the filters
    float least_ = 0.0F;                  ///< of what `winograd_` makes
    std::vector<float> scale_;            ///< of a block of its positions: 1 / deviation of a patch, or 1
    std::vector<double> column_sums_;     ///< of the values of a row of patches, and of their squares
    std::int64_t block_;                  ///< patches that are unfolded, coded or decoded at a time
    Tensor patches_;
    Tensor products_;  ///< of the filters
    Tensor codes_;     ///< where `encode_` makes them, or backward() takes them apart
    Tensor whitened_;  ///< of backward()
    std::optional<linalg::Gemm> decode_, color_;  ///< made by the first backward()
    linalg::Context* context_;
    const ConvolutionLayer* layer_;
    Tensor squared_;  ///< what was pooled, where codes are its roots
    Tensor signs_;    ///< of one patch: both signs of its code
};

}  // namespace stackae::nn

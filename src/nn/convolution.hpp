#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stackae/convolution.hpp"
#include "stackae/tensor.hpp"

#include "nn/packed_product.hpp"

namespace stackae::nn {

/// Copies patches of a map into rows, size count × patch_size, from the position `first` on (row-major order
/// of positions), and evens out their contrast where the shape says so.
void unfold(const ConvolutionShape& shape, const float* map, std::int64_t first, std::int64_t count,
            float* rows);

/// Runs a trained convolutional layer on one map at a time, on one thread: blocks of patches are unfolded,
/// coded by matrix products and pooled while they are in the cache. One per thread; the context must have one
/// thread and outlive it.
class Convolution {
public:
    Convolution(Context& context, const ConvolutionLayer& layer);

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
    void pool(const float* codes, std::int64_t first, std::int64_t count, float* pooled);

    ConvolutionShape shape_;
    std::int64_t block_;  ///< patches at a time
    std::vector<Span> down_;
    std::vector<Span> across_;
    std::vector<float> cell_scale_;  ///< 1 / positions of each cell, for averages
    Tensor patches_;
    Tensor whitened_;
    Tensor codes_;
    std::optional<PackedProduct> whiten_;  ///< absent where whitening is part of `encode_`
    std::optional<PackedProduct> encode_;
    std::optional<PackedProduct> decode_, color_;  ///< made by the first backward()
    Context* context_;
    const ConvolutionLayer* layer_;
    Tensor bias_;     ///< of two-sided codes
    Tensor squared_;  ///< what was pooled, where codes are its roots
    Tensor signs_;    ///< of one patch: both signs of its code
};

}  // namespace stackae::nn

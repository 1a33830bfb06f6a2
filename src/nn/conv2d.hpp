#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "stackae/enum_names.hpp"
#include "stackae/tensor.hpp"

#include "linalg/gemm.hpp"
#include "nn/winograd.hpp"

namespace stackae::nn {

/// What becomes of the products of a patch with the filters, a = W z + b. Has names.
enum class PatchActivation {
    relu,  ///< max(0, a): a soft threshold where b < 0
    crelu,  ///< max(0, W z + b) and max(0, −W z + b), one after the other: twice as many values (Shang et al.
            ///< 2016)
    linear,  ///< a
};

/// What the factors of products are rounded to; sums are float32. Has names.
enum class Precision { float32, bfloat16 };

/// A convolution without padding, at every position of its input. Maps are height × width × channels,
/// row-major, channels last; a patch is kernel × kernel × channels, likewise.
struct Conv2dShape {
    std::int64_t channels = 1;       ///< of the input
    std::int64_t height = 1;         ///< of the input
    std::int64_t width = 1;          ///< of the input
    std::int64_t kernel = 1;         ///< side of a patch, at most height and width
    std::int64_t whitening_dim = 1;  ///< values of a whitened patch, r
    std::int64_t units = 1;          ///< filters
    PatchActivation activation = PatchActivation::relu;
    /// Each patch is brought to mean 0 and deviation 1: u = (x − mean(x)) / sqrt(var(x) + contrast_epsilon).
    bool contrast_norm = true;
    float contrast_epsilon = 10.0F / (255.0F * 255.0F);
    Precision precision = Precision::float32;  ///< of products with patches, but for Winograd's way

    [[nodiscard]] PatchShape patches() const { return {channels, height, width, kernel}; }
    [[nodiscard]] std::int64_t patch_size() const { return patches().patch_size(); }
    [[nodiscard]] std::int64_t oh() const { return patches().oh(); }
    [[nodiscard]] std::int64_t ow() const { return patches().ow(); }
    [[nodiscard]] std::int64_t oc() const { return activation == PatchActivation::crelu ? 2 * units : units; }
    [[nodiscard]] std::int64_t input_size() const { return height * width * channels; }
};

/// z = P (u − μ) of each patch u, a = W z + b.
struct Conv2dWeights {
    const Tensor& whitening;   ///< P, whitening_dim × patch_size
    const Tensor& patch_mean;  ///< μ, patch_size
    const Tensor& weights;     ///< W, units × whitening_dim
    const Tensor& bias;        ///< b, units
};

/// ẑ = V h + c of the values h of a position, û = P⁺ ẑ + μ with P's pseudoinverse.
struct Conv2dDecoderWeights {
    const Tensor& whitening;   ///< P
    const Tensor& patch_mean;  ///< μ
    const Tensor&
        decoder_weights;  ///< V, whitening_dim × units; of crelu, the negative part is decoded by −V
    const Tensor& decoder_bias;  ///< c, whitening_dim
};

/// Whether filters over whitened patches are best brought to filters over patches, W P.
[[nodiscard]] bool is_fused(const Conv2dShape& shape);
/// Takes each row's mean off it: of filters, which then take the mean off each patch.
void center_rows(Tensor& matrix);
/// −(matrix · vector): a bias that takes a vector off what the matrix is multiplied with.
[[nodiscard]] Tensor negated_product(const Tensor& matrix, const Tensor& vector);
/// P⁺ of a whitening P, whose rows are orthogonal: patch_size × whitening_dim.
[[nodiscard]] Tensor pseudoinverse(const Tensor& whitening);

/// Rows of patches (im2col): copies them from the position `first` on, in row-major order of positions, into
/// rows, size count × patch_size, and normalises their contrast where the shape says so.
void im2col(const Conv2dShape& shape, const float* map, std::int64_t first, std::int64_t count, float* rows);

/// Takes what a convolution makes of one position after the other. position: row-major; values: oc() of them,
/// which may be changed.
using PositionSink = std::function<void(std::int64_t position, float* values)>;

/// Runs a trained convolution on one map at a time, on one thread: blocks of patches are coded by matrix
/// products (of im2col rows or, where that is faster, by Winograd's way) and handed on while they are in the
/// cache. One per thread; the context must have one thread and, like the weights, outlive it.
class Conv2d {
public:
    Conv2d(linalg::Context& context, const Conv2dShape& shape, const Conv2dWeights& weights);

    /// Floats that one of that shape holds at most.
    [[nodiscard]] static double working_floats(const Conv2dShape& shape);
    /// Whether Precision::bfloat16 takes notably less time, on processors that multiply bfloat16.
    [[nodiscard]] static bool gains_by_rounding(const Conv2dShape& shape);

    /// map: input_size.
    void forward(const float* map, const PositionSink& sink);

private:
    void forward_im2col(const float* map, const PositionSink& sink);
    void forward_winograd(const float* map, const PositionSink& sink);
    /// scale: 1 / sqrt(var(x) + ε) of `count` patches from (y, x) on, side by side. offset: see
    /// WinogradConv.
    void inverse_deviations(const float* map, std::int64_t y, std::int64_t x, std::int64_t count,
                            float offset, float* scale);
    /// Values of a block, from its patches' products with the filters.
    float* activate(float* products);
    void hand_on(float* values, std::int64_t position, const PositionSink& sink);

    Conv2dShape shape_;
    /// Filters over patches: of values or, where `encode_` follows, of whitened patches. One of the two is
    /// there.
    std::optional<WinogradConv> winograd_;
    std::optional<linalg::Gemm> im2col_;
    std::optional<linalg::Gemm> encode_;  ///< values of whitened patches
    Tensor bias_;                         ///< of the filters
    Tensor threshold_;                    ///< of crelu, where it is applied to both signs
    float min_ = 0.0F;                    ///< of what `winograd_` makes
    std::vector<float> scale_;            ///< of a block of its positions: 1 / deviation of a patch, or 1
    std::vector<double> column_sums_;     ///< of the values of a row of patches, and of their squares
    std::int64_t block_;                  ///< patches that are coded at a time
    Tensor patches_;
    Tensor products_;  ///< of the filters
    Tensor codes_;     ///< where `encode_` makes them
    Tensor signs_;     ///< of one patch: both signs of its values
};

/// Rebuilds a map of the values of all positions: each position's patch, overlapping patches averaged.
class Conv2dDecoder {
public:
    Conv2dDecoder(linalg::Context& context, const Conv2dShape& shape, const Conv2dDecoderWeights& weights);

    /// Floats that one of that shape holds at most.
    [[nodiscard]] static double working_floats(const Conv2dShape& shape);

    /// codes: oh × ow × oc; map: input_size, overwritten.
    void run(const float* codes, float* map);

private:
    Conv2dShape shape_;
    std::int64_t block_;
    std::optional<linalg::Gemm> decode_, color_;
    Tensor codes_;
    Tensor whitened_;
    Tensor patches_;
    std::vector<float> covering_;  ///< patches over each position of the input
};

}  // namespace stackae::nn

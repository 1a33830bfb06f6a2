#pragma once

#include <cstdint>

#include "stackae/enum_names.hpp"
#include "stackae/tensor.hpp"

namespace stackae {

/// What becomes of the codes of neighbouring patches. Has names.
enum class Pooling {
    average,
    maximum,
};

/// The shapes of a convolutional layer and how it codes a patch. Maps are height × width × channels,
/// row-major, channels last; a patch is kernel × kernel × channels, likewise, moved by one pixel at a time.
struct ConvolutionShape {
    std::int64_t channels = 1;  ///< of the input
    std::int64_t height = 1;    ///< of the input
    std::int64_t width = 1;     ///< of the input
    std::int64_t kernel = 1;    ///< side of a patch, at most height and width
    std::int64_t whitened = 1;  ///< values of a whitened patch, r
    std::int64_t units = 1;     ///< K

    /// Each patch is brought to mean 0 and deviation 1: u = (x − mean(x)) / sqrt(var(x) + contrast_epsilon).
    bool contrast = true;
    float contrast_epsilon = 10.0F / (255.0F * 255.0F);
    /// Codes of both signs, 2 K values: max(0, a − θ) and max(0, −a − θ) (Coates & Ng 2011).
    bool two_sided = false;
    /// Codes are linear, h = W z + b, and scaled to length 1 before they are pooled; not with two_sided.
    bool unit_length = false;

    Pooling pooling = Pooling::average;
    /// Codes are the square roots of what was pooled, so that a strong answer does not drown the others
    /// (Perronnin, Sánchez & Mensink 2010); not with unit_length.
    bool root = false;
    /// Side of the square of positions that are pooled, and its step. 0: a grid instead.
    std::int64_t pool_size = 2;
    std::int64_t pool_stride = 2;
    /// Cells a side of a grid over all positions, where pool_size is 0.
    std::int64_t grid = 0;

    [[nodiscard]] std::int64_t patch_size() const { return kernel * kernel * channels; }
    [[nodiscard]] std::int64_t positions_down() const { return height - kernel + 1; }
    [[nodiscard]] std::int64_t positions_across() const { return width - kernel + 1; }
    [[nodiscard]] std::int64_t cells_down() const { return cells(positions_down()); }
    [[nodiscard]] std::int64_t cells_across() const { return cells(positions_across()); }
    /// Values of a patch's code.
    [[nodiscard]] std::int64_t code_channels() const { return two_sided ? 2 * units : units; }
    [[nodiscard]] std::int64_t input_size() const { return height * width * channels; }
    /// Values of a picture's code: cells_down × cells_across × code_channels.
    [[nodiscard]] std::int64_t output_size() const { return cells_down() * cells_across() * code_channels(); }

    friend bool operator==(const ConvolutionShape&, const ConvolutionShape&) = default;

private:
    [[nodiscard]] std::int64_t cells(std::int64_t positions) const {
        return pool_size > 0 ? (positions - pool_size) / pool_stride + 1 : grid;
    }
};

/// Throws InvalidArgument that names what does not fit.
void validate(const ConvolutionShape& shape);

/// One trained convolutional autoencoder of the stack. For every patch x of its input,
///
///   u = x, its contrast evened out (see ConvolutionShape);  z = P (u − μ);  h = max(0, W z + b)
///
/// (or h = W z + b, scaled to length 1) and the codes of the patches are pooled into cells, of which the
/// square roots may be taken. The decoder squares them again, rebuilds every patch of a cell from the cell's
/// code, ẑ = V h + c, undoes the whitening (P's pseudoinverse), averages overlapping patches to y, and gives
/// x̂ = gain · y + offset. Learnt as an autoencoder of patches with winner-take-all sparsity (Makhzani & Frey
/// 2015); whitening, and pooling of soft-threshold codes, as in Coates, Lee & Ng 2011.
struct ConvolutionLayer {
    ConvolutionShape shape;
    Tensor whitening;        ///< P, whitened × patch_size; rows orthogonal, of length 1 / sqrt(λ + ε)
    Tensor patch_mean;       ///< μ, patch_size
    Tensor weights;          ///< W, units × whitened
    Tensor bias;             ///< b, units; −θ
    Tensor decoder_weights;  ///< V, whitened × units (of two-sided codes, the negative part is decoded by −V)
    Tensor decoder_bias;     ///< c, whitened
    float gain = 1.0F;
    Tensor offset;  ///< input_size

    [[nodiscard]] std::int64_t inputs() const { return shape.input_size(); }
    /// Values of its code.
    [[nodiscard]] std::int64_t outputs() const { return shape.output_size(); }
};

}  // namespace stackae

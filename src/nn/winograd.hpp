#pragma once

#include <cstdint>
#include <vector>

#include "stackae/tensor.hpp"

#include "linalg/gemm.hpp"

namespace stackae::nn {

/// Patches of kernel × kernel × channels values, at every position of a map of height × width × channels.
struct PatchShape {
    std::int64_t channels = 1;
    std::int64_t height = 1;
    std::int64_t width = 1;
    std::int64_t kernel = 1;  ///< at most height and width

    [[nodiscard]] std::int64_t patch_size() const { return kernel * kernel * channels; }
    [[nodiscard]] std::int64_t oh() const { return height - kernel + 1; }
    [[nodiscard]] std::int64_t ow() const { return width - kernel + 1; }
};

/// Products of filters with every patch of a map by fewer multiplications than there are taps. Along each
/// column of a filter, 4 outputs of 3 taps take 6 multiplications in place of 12 (Winograd 1980, F(4, 3); on
/// maps, Lavin & Gray 2016):
///
///   y = Aᵀ ((G f) ⊙ (Bᵀ x)),  x 6 rows of the map, f 3 rows of a filter, y 4 rows of products,
///
/// where ⊙ is, for each of the 6, a matrix product over the filter's columns and channels. Taller filters are
/// sums of filters of 3 rows, added within that product. In single precision, products
/// differ from those of an ordinary sum by less than 1e-6 of the sum of their terms' sizes.
///
/// Works on a block of rows() × columns() positions at a time, on one thread. The context must outlive it;
/// one per thread.
class WinogradConv {
public:
    /// Whether it is faster than products with the patches that im2col() lays out, for so many filters.
    [[nodiscard]] static bool is_profitable(const PatchShape& shape, std::int64_t filters);

    /// filters: count × patch_size, may go afterwards.
    WinogradConv(linalg::Context& context, const PatchShape& shape, const float* filters, std::int64_t count);

    /// Floats that a product of so many filters holds, with what run() writes.
    [[nodiscard]] static double working_floats(const PatchShape& shape, std::int64_t filters);

    [[nodiscard]] std::int64_t rows() const;
    [[nodiscard]] std::int64_t columns() const { return columns_; }

    /// What becomes of a product: max(least, scale · product + bias).
    struct Finish {
        const float* scale;  ///< of each position: rows() × columns()
        const float* bias;   ///< of each filter
        float least;         ///< 0, or the lowest float
    };
    /// offset: taken off the map first, which rounds less where filters sum to 0 and see no difference; else
    /// 0. dst: (rows() · columns()) × count, positions in row-major order, from (y, x) on; those outside the
    /// map are without meaning. Allocates nothing.
    void run(const float* map, std::int64_t y, std::int64_t x, float offset, const Finish& finish,
             float* dst);

private:
    /// Some of the filters, so many that their products stay in the cache.
    struct Part {
        std::int64_t first;
        std::int64_t count;
        std::vector<std::vector<linalg::Gemm>> products;  ///< of each of the 6, of pieces of the depth
    };
    /// Some values of each position that a product sums over: [first, first + depth).
    struct Piece {
        std::int64_t first;
        std::int64_t depth;
    };
    /// What one of the 6 is of a band, for a segment of the filters, to the patches that have it.
    void lay_out(const float* from, std::int64_t band, std::int64_t segment, float* patches) const;
    void transform(const float* map, std::int64_t y, std::int64_t x, float offset);

    PatchShape shape_;
    std::int64_t count_;    ///< of filters
    std::int64_t columns_;  ///< positions across of a block
    std::int64_t bands_;    ///< of 4 rows, of a block
    Tensor source_;         ///< 6 rows of what a band sees of the map, zeros beyond its end
    Tensor transformed_;    ///< the same, times Bᵀ
    std::vector<Piece> pieces_;
    Tensor patches_;   ///< for each of the 6, and each piece, (bands · columns) × its depth
    Tensor products_;  ///< for each of the 6 (bands · columns) × a part's filters
    std::vector<Part> parts_;
};

}  // namespace stackae::nn

#include "nn/winograd.hpp"

#include <algorithm>
#include <array>

#include "base/vectorized.hpp"

namespace stackae::nn {
namespace {

constexpr std::int64_t taps = 3;
constexpr std::int64_t outputs = 4;
constexpr std::int64_t points = 6;                 ///< 0, ±a, ±b, ∞
constexpr std::int64_t cache_values = 192 * 1024;  ///< floats of a block's patches and of their products
constexpr std::int64_t min_positions = 32;         ///< of a block
constexpr std::int64_t max_filters = 256;          ///< of a product
constexpr std::int64_t max_depth = 192;            ///< of a product: sums of shorter sums are rounded less
constexpr std::int64_t min_depth = 9;              ///< below these two a product is all reading and writing
constexpr std::int64_t min_filters = 32;

/// Points whose powers are exact in single precision. Errors come to two thirds of those of 1 and 2, whose
/// powers are further apart (Barabasz et al. 2020 compare such choices).
constexpr float a = 0.75F;
constexpr float b = 1.5F;
constexpr float a2 = a * a;
constexpr float b2 = b * b;

/// G: what becomes of 3 taps.
constexpr double of_zero = 1.0 / (double{a2} * b2);
constexpr double of_a = 1.0 / (2.0 * a2 * (a2 - b2));
constexpr double of_b = 1.0 / (2.0 * b2 * (b2 - a2));
constexpr std::array<std::array<double, taps>, points> filter_transform = {{{of_zero, 0, 0},
                                                                            {of_a, of_a* a, of_a* a2},
                                                                            {of_a, -of_a* a, of_a* a2},
                                                                            {of_b, of_b* b, of_b* b2},
                                                                            {of_b, -of_b* b, of_b* b2},
                                                                            {0, 0, 1}}};

/// Filters of 3 rows that make one of ours.
std::int64_t segments_of(const PatchShape& shape) {
    return (shape.kernel + taps - 1) / taps;
}

/// Values that a product sums over.
std::int64_t depth_of(const PatchShape& shape) {
    return segments_of(shape) * shape.kernel * shape.channels;
}

/// The most bands × columns whose patches and products stay in the cache, but no fewer than make up for
/// reading all filters.
std::int64_t positions_of_block(const PatchShape& shape, std::int64_t filters) {
    return std::max(min_positions,
                    cache_values / (points * (std::min(filters, max_filters) + depth_of(shape))));
}

std::int64_t columns_of(const PatchShape& shape, std::int64_t filters) {
    const std::int64_t most = positions_of_block(shape, filters);
    const std::int64_t across = shape.ow();
    const std::int64_t blocks = (across + most - 1) / most;
    return (across + blocks - 1) / blocks;
}

/// Bands of 4 rows that cover a map.
std::int64_t all_bands_of(const PatchShape& shape) {
    return (shape.oh() + outputs - 1) / outputs;
}

/// Of a block: the most that leave no band of the last block empty.
std::int64_t bands_of(const PatchShape& shape, std::int64_t filters, std::int64_t columns) {
    const std::int64_t all = all_bands_of(shape);
    std::int64_t bands =
        std::clamp<std::int64_t>((positions_of_block(shape, filters) + columns / 2) / columns, 1, all);
    while (all % bands != 0) {
        --bands;
    }
    return bands;
}

/// Bᵀ x: six rows of a map, x, to as many values for each of its columns.
STACKAE_VECTORIZED void transform_rows(const float* __restrict x, std::int64_t size, float* __restrict to) {
    const float* x0 = x;
    const float* x1 = x + size;
    const float* x2 = x + 2 * size;
    const float* x3 = x + 3 * size;
    const float* x4 = x + 4 * size;
    const float* x5 = x + 5 * size;
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        const float even_a = x4[i] - b2 * x2[i];
        const float odd_a = a * (x3[i] - b2 * x1[i]);
        const float even_b = x4[i] - a2 * x2[i];
        const float odd_b = b * (x3[i] - a2 * x1[i]);
        to[i] = a2 * b2 * x0[i] - (a2 + b2) * x2[i] + x4[i];
        to[size + i] = even_a + odd_a;
        to[2 * size + i] = even_a - odd_a;
        to[3 * size + i] = even_b + odd_b;
        to[4 * size + i] = even_b - odd_b;
        to[5 * size + i] = a2 * b2 * x1[i] - (a2 + b2) * x3[i] + x5[i];
    }
}

/// Aᵀ of the products of one column of a band, scaled, biased and cut off. `pitch`: from a point's products
/// to the next's; `step`: from a row of positions to the next.
STACKAE_VECTORIZED void combine(const float* __restrict products, std::int64_t pitch,
                                const std::array<float, outputs>& scale, const float* __restrict bias,
                                float least, std::int64_t count, float* __restrict to, std::int64_t step) {
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) {
        const float p1 = products[pitch + i];
        const float p2 = products[2 * pitch + i];
        const float p3 = products[3 * pitch + i];
        const float p4 = products[4 * pitch + i];
        const float even_a = p1 + p2;
        const float odd_a = a * (p1 - p2);
        const float even_b = p3 + p4;
        const float odd_b = b * (p3 - p4);
        to[i] = std::max(scale[0] * (products[i] + even_a + even_b) + bias[i], least);
        to[step + i] = std::max(scale[1] * (odd_a + odd_b) + bias[i], least);
        to[2 * step + i] = std::max(scale[2] * (a2 * even_a + b2 * even_b) + bias[i], least);
        to[3 * step + i] =
            std::max(scale[3] * (a2 * odd_a + b2 * odd_b + products[5 * pitch + i]) + bias[i], least);
    }
}

/// G f of filters, for one of its rows: count × depth.
Tensor transformed_filters(const PatchShape& shape, const std::array<double, taps>& row, const float* filters,
                           std::int64_t count) {
    const std::int64_t line = shape.kernel * shape.channels;
    Tensor transformed({count, depth_of(shape)});
    for (std::int64_t n = 0; n < count; ++n) {
        const float* filter = filters + n * shape.patch_size();
        const auto to = transformed.row(n);
        for (std::int64_t i = 0; i < transformed.columns(); ++i) {
            double sum = 0.0;
            const std::int64_t first = i / line * taps;
            for (std::int64_t k = first; k < std::min(first + taps, shape.kernel); ++k) {
                sum += row[static_cast<std::size_t>(k - first)] * double{filter[k * line + i % line]};
            }
            to[static_cast<std::size_t>(i)] = static_cast<float>(sum);
        }
    }
    return transformed;
}

/// Columns of a matrix.
Tensor piece_of(const Tensor& matrix, std::int64_t first, std::int64_t count) {
    Tensor some({matrix.rows(), count});
    for (std::int64_t i = 0; i < matrix.rows(); ++i) {
        std::copy_n(matrix.row(i).data() + first, count, some.row(i).data());
    }
    return some;
}

}  // namespace

bool WinogradConv::is_profitable(const PatchShape& shape, std::int64_t filters) {
    const std::int64_t bands = all_bands_of(shape);
    // By 1.4 times, since there is more to do than multiplications.
    const bool fewer = 5 * shape.kernel * shape.oh() >= 7 * points * segments_of(shape) * bands;
    return fewer && depth_of(shape) >= min_depth && filters >= min_filters;
}

double WinogradConv::working_floats(const PatchShape& shape, std::int64_t filters) {
    const std::int64_t columns = columns_of(shape, filters);
    const std::int64_t positions = bands_of(shape, filters, columns) * columns;
    const auto depth = static_cast<double>(depth_of(shape));
    const auto count = static_cast<double>(filters);
    const auto seen = static_cast<double>(2 * points * (columns + shape.kernel - 1) * shape.channels);
    const double block = static_cast<double>(points) * (depth + std::min(count, double{max_filters})) +
                         static_cast<double>(outputs) * count;
    return static_cast<double>(points) * depth * count + seen + static_cast<double>(positions) * block;
}

WinogradConv::WinogradConv(linalg::Context& context, const PatchShape& shape, const float* filters,
                           std::int64_t count)
    : shape_(shape),
      count_(count),
      columns_(columns_of(shape, count)),
      bands_(bands_of(shape, count, columns_)),
      source_({points, (columns_ + shape.kernel - 1) * shape.channels}),
      transformed_({points, source_.columns()}),
      patches_({points, bands_ * columns_ * depth_of(shape)}),
      products_({points * bands_ * columns_, std::min(count, max_filters)}) {
    const std::int64_t depth = depth_of(shape);
    for (std::int64_t first = 0; first < depth; first += max_depth) {
        pieces_.push_back({first, std::min(max_depth, depth - first)});
    }
    for (std::int64_t first = 0; first < count; first += max_filters) {
        Part& part = parts_.emplace_back(Part{first, std::min(max_filters, count - first), {}});
        for (const auto& row : filter_transform) {
            const Tensor transformed =
                transformed_filters(shape, row, filters + first * shape.patch_size(), part.count);
            std::vector<linalg::Gemm>& sum = part.products.emplace_back();
            for (const Piece& piece : pieces_) {
                const Tensor some = piece_of(transformed, piece.first, piece.depth);
                sum.emplace_back(context, bands_ * columns_, part.count, piece.depth, some.data(), nullptr,
                                 linalg::GemmOptions{.accumulate = piece.first > 0});
            }
        }
    }
}

std::int64_t WinogradConv::rows() const {
    return bands_ * outputs;
}

void WinogradConv::lay_out(const float* from, std::int64_t band, std::int64_t segment, float* patches) const {
    const std::int64_t line = shape_.kernel * shape_.channels;
    for (const auto& [first, depth] : pieces_) {
        // What the piece has of the segment.
        const std::int64_t begin = std::max(first, segment * line);
        const std::int64_t count = std::min(first + depth, (segment + 1) * line) - begin;
        for (std::int64_t j = 0; j < columns_ && count > 0; ++j) {
            std::copy_n(from + j * shape_.channels + begin - segment * line, count,
                        patches + (bands_ * first + band * depth) * columns_ + j * depth + begin - first);
        }
    }
}

void WinogradConv::transform(const float* map, std::int64_t y, std::int64_t x, float offset) {
    const std::int64_t pitch = shape_.width * shape_.channels;
    const std::int64_t seen = std::min(source_.columns(), (shape_.width - x) * shape_.channels);
    for (std::int64_t band = 0; band < bands_; ++band) {
        for (std::int64_t segment = 0; segment < segments_of(shape_); ++segment) {
            for (std::int64_t i = 0; i < points; ++i) {
                const std::int64_t row = y + band * outputs + segment * taps + i;
                float* to = source_.row(i).data();
                const std::int64_t count = row < shape_.height ? seen : 0;
                const float* from = map + (count > 0 ? row * pitch + x * shape_.channels : 0);
                std::transform(from, from + count, to, [offset](float value) { return value - offset; });
                std::fill(to + count, to + source_.columns(), 0.0F);
            }
            transform_rows(source_.data(), source_.columns(), transformed_.data());
            for (std::int64_t p = 0; p < points; ++p) {
                lay_out(transformed_.row(p).data(), band, segment, patches_.row(p).data());
            }
        }
    }
}

void WinogradConv::run(const float* map, std::int64_t y, std::int64_t x, float offset, const Finish& finish,
                       float* dst) {
    transform(map, y, x, offset);
    const std::int64_t positions = bands_ * columns_;
    for (auto& [first, count, products] : parts_) {
        for (std::int64_t p = 0; p < points; ++p) {
            const float* from = patches_.row(p).data();
            for (linalg::Gemm& product : products[static_cast<std::size_t>(p)]) {
                product.run(from, products_.data() + p * positions * count);
                from += positions * max_depth;
            }
        }
        for (std::int64_t i = 0; i < positions; ++i) {
            // The first of a column's four positions in dst.
            const std::int64_t to = i / columns_ * outputs * columns_ + i % columns_;
            std::array<float, outputs> scale{};
            for (std::int64_t k = 0; k < outputs; ++k) {
                scale[static_cast<std::size_t>(k)] = finish.scale[to + k * columns_];
            }
            combine(products_.data() + i * count, positions * count, scale, finish.bias + first, finish.least,
                    count, dst + to * count_ + first, columns_ * count_);
        }
    }
}

}  // namespace stackae::nn

#include "nn/conv2d.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/enum_names.hpp"
#include "base/vectorized.hpp"
#include "linalg/gemm.hpp"
#include "linalg/vector_ops.hpp"

namespace stackae {
namespace nn {
namespace {

constexpr std::int64_t cache_values = 256 * 1024;  ///< floats of a block of patches and what is made of them
constexpr std::int64_t min_block = 16;
constexpr std::int64_t max_block = 128;
/// Of a matrix of filters; below, products are not most of the time.
constexpr std::int64_t min_bf16_size = 1 << 18;

std::size_t at(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

STACKAE_VECTORIZED void normalize_contrast(float* patch, std::int64_t size, float epsilon) {
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < size; ++i) {
        sum += patch[i];
    }
    const float mean = sum / static_cast<float>(size);
    float squares = 0.0F;
#pragma omp simd reduction(+ : squares)
    for (std::int64_t i = 0; i < size; ++i) {
        patch[i] -= mean;
        squares += patch[i] * patch[i];
    }
    const float scale = 1.0F / std::sqrt(squares / static_cast<float>(size) + epsilon);
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        patch[i] *= scale;
    }
}

/// Both signs of the products, each with its threshold: to is 2 × size.
STACKAE_VECTORIZED void split_signs(const float* products, const float* bias, std::int64_t size, float* to) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        to[i] = std::max(0.0F, products[i] + bias[i]);
        to[size + i] = std::max(0.0F, bias[i] - products[i]);
    }
}

/// Of `size` columns of `rows` values each: their sums, and those of their squares, of what is above an
/// offset.
STACKAE_VECTORIZED void sum_columns(const float* values, std::int64_t rows, std::int64_t pitch,
                                    std::int64_t size, double offset, double* sums, double* squares) {
    std::fill_n(sums, size, 0.0);
    std::fill_n(squares, size, 0.0);
    for (std::int64_t k = 0; k < rows; ++k) {
#pragma omp simd
        for (std::int64_t i = 0; i < size; ++i) {
            const double value = static_cast<double>(values[k * pitch + i]) - offset;
            sums[i] += value;
            squares[i] += value * value;
        }
    }
}

STACKAE_VECTORIZED float mean_of(const float* values, std::int64_t size) {
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < size; ++i) {
        sum += static_cast<double>(values[i]);
    }
    return static_cast<float>(sum / static_cast<double>(size));
}

std::int64_t filters_of(const Conv2dShape& shape) {
    return is_fused(shape) ? shape.units : shape.whitening_dim;
}

/// Patches that are coded at a time: all blocks about full.
std::int64_t block_of(const Conv2dShape& shape) {
    const std::int64_t codes = is_fused(shape) ? 0 : shape.units;
    const std::int64_t most =
        std::clamp(cache_values / (shape.patch_size() + filters_of(shape) + codes), min_block, max_block);
    const std::int64_t positions = shape.oh() * shape.ow();
    const std::int64_t blocks = (positions + most - 1) / most;
    return (positions + blocks - 1) / blocks;
}

}  // namespace

void center_rows(Tensor& matrix) {
    for (std::int64_t i = 0; i < matrix.rows(); ++i) {
        const auto row = matrix.row(i);
        const double mean = std::accumulate(row.begin(), row.end(), 0.0) / static_cast<double>(row.size());
        for (float& value : row) {
            value = static_cast<float>(double{value} - mean);
        }
    }
}

Tensor negated_product(const Tensor& matrix, const Tensor& vector) {
    Tensor result({matrix.rows()});
    for (std::int64_t i = 0; i < matrix.rows(); ++i) {
        double sum = 0.0;
        for (std::int64_t j = 0; j < matrix.columns(); ++j) {
            sum += double{matrix.row(i)[at(j)]} * double{vector.data()[j]};
        }
        result.data()[i] = static_cast<float>(-sum);
    }
    return result;
}

bool is_fused(const Conv2dShape& shape) {
    const std::int64_t d = shape.patch_size();
    return d * shape.units <= (d + shape.units) * shape.whitening_dim;
}

Tensor pseudoinverse(const Tensor& whitening) {
    Tensor inverse({whitening.columns(), whitening.rows()});
    for (std::int64_t i = 0; i < whitening.rows(); ++i) {
        double squares = 0.0;
        for (const float value : whitening.row(i)) {
            squares += double{value} * double{value};
        }
        const double scale = squares > 0.0 ? 1.0 / squares : 0.0;
        for (std::int64_t j = 0; j < whitening.columns(); ++j) {
            inverse.row(j)[at(i)] = static_cast<float>(scale * double{whitening.row(i)[at(j)]});
        }
    }
    return inverse;
}

void im2col(const Conv2dShape& shape, const float* map, std::int64_t first, std::int64_t count, float* rows) {
    const std::int64_t line = shape.kernel * shape.channels;
    const std::int64_t pitch = shape.width * shape.channels;
    const std::int64_t d = shape.patch_size();
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t y = (first + i) / shape.ow();
        const std::int64_t x = (first + i) % shape.ow();
        float* row = rows + i * d;
        for (std::int64_t k = 0; k < shape.kernel; ++k) {
            std::copy_n(map + (y + k) * pitch + x * shape.channels, line, row + k * line);
        }
        if (shape.contrast_norm) {
            normalize_contrast(row, d, shape.contrast_epsilon);
        }
    }
}

Conv2d::Conv2d(linalg::Context& context, const Conv2dShape& shape, const Conv2dWeights& weights)
    : shape_(shape), block_(block_of(shape)) {
    const std::int64_t d = shape_.patch_size();
    const std::int64_t r = shape_.whitening_dim;
    const std::int64_t units = shape_.units;
    const bool relu = shape_.activation == PatchActivation::relu;
    const bool bf16 = shape_.precision == Precision::bfloat16;
    Tensor bias({units});  // zeros of crelu, which applies its threshold to both signs later
    if (shape_.activation == PatchActivation::crelu) {
        threshold_ = weights.bias;
        signs_ = Tensor({shape_.oc()});
    } else {
        bias = weights.bias;
    }
    const bool fused = is_fused(shape_);
    Tensor filters = fused ? Tensor({units, d}) : weights.whitening;
    if (fused) {
        linalg::Gemm(context, units, d, r)
            .run(weights.weights.data(), weights.whitening.data(), filters.data());
    }
    bias_ = negated_product(filters, weights.patch_mean);
    if (fused) {
        linalg::add_row(bias.data(), units, bias_.data());
    }
    if (WinogradConv::is_profitable(shape_.patches(), filters.rows())) {
        if (shape_.contrast_norm) {
            center_rows(filters);  // which takes the mean off each patch
        }
        winograd_.emplace(context, shape_.patches(), filters.data(), filters.rows());
        const std::int64_t positions = winograd_->rows() * winograd_->columns();
        scale_.assign(at(positions), 1.0F);
        column_sums_.resize(at(2 * shape_.width * shape_.channels));
        min_ = fused && relu ? 0.0F : std::numeric_limits<float>::lowest();
        // Rows of whole blocks, since `encode_` takes nothing less.
        products_ = Tensor({(positions + block_ - 1) / block_ * block_, filters.rows()});
    } else {
        im2col_.emplace(context, block_, filters.rows(), d, filters.data(), bias_.data(),
                        linalg::GemmOptions{.bf16 = bf16, .relu = fused && relu});
        patches_ = Tensor({block_, d});
        products_ = Tensor({block_, filters.rows()});
    }
    if (!fused) {
        encode_.emplace(context, block_, units, r, weights.weights.data(), bias.data(),
                        linalg::GemmOptions{.bf16 = bf16, .relu = relu});
        codes_ = Tensor({block_, units});
    }
}

double Conv2d::working_floats(const Conv2dShape& shape) {
    const bool fused = is_fused(shape);
    const std::int64_t filters = filters_of(shape);
    const auto block = static_cast<double>(block_of(shape));
    const auto d = static_cast<double>(shape.patch_size());
    const auto n = static_cast<double>(filters);
    const auto units = static_cast<double>(shape.units);
    // The filters as they are, while they are packed, and what they are packed into; they and patches may be
    // rounded first.
    const double copies = shape.precision == Precision::bfloat16 ? 2.0 : 1.0;
    const double products = WinogradConv::is_profitable(shape.patches(), filters)
                                ? WinogradConv::working_floats(shape.patches(), filters) + block * n
                                : copies * (d * n + block * d) + block * n;
    return d * n + products + (fused ? 0.0 : copies * units * n + block * units) +
           static_cast<double>(shape.oc());
}

bool Conv2d::gains_by_rounding(const Conv2dShape& shape) {
    const std::int64_t filters = filters_of(shape);
    return !WinogradConv::is_profitable(shape.patches(), filters) &&
           filters * shape.patch_size() >= min_bf16_size;
}

void Conv2d::hand_on(float* values, std::int64_t position, const PositionSink& sink) {
    if (shape_.activation == PatchActivation::crelu) {
        split_signs(values, threshold_.data(), shape_.units, signs_.data());
        values = signs_.data();
    }
    sink(position, values);
}

float* Conv2d::activate(float* products) {
    if (!encode_) {
        return products;
    }
    encode_->run(products, codes_.data());
    return codes_.data();
}

void Conv2d::forward_im2col(const float* map, const PositionSink& sink) {
    const std::int64_t positions = shape_.oh() * shape_.ow();
    for (std::int64_t first = 0; first < positions; first += block_) {
        const std::int64_t count = std::min(block_, positions - first);
        im2col(shape_, map, first, count, patches_.data());
        im2col_->run(patches_.data(), products_.data());
        float* values = activate(products_.data());
        for (std::int64_t i = 0; i < count; ++i) {
            hand_on(values + i * shape_.units, first + i, sink);
        }
    }
}

void Conv2d::inverse_deviations(const float* map, std::int64_t y, std::int64_t x, std::int64_t count,
                                float offset, float* scale) {
    const std::int64_t pitch = shape_.width * shape_.channels;
    const std::int64_t line = shape_.kernel * shape_.channels;
    double* sums = column_sums_.data();
    double* squares = sums + pitch;
    sum_columns(map + y * pitch + x * shape_.channels, shape_.kernel, pitch,
                line + (count - 1) * shape_.channels, double{offset}, sums, squares);
    const auto size = static_cast<double>(shape_.patch_size());
    double sum = std::accumulate(sums, sums + line, 0.0);
    double square = std::accumulate(squares, squares + line, 0.0);
    for (std::int64_t j = 0;; ++j) {
        const double variance = std::max(0.0, square / size - sum / size * (sum / size));
        scale[j] = static_cast<float>(1.0 / std::sqrt(variance + double{shape_.contrast_epsilon}));
        if (j + 1 == count) {
            return;
        }
        for (std::int64_t c = j * shape_.channels; c < (j + 1) * shape_.channels; ++c) {
            sum += sums[c + line] - sums[c];
            square += squares[c + line] - squares[c];
        }
    }
}

void Conv2d::forward_winograd(const float* map, const PositionSink& sink) {
    const std::int64_t all_across = shape_.ow();
    const std::int64_t columns = winograd_->columns();
    const std::int64_t block = winograd_->rows() * columns;
    // Filters whose sum is 0 do not see it, and what is left is rounded less.
    const float offset = shape_.contrast_norm ? mean_of(map, shape_.input_size()) : 0.0F;
    for (std::int64_t y = 0; y < shape_.oh(); y += winograd_->rows()) {
        for (std::int64_t x = 0; x < all_across; x += columns) {
            const auto inside = [&](std::int64_t i) {
                return y + i / columns < shape_.oh() && x + i % columns < all_across;
            };
            for (std::int64_t i = 0; shape_.contrast_norm && i < block && inside(i); i += columns) {
                inverse_deviations(map, y + i / columns, x, std::min(columns, all_across - x), offset,
                                   scale_.data() + i);
            }
            winograd_->run(map, y, x, offset, {scale_.data(), bias_.data(), min_}, products_.data());
            for (std::int64_t first = 0; first < block; first += block_) {
                float* values = activate(products_.row(first).data());
                for (std::int64_t i = first; i < std::min(first + block_, block); ++i) {
                    if (inside(i)) {
                        hand_on(values + (i - first) * shape_.units,
                                (y + i / columns) * all_across + x + i % columns, sink);
                    }
                }
            }
        }
    }
}

void Conv2d::forward(const float* map, const PositionSink& sink) {
    if (winograd_) {
        forward_winograd(map, sink);
    } else {
        forward_im2col(map, sink);
    }
}

Conv2dDecoder::Conv2dDecoder(linalg::Context& context, const Conv2dShape& shape,
                             const Conv2dDecoderWeights& weights)
    : shape_(shape),
      block_(block_of(shape)),
      codes_({block_, shape.units}),
      whitened_({block_, shape.whitening_dim}),
      patches_({block_, shape.patch_size()}),
      covering_(at(shape.height * shape.width), 0.0F) {
    const Tensor inverse = pseudoinverse(weights.whitening);
    decode_.emplace(context, block_, shape_.whitening_dim, shape_.units, weights.decoder_weights.data(),
                    weights.decoder_bias.data());
    color_.emplace(context, block_, shape_.patch_size(), shape_.whitening_dim, inverse.data(),
                   weights.patch_mean.data());
    for (std::int64_t y = 0; y < shape_.height; ++y) {
        for (std::int64_t x = 0; x < shape_.width; ++x) {
            const auto over = [&](std::int64_t i, std::int64_t positions) {
                return std::min(i, positions - 1) - std::max<std::int64_t>(0, i - shape_.kernel + 1) + 1;
            };
            covering_[at(y * shape_.width + x)] =
                static_cast<float>(over(y, shape_.oh()) * over(x, shape_.ow()));
        }
    }
}

double Conv2dDecoder::working_floats(const Conv2dShape& shape) {
    const auto d = static_cast<double>(shape.patch_size());
    const auto r = static_cast<double>(shape.whitening_dim);
    const auto units = static_cast<double>(shape.units);
    // P⁺ as it is, while it is packed, and what it and V are packed into.
    return 2.0 * d * r + r * units + static_cast<double>(block_of(shape)) * (d + r + units) +
           static_cast<double>(shape.height * shape.width);
}

void Conv2dDecoder::run(const float* codes, float* map) {
    const std::int64_t units = shape_.units;
    const std::int64_t positions = shape_.oh() * shape_.ow();
    const std::int64_t line = shape_.kernel * shape_.channels;
    std::fill_n(map, shape_.input_size(), 0.0F);
    for (std::int64_t first = 0; first < positions; first += block_) {
        const std::int64_t count = std::min(block_, positions - first);
        for (std::int64_t i = 0; i < count; ++i) {
            const float* from = codes + (first + i) * shape_.oc();
            float* row = codes_.row(i).data();
            std::copy_n(from, units, row);
            for (std::int64_t k = 0; shape_.activation == PatchActivation::crelu && k < units; ++k) {
                row[k] -= from[units + k];
            }
        }
        decode_->run(codes_.data(), whitened_.data());
        color_->run(whitened_.data(), patches_.data());
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t y = (first + i) / shape_.ow();
            const std::int64_t x = (first + i) % shape_.ow();
            for (std::int64_t k = 0; k < shape_.kernel; ++k) {
                linalg::add_row(patches_.row(i).data() + k * line, line,
                                map + ((y + k) * shape_.width + x) * shape_.channels);
            }
        }
    }
    for (std::int64_t i = 0; i < shape_.height * shape_.width; ++i) {
        linalg::scale_row(1.0F / covering_[at(i)], shape_.channels, map + i * shape_.channels);
    }
}

}  // namespace nn

template <>
constexpr auto base::enum_names<nn::PatchActivation> =
    base::names_of<nn::PatchActivation>("activation", {{nn::PatchActivation::relu, "relu"},
                                                       {nn::PatchActivation::crelu, "crelu"},
                                                       {nn::PatchActivation::linear, "linear"}});
template <>
constexpr auto base::enum_names<nn::Precision> = base::names_of<nn::Precision>(
    "precision", {{nn::Precision::float32, "float32"}, {nn::Precision::bfloat16, "bfloat16"}});
template const char* name(nn::Precision);
template nn::Precision parse(std::string_view);
template const char* name(nn::PatchActivation);
template nn::PatchActivation parse(std::string_view);

}  // namespace stackae

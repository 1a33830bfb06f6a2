#include "nn/convolution.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <numeric>

#include "stackae/error.hpp"

#include "base/vectorized.hpp"
#include "linalg/gemm.hpp"
#include "nn/kernels.hpp"

namespace stackae::nn {
namespace {

constexpr std::int64_t cache_values = 192 * 1024;  ///< floats of a block of patches and what is made of them
constexpr std::int64_t least_block = 16;
constexpr std::int64_t most_block = 128;

std::size_t at(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

STACKAE_VECTORIZED void even_out(float* patch, std::int64_t size, float epsilon) {
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

STACKAE_VECTORIZED void add_codes(const float* codes, std::int64_t size, float* to) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        to[i] += codes[i];
    }
}

STACKAE_VECTORIZED void raise_codes(const float* codes, std::int64_t size, float* to) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        to[i] = std::max(to[i], codes[i]);
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

/// code ← code / ‖code‖; zeros stay.
STACKAE_VECTORIZED void scale_to_unit_length(float* code, std::int64_t size) {
    float squares = 0.0F;
#pragma omp simd reduction(+ : squares)
    for (std::int64_t i = 0; i < size; ++i) {
        squares += code[i] * code[i];
    }
    const float scale = squares > 0.0F ? 1.0F / std::sqrt(squares) : 0.0F;
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        code[i] *= scale;
    }
}

STACKAE_VECTORIZED void scale_values(float factor, std::int64_t size, float* values) {
#pragma omp simd
    for (std::int64_t i = 0; i < size; ++i) {
        values[i] *= factor;
    }
}

std::int64_t block_of(const ConvolutionShape& shape) {
    const std::int64_t values = shape.patch_size() + shape.whitened + shape.units + shape.code_channels();
    const std::int64_t positions = shape.positions_down() * shape.positions_across();
    return std::min(positions, std::clamp(cache_values / values, least_block, most_block));
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

/// Takes each row's mean off it.
void center_rows(Tensor& matrix) {
    for (std::int64_t i = 0; i < matrix.rows(); ++i) {
        const auto row = matrix.row(i);
        const double mean = std::accumulate(row.begin(), row.end(), 0.0) / static_cast<double>(row.size());
        for (float& value : row) {
            value = static_cast<float>(double{value} - mean);
        }
    }
}

/// rows × size times size: what a bias of −(matrix · vector) needs.
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

/// P's pseudoinverse; its rows are orthogonal. patch_size × whitened.
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

}  // namespace

void unfold(const ConvolutionShape& shape, const float* map, std::int64_t first, std::int64_t count,
            float* rows) {
    const std::int64_t line = shape.kernel * shape.channels;
    const std::int64_t pitch = shape.width * shape.channels;
    const std::int64_t d = shape.patch_size();
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t y = (first + i) / shape.positions_across();
        const std::int64_t x = (first + i) % shape.positions_across();
        float* row = rows + i * d;
        for (std::int64_t k = 0; k < shape.kernel; ++k) {
            std::copy_n(map + (y + k) * pitch + x * shape.channels, line, row + k * line);
        }
        if (shape.contrast) {
            even_out(row, d, shape.contrast_epsilon);
        }
    }
}

Convolution::Convolution(linalg::Context& context, const ConvolutionLayer& layer)
    : shape_(layer.shape), block_(block_of(layer.shape)), context_(&context), layer_(&layer) {
    const std::int64_t d = shape_.patch_size();
    const std::int64_t r = shape_.whitened;
    const std::int64_t units = shape_.units;
    const bool relu = !shape_.two_sided && !shape_.unit_length;
    Tensor bias({units});  // the threshold, where it is not applied to both signs later
    if (!shape_.two_sided) {
        bias = layer.bias;
    }
    const bool fused = d * units <= d * r + r * units;
    Tensor filters = fused ? Tensor({units, d}) : layer.whitening;
    if (fused) {
        linalg::Gemm(context, units, d, r).run(layer.weights.data(), layer.whitening.data(), filters.data());
    }
    bias_ = negated_product(filters, layer.patch_mean);
    if (fused) {
        add_codes(bias.data(), units, bias_.data());
    }
    const PatchShape patches{shape_.channels, shape_.height, shape_.width, shape_.kernel};
    if (WinogradProduct::pays(patches, filters.rows())) {
        if (shape_.contrast) {
            center_rows(filters);  // which takes the mean off each patch
        }
        winograd_.emplace(context, patches, filters.data(), filters.rows());
        const std::int64_t positions = winograd_->rows() * winograd_->columns();
        scale_.assign(at(positions), 1.0F);
        column_sums_.resize(at(2 * shape_.width * shape_.channels));
        least_ = fused && relu ? 0.0F : std::numeric_limits<float>::lowest();
        // Rows of whole blocks, since `encode_` takes nothing less.
        products_ = Tensor({(positions + block_ - 1) / block_ * block_, filters.rows()});
    } else {
        unfolded_.emplace(context, block_, filters.rows(), d, filters.data(), bias_.data(), fused && relu);
        patches_ = Tensor({block_, d});
        products_ = Tensor({block_, filters.rows()});
    }
    if (!fused) {
        encode_.emplace(context, block_, units, r, layer.weights.data(), bias.data(), relu);
        codes_ = Tensor({block_, units});
    }
    if (shape_.two_sided) {
        signs_ = Tensor({shape_.code_channels()});
    }

    const auto spans_of = [&](std::int64_t positions, std::int64_t cells) {
        std::vector<Span> spans(at(positions), Span{cells, 0});
        for (std::int64_t cell = 0; cell < cells; ++cell) {
            const bool grid = shape_.pool_size == 0;
            const std::int64_t first = grid ? cell * positions / cells : cell * shape_.pool_stride;
            const std::int64_t last = grid ? (cell + 1) * positions / cells : first + shape_.pool_size;
            for (std::int64_t p = first; p < last; ++p) {
                spans[at(p)] = {std::min(spans[at(p)].first, cell), cell + 1};
            }
        }
        return spans;
    };
    down_ = spans_of(shape_.positions_down(), shape_.cells_down());
    across_ = spans_of(shape_.positions_across(), shape_.cells_across());
    cell_scale_.assign(at(shape_.cells_down() * shape_.cells_across()), 0.0F);
    for (const Span& y : down_) {
        for (const Span& x : across_) {
            for (std::int64_t cy = y.first; cy < y.last; ++cy) {
                for (std::int64_t cx = x.first; cx < x.last; ++cx) {
                    cell_scale_[at(cy * shape_.cells_across() + cx)] += 1.0F;
                }
            }
        }
    }
    std::transform(cell_scale_.begin(), cell_scale_.end(), cell_scale_.begin(),
                   [](float positions) { return 1.0F / positions; });
}

void Convolution::pool(float* code, std::int64_t position, float* pooled) {
    const std::int64_t size = shape_.code_channels();
    if (shape_.unit_length) {
        scale_to_unit_length(code, shape_.units);
    }
    if (shape_.two_sided) {
        split_signs(code, layer_->bias.data(), shape_.units, signs_.data());
        code = signs_.data();
    }
    const Span y = down_[at(position / shape_.positions_across())];
    const Span x = across_[at(position % shape_.positions_across())];
    for (std::int64_t cy = y.first; cy < y.last; ++cy) {
        for (std::int64_t cx = x.first; cx < x.last; ++cx) {
            float* cell = pooled + (cy * shape_.cells_across() + cx) * size;
            if (shape_.pooling == Pooling::average) {
                add_codes(code, size, cell);
            } else {
                raise_codes(code, size, cell);
            }
        }
    }
}

float* Convolution::encode(float* products) {
    if (!encode_) {
        return products;
    }
    encode_->run(products, codes_.data());
    return codes_.data();
}

void Convolution::encode_unfolded(const float* map, float* pooled) {
    const std::int64_t positions = shape_.positions_down() * shape_.positions_across();
    for (std::int64_t first = 0; first < positions; first += block_) {
        const std::int64_t count = std::min(block_, positions - first);
        unfold(shape_, map, first, count, patches_.data());
        unfolded_->run(patches_.data(), products_.data());
        float* codes = encode(products_.data());
        for (std::int64_t i = 0; i < count; ++i) {
            pool(codes + i * shape_.units, first + i, pooled);
        }
    }
}

void Convolution::settle_contrast(const float* map, std::int64_t y, std::int64_t x, std::int64_t count,
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

void Convolution::encode_by_winograd(const float* map, float* pooled) {
    const std::int64_t all_across = shape_.positions_across();
    const std::int64_t columns = winograd_->columns();
    const std::int64_t block = winograd_->rows() * columns;
    // Filters whose sum is 0 do not see it, and what is left is rounded less.
    const float offset = shape_.contrast ? mean_of(map, shape_.input_size()) : 0.0F;
    for (std::int64_t y = 0; y < shape_.positions_down(); y += winograd_->rows()) {
        for (std::int64_t x = 0; x < all_across; x += columns) {
            const auto inside = [&](std::int64_t i) {
                return y + i / columns < shape_.positions_down() && x + i % columns < all_across;
            };
            for (std::int64_t i = 0; shape_.contrast && i < block && inside(i); i += columns) {
                settle_contrast(map, y + i / columns, x, std::min(columns, all_across - x), offset,
                                scale_.data() + i);
            }
            winograd_->run(map, y, x, offset, {scale_.data(), bias_.data(), least_}, products_.data());
            for (std::int64_t first = 0; first < block; first += block_) {
                float* codes = encode(products_.row(first).data());
                for (std::int64_t i = first; i < std::min(first + block_, block); ++i) {
                    if (inside(i)) {
                        pool(codes + (i - first) * shape_.units,
                             (y + i / columns) * all_across + x + i % columns, pooled);
                    }
                }
            }
        }
    }
}

void Convolution::forward(const float* map, float* code) {
    const bool average = shape_.pooling == Pooling::average;
    std::fill_n(code, shape_.output_size(), average ? 0.0F : std::numeric_limits<float>::lowest());
    if (winograd_) {
        encode_by_winograd(map, code);
    } else {
        encode_unfolded(map, code);
    }
    if (average) {
        for (std::size_t cell = 0; cell < cell_scale_.size(); ++cell) {
            scale_values(cell_scale_[cell], shape_.code_channels(),
                         code + static_cast<std::int64_t>(cell) * shape_.code_channels());
        }
    }
    if (shape_.root) {
        take_roots(code, shape_.output_size(), code);
    }
}

void Convolution::backward(const float* code, float* map) {
    if (shape_.root) {
        squared_ = Tensor({shape_.output_size()});
        take_squares(code, squared_.size(), squared_.data());
        code = squared_.data();
    }
    const std::int64_t d = shape_.patch_size();
    const std::int64_t units = shape_.units;
    if (!decode_) {
        const Tensor inverse = pseudoinverse(layer_->whitening);
        decode_.emplace(*context_, block_, shape_.whitened, units, layer_->decoder_weights.data(),
                        layer_->decoder_bias.data(), false);
        color_.emplace(*context_, block_, d, shape_.whitened, inverse.data(), layer_->patch_mean.data(),
                       false);
        whitened_ = Tensor({block_, shape_.whitened});
        patches_ = Tensor({block_, d});
        codes_ = Tensor({block_, units});
    }
    std::fill_n(map, shape_.input_size(), 0.0F);
    std::vector<float> covered(at(shape_.height * shape_.width), 0.0F);
    const std::int64_t positions = shape_.positions_down() * shape_.positions_across();
    const std::int64_t line = shape_.kernel * shape_.channels;
    for (std::int64_t first = 0; first < positions; first += block_) {
        const std::int64_t count = std::min(block_, positions - first);
        std::fill_n(codes_.data(), codes_.size(), 0.0F);
        for (std::int64_t i = 0; i < count; ++i) {
            const Span y = down_[at((first + i) / shape_.positions_across())];
            const Span x = across_[at((first + i) % shape_.positions_across())];
            float* row = codes_.row(i).data();
            std::int64_t cells = 0;
            for (std::int64_t cy = y.first; cy < y.last; ++cy) {
                for (std::int64_t cx = x.first; cx < x.last; ++cx, ++cells) {
                    const float* cell = code + (cy * shape_.cells_across() + cx) * shape_.code_channels();
                    add_codes(cell, units, row);
                    for (std::int64_t k = 0; shape_.two_sided && k < units; ++k) {
                        row[k] -= cell[units + k];
                    }
                }
            }
            if (cells > 1) {
                scale_values(1.0F / static_cast<float>(cells), units, row);
            }
        }
        decode_->run(codes_.data(), whitened_.data());
        color_->run(whitened_.data(), patches_.data());
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t y = (first + i) / shape_.positions_across();
            const std::int64_t x = (first + i) % shape_.positions_across();
            for (std::int64_t k = 0; k < shape_.kernel; ++k) {
                const std::int64_t pixel = (y + k) * shape_.width + x;
                add_codes(patches_.row(i).data() + k * line, line, map + pixel * shape_.channels);
                for (std::int64_t l = 0; l < shape_.kernel; ++l) {
                    covered[at(pixel + l)] += 1.0F;
                }
            }
        }
    }
    for (std::int64_t pixel = 0; pixel < shape_.height * shape_.width; ++pixel) {
        for (std::int64_t c = 0; c < shape_.channels; ++c) {
            const std::int64_t i = pixel * shape_.channels + c;
            map[i] = layer_->gain * map[i] / covered[at(pixel)] + layer_->offset.data()[i];
        }
    }
}

}  // namespace stackae::nn

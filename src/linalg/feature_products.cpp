#include "linalg/feature_products.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "base/vectorized.hpp"

namespace stackae::linalg {
namespace {

using base::at;

// A kernel holds 6 × 16 sums in registers, of AVX2 as of AVX-512. A tile of rows and columns stays in a
// core's cache.
constexpr std::int64_t lanes = 16;
constexpr std::int64_t unrolled = 6;
constexpr std::int64_t tile_rows = 16 * unrolled;
constexpr std::int64_t tile_columns = 80 * unrolled;
/// Rows are shared out in so many parts at most, each with sums of its own.
constexpr std::int64_t max_parts = 32;
constexpr std::int64_t max_vectors = 32;  // at a time

using Lanes [[gnu::vector_size(lanes * sizeof(float)), gnu::aligned(alignof(float)), gnu::may_alias]] = float;

std::int64_t rounded_up(std::int64_t size, std::int64_t multiple) {
    return (size + multiple - 1) / multiple * multiple;
}

/// s (rows × lanes, `pitch` apart) += z · p. z: rows × tile_columns, a multiple of `unrolled` rows; p:
/// columns × lanes.
STACKAE_VECTORIZED
void multiply_tile(const float* z, std::int64_t rows, const float* p, float* s, std::int64_t pitch) {
    for (std::int64_t i = 0; i < rows; i += unrolled, z += unrolled * tile_columns, s += unrolled * pitch) {
        Lanes sum[unrolled];
        for (std::int64_t u = 0; u < unrolled; ++u) {
            std::memcpy(&sum[u], s + u * pitch, sizeof(Lanes));
        }
        for (std::int64_t j = 0; j < tile_columns; ++j) {
            Lanes of_column;
            std::memcpy(&of_column, p + j * lanes, sizeof(Lanes));
            for (std::int64_t u = 0; u < unrolled; ++u) {
                sum[u] += z[u * tile_columns + j] * of_column;
            }
        }
        for (std::int64_t u = 0; u < unrolled; ++u) {
            std::memcpy(s + u * pitch, &sum[u], sizeof(Lanes));
        }
    }
}

/// g (tile_columns × lanes) += zᵀ · s.
STACKAE_VECTORIZED
void multiply_tile_back(const float* z, std::int64_t rows, const float* s, std::int64_t pitch, float* g) {
    for (std::int64_t j = 0; j < tile_columns; j += unrolled, g += unrolled * lanes) {
        Lanes sum[unrolled];
        std::memcpy(&sum, g, sizeof(sum));
        for (std::int64_t i = 0; i < rows; ++i) {
            Lanes of_row;
            std::memcpy(&of_row, s + i * pitch, sizeof(Lanes));
            for (std::int64_t u = 0; u < unrolled; ++u) {
                sum[u] += z[i * tile_columns + j + u] * of_row;
            }
        }
        std::memcpy(g, &sum, sizeof(sum));
    }
}

STACKAE_VECTORIZED
void standardise(const float* mean, const float* inverse, std::int64_t count, float* z) {
    for (std::int64_t j = 0; j < count; ++j) {
        z[j] = (z[j] - mean[j]) * inverse[j];
    }
}

/// Vectors as the kernels take them: by groups of `lanes` vectors, column after column of each group.
class Packed {
public:
    Packed(std::int64_t vectors, std::int64_t columns)
        : groups_(rounded_up(vectors, lanes) / lanes),
          columns_(columns),
          values_(at(groups_ * columns * lanes)),
          bias_(at(groups_ * lanes)) {}

    /// Of vectors from `first` on.
    void pack(const Tensor& w, std::int64_t first, std::int64_t count) {
        for (std::int64_t j = 0; j + 1 < w.rows(); ++j) {
            const float* const from = w.row(j).data() + first;
            for (std::int64_t k = 0; k < count; ++k) {
                group(k / lanes)[j * lanes + k % lanes] = from[k];
            }
        }
        std::copy_n(w.row(w.rows() - 1).data() + first, count, bias_.data());
    }
    void unpack(Tensor& w, std::int64_t first, std::int64_t count) const {
        for (std::int64_t j = 0; j + 1 < w.rows(); ++j) {
            float* const to = w.row(j).data() + first;
            for (std::int64_t k = 0; k < count; ++k) {
                to[k] = group(k / lanes)[j * lanes + k % lanes];
            }
        }
        std::copy_n(bias_.data(), count, w.row(w.rows() - 1).data() + first);
    }
    void add(const Packed& other) {
        std::transform(values_.begin(), values_.end(), other.values_.begin(), values_.begin(), std::plus<>{});
        std::transform(bias_.begin(), bias_.end(), other.bias_.begin(), bias_.begin(), std::plus<>{});
    }

    [[nodiscard]] std::int64_t groups() const { return groups_; }
    [[nodiscard]] float* group(std::int64_t g) { return values_.data() + g * columns_ * lanes; }
    [[nodiscard]] const float* group(std::int64_t g) const { return values_.data() + g * columns_ * lanes; }
    [[nodiscard]] std::span<float> bias() { return bias_; }
    [[nodiscard]] std::span<const float> bias() const { return bias_; }

private:
    std::int64_t groups_;
    std::int64_t columns_;
    std::vector<float> values_;
    std::vector<float> bias_;
};

}  // namespace

/// Blocks of rows on one thread.
class FeatureProducts::Worker {
public:
    Worker(const FeatureProducts& of, std::span<const std::int64_t> places, std::int64_t vectors)
        : of_(of),
          places_(places),
          pitch_(rounded_up(vectors, lanes)),
          tile_({tile_rows, tile_columns}),
          scores_({tile_rows, pitch_}) {}

    /// Makes the scores of `count` rows from places[first] on.
    void forward(std::int64_t first, std::int64_t count, const Packed& w) {
        for (std::int64_t i = 0; i < tile_rows; ++i) {
            std::copy(w.bias().begin(), w.bias().end(), scores_.row(i).begin());
        }
        const std::int64_t rows = rounded_up(count, unrolled);
        for (std::int64_t column = 0; column < of_.padded(); column += tile_columns) {
            fill(first, count, column);
            for (std::int64_t g = 0; g < w.groups(); ++g) {
                multiply_tile(tile_.data(), rows, w.group(g) + column * lanes, scores_.data() + g * lanes,
                              pitch_);
            }
        }
    }

    /// Scores that were not made by forward(), of vectors from `vector` on.
    void set(std::int64_t first, std::int64_t count, std::int64_t vector, std::int64_t vectors,
             const Scores& scores) {
        for (std::int64_t i = 0; i < count; ++i) {
            for (std::int64_t k = 0; k < vectors; ++k) {
                scores_.row(i)[at(k)] = scores(places_[at(first + i)], vector + k);
            }
        }
    }

    /// sum += Zᵀ scores of those rows.
    void back(std::int64_t first, std::int64_t count, Packed& sum) {
        for (std::int64_t i = 0; i < count; ++i) {
            std::transform(sum.bias().begin(), sum.bias().end(), scores_.row(i).begin(), sum.bias().begin(),
                           std::plus<>{});
        }
        for (std::int64_t column = 0; column < of_.padded(); column += tile_columns) {
            fill(first, count, column);
            for (std::int64_t g = 0; g < sum.groups(); ++g) {
                multiply_tile_back(tile_.data(), count, scores_.data() + g * lanes, pitch_,
                                   sum.group(g) + column * lanes);
            }
        }
    }

private:
    void fill(std::int64_t first, std::int64_t count, std::int64_t column) {
        const std::int64_t columns = std::min(tile_columns, of_.width() - 1 - column);
        for (std::int64_t i = 0; i < count; ++i) {
            float* const z = tile_.row(i).data();
            of_.rows_.copy(places_[at(first + i)], column, columns, z);
            standardise(of_.mean_.data() + column, of_.inverse_.data() + column, columns, z);
            std::fill(z + columns, z + tile_columns, 0.0F);
        }
        std::fill(tile_.row(count - 1).data() + tile_columns, tile_.data() + tile_.size(), 0.0F);
    }

    const FeatureProducts& of_;
    std::span<const std::int64_t> places_;
    std::int64_t pitch_;
    Tensor tile_;
    Tensor scores_;
};

FeatureProducts::FeatureProducts(const FeatureRows& rows, const StandardScaler& scale, int threads)
    : rows_(rows), scale_(scale), threads_(threads) {
    for (std::size_t j = 0; j < scale.mean.size(); ++j) {
        mean_.push_back(static_cast<float>(scale.mean[j]));
        inverse_.push_back(static_cast<float>(1.0 / scale.deviation[j]));
    }
}

std::int64_t FeatureProducts::padded() const {
    return rounded_up(width() - 1, tile_columns);
}

void FeatureProducts::run(std::span<const std::int64_t> places, std::int64_t vectors, const Forward& forward,
                          Tensor& to) const {
    const std::int64_t n = std::ssize(places);
    const std::int64_t blocks = rounded_up(n, tile_rows) / tile_rows;
    const std::int64_t parts = std::min(blocks, max_parts);
    for (std::int64_t vector = 0; vector < vectors; vector += max_vectors) {
        const std::int64_t count = std::min(max_vectors, vectors - vector);
        Packed packed(count, padded());
        if (forward.w != nullptr) {
            packed.pack(*forward.w, vector, count);
        }
        std::vector<std::optional<Packed>> sums(at(parts));
        base::parallel_for(parts, threads_, [&] {
            return [&, worker = Worker(*this, places, count)](std::int64_t part) mutable {
                Packed& sum = sums[at(part)].emplace(count, padded());
                for (std::int64_t block = blocks * part / parts; block < blocks * (part + 1) / parts;
                     ++block) {
                    const std::int64_t first = block * tile_rows;
                    const std::int64_t rows = std::min(tile_rows, n - first);
                    if (forward.w != nullptr) {
                        worker.forward(first, rows, packed);
                    } else {
                        worker.set(first, rows, vector, count, forward.scores);
                    }
                    worker.back(first, rows, sum);
                }
            };
        });
        for (std::int64_t part = 1; part < parts; ++part) {
            sums.front()->add(*sums[at(part)]);
        }
        sums.front()->unpack(to, vector, count);
    }
}

void FeatureProducts::multiply(std::span<const std::int64_t> places, const Tensor& w, Tensor& to) const {
    run(places, w.columns(), {&w, nullptr}, to);
}

void FeatureProducts::back(std::span<const std::int64_t> places, std::int64_t vectors, const Scores& scores,
                           Tensor& to) const {
    run(places, vectors, {nullptr, scores}, to);
}

std::int64_t FeatureProducts::memory_bytes(std::int64_t width, std::int64_t vectors, int threads) {
    const std::int64_t lanes_of = rounded_up(std::min(vectors, max_vectors), lanes);
    return static_cast<std::int64_t>(sizeof(float)) *
           ((max_parts + 1) * (rounded_up(width, tile_columns) + 1) * lanes_of + 2 * width +
            threads * tile_rows * (tile_columns + lanes_of));
}

}  // namespace stackae::linalg

#include "linalg/positive_definite.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "linalg/onednn.hpp"
#include "linalg/tiled_product.hpp"

namespace stackae::linalg {
namespace {

constexpr std::int64_t small = 8192;  ///< extents up to this take narrower blocks

/// Rows of pivots that are swept at a time.
std::int64_t block_of(std::int64_t n) {
    return n <= small ? 128 : 256;
}

/// Rows and columns of a tile: such that few tiles lie across the diagonal.
std::int64_t tile_of(std::int64_t n) {
    return std::clamp<std::int64_t>((n / 12 + 63) / 64 * 64, 128, 1024);
}

using Block = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// The inverse of a block on the diagonal, in double precision.
Block inverse_of(const Tensor& matrix, std::int64_t first, std::int64_t count) {
    Eigen::MatrixXd block(count, count);
    for (std::int64_t i = 0; i < count; ++i) {
        for (std::int64_t j = i; j < count; ++j) {
            block(i, j) = block(j, i) = double{matrix.row(first + i)[static_cast<std::size_t>(first + j)]};
        }
    }
    const Eigen::LLT<Eigen::MatrixXd> factors(block);
    if (factors.info() != Eigen::Success) {
        throw InvalidArgument(
            fmt::format("inverse of a matrix of {0} × {0}: not positive definite in rows {1} to {2}",
                        matrix.rows(), first + 1, first + count));
    }
    return factors.solve(Eigen::MatrixXd::Identity(count, count)).cast<float>();
}

}  // namespace

PositiveDefiniteInverse::PositiveDefiniteInverse(Tensor& matrix, int threads)
    : matrix_(matrix), threads_(threads) {
    const std::int64_t n = matrix.rows();
    if (matrix.columns() != n) {
        throw InvalidArgument(fmt::format(
            "inverse of a matrix: {} × {} found, as many rows as columns expected", n, matrix.columns()));
    }
    panel_ = Tensor({n, std::min(n, block_of(n))});
    solved_ = Tensor({n, panel_.columns()});
}

bool PositiveDefiniteInverse::step() {
    const std::int64_t n = matrix_.rows();
    if (done_ < n) {
        const std::int64_t count = std::min(panel_.columns(), n - done_);
        sweep(done_, count);
        done_ += count;
        return true;
    }
    base::parallel_for(n, threads_, [&] {
        return [this](std::int64_t i) {
            const auto row = matrix_.row(i);
            std::transform(row.begin() + i, row.end(), row.begin() + i, [](float value) { return -value; });
        };
    });
    mirror_upper(matrix_, threads_);
    return false;
}

void PositiveDefiniteInverse::sweep(std::int64_t first, std::int64_t count) {
    const std::int64_t n = matrix_.rows();
    const std::int64_t width = panel_.columns();
    const std::int64_t tile = tile_of(n);
    const std::int64_t tiles = (n + tile - 1) / tile;
    const Block inverse = inverse_of(matrix_, first, count);
    const auto at = [&](std::int64_t i, std::int64_t j) { return matrix_.data() + i * n + j; };
    base::parallel_for(tiles, threads_, [&] {
        return [&](std::int64_t t) {
            const std::int64_t rows = std::min(tile, n - t * tile);
            for (std::int64_t i = t * tile; i < t * tile + rows; ++i) {
                float* to = panel_.row(i).data();
                for (std::int64_t k = 0; k < count; ++k) {
                    to[k] = i < first + k ? *at(i, first + k) : *at(first + k, i);
                }
            }
            sgemm(rows, count, count, 1.0F, panel_.row(t * tile).data(), width, false, inverse.data(), count,
                  false, 0.0F, solved_.row(t * tile).data(), width);
        };
    });
    std::vector<std::pair<std::int64_t, std::int64_t>> upper;
    for (std::int64_t i = 0; i < tiles; ++i) {
        for (std::int64_t j = i; j < tiles; ++j) {
            upper.emplace_back(i * tile, j * tile);
        }
    }
    base::parallel_for(std::ssize(upper), threads_, [&] {
        return [&](std::int64_t t) {
            const auto [i, j] = upper[static_cast<std::size_t>(t)];
            sgemm(std::min(tile, n - i), std::min(tile, n - j), count, -1.0F, solved_.row(i).data(), width,
                  false, panel_.row(j).data(), width, true, 1.0F, at(i, j), n);
        };
    });
    for (std::int64_t i = 0; i < first; ++i) {
        std::copy_n(solved_.row(i).data(), count, at(i, first));
    }
    for (std::int64_t k = 0; k < count; ++k) {
        for (std::int64_t j = first + k; j < first + count; ++j) {
            *at(first + k, j) = -inverse(k, j - first);
        }
        for (std::int64_t j = first + count; j < n; ++j) {
            *at(first + k, j) = solved_.row(j)[static_cast<std::size_t>(k)];
        }
    }
}

double PositiveDefiniteInverse::working_floats(std::int64_t n) {
    return 2.0 * static_cast<double>(n) * static_cast<double>(std::min(n, block_of(n)));
}

double PositiveDefiniteInverse::multiply_adds(std::int64_t n) {
    const auto real = static_cast<double>(n);
    return real * real * (real / 2.0 + static_cast<double>(std::min(n, block_of(n))));
}

void invert_positive_definite(Tensor& matrix, int threads) {
    PositiveDefiniteInverse inverse(matrix, threads);
    while (inverse.step()) {
    }
}

}  // namespace stackae::linalg

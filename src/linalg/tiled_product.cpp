#include "linalg/tiled_product.hpp"

#include <algorithm>
#include <dnnl.hpp>
#include <fmt/format.h>
#include <utility>

#include "stackae/error.hpp"

#include "base/parallel.hpp"

namespace stackae::linalg {
namespace {

// oneDNN's kernels take 48 columns and 8 rows at a time (AVX-512), or 24 and 4 (AVX2): tiles are multiples.
// A tile packs its part of A and of B anew, and takes least time where its part of B is as wide as the cache
// allows; it is less high where there would be few tiles for many threads.
constexpr std::int64_t kernel_columns = 48;
constexpr std::int64_t kernel_rows = 8;
constexpr std::int64_t max_columns = 528;
constexpr std::int64_t min_rows = 64;
constexpr std::int64_t max_rows = 128;
constexpr std::int64_t wanted_bands = 4;
/// Up to so many, each thread takes neighbours, whose rows it finds in its cache when it goes on with them;
/// more are taken as threads become free.
constexpr std::int64_t few_tiles = 32;
constexpr std::int64_t max_gram_side = 192;
constexpr std::int64_t wanted_gram_sides = 6;

constexpr std::int64_t mirrored = 256;  // columns that are mirrored at a time: rows of both stay cached

std::int64_t parts(std::int64_t extent, std::int64_t part) {
    return (extent + part - 1) / part;
}

std::int64_t rounded_up(std::int64_t extent, std::int64_t multiple) {
    return parts(extent, multiple) * multiple;
}

/// Rows and columns of a tile.
struct Tile {
    std::int64_t m;
    std::int64_t n;
};

Tile tile_of(std::int64_t m, std::int64_t n) {
    const std::int64_t across = std::max<std::int64_t>(1, (n + max_columns / 2) / max_columns);
    return {std::clamp(rounded_up(parts(m, wanted_bands), kernel_rows), min_rows, max_rows),
            rounded_up(parts(n, across), kernel_columns)};
}

/// Of a product with itself, square.
Tile gram_tile_of(std::int64_t d) {
    const std::int64_t side =
        std::min(rounded_up(parts(d, wanted_gram_sides), kernel_columns), max_gram_side);
    return {side, side};
}

/// Calls body(y, x, tile) for every tile of m × n, the place of its first value and its extents, on OpenMP's
/// threads. Less than half a tile is left to the tile before.
template <class Body>
void each_tile(std::int64_t m, std::int64_t n, const Tile& tile, const Body& body) {
    const std::int64_t columns = std::max<std::int64_t>(1, (n + tile.n / 2) / tile.n);
    const auto at = [&](std::int64_t i) {
        const std::int64_t y = i / columns * tile.m;
        const std::int64_t x = i % columns * tile.n;
        const bool is_last = i % columns == columns - 1;
        body(y, x, Tile{std::min(tile.m, m - y), is_last ? n - x : tile.n});
    };
    const std::int64_t tiles = parts(m, tile.m) * columns;
    if (tiles <= few_tiles) {
        // In a team even of one, so that oneDNN shares out no sum.
        const int threads = static_cast<int>(std::min<std::int64_t>(tiles, base::current_threads()));
        base::run_team(threads, [&](std::int64_t member, std::int64_t team) {
            for (std::int64_t i = tiles * member / team; i < tiles * (member + 1) / team; ++i) {
                at(i);
            }
        });
    } else {
        base::parallel_for(tiles, base::current_threads(), [&] { return at; });
    }
}

/// C = A · B + beta C of a tile of the product, on the calling thread.
void multiply_tile(const TiledProduct& product, std::int64_t y, std::int64_t x, const Tile& tile,
                   const float* a, const float* b, float beta, float* c) {
    const auto& [m, n, k, trans_a, trans_b] = product;
    const dnnl::status status = dnnl::sgemm(
        trans_a ? 'T' : 'N', trans_b ? 'T' : 'N', tile.m, tile.n, k, 1.0F, a + (trans_a ? y : y * k),
        trans_a ? m : k, b + (trans_b ? x * k : x), trans_b ? k : n, beta, c + y * n + x, n);
    if (status != dnnl::status::success) {
        throw BackendError(fmt::format("matrix product of {} × {} × {}: oneDNN: status {}", m, n, k,
                                       static_cast<int>(status)));
    }
}

}  // namespace

void TiledProduct::run(const float* a, const float* b, float* c, const float* bias) const {
    each_tile(m, n, tile_of(m, n), [&](std::int64_t y, std::int64_t x, const Tile& tile) {
        for (std::int64_t i = y; bias != nullptr && i < y + tile.m; ++i) {
            std::copy_n(bias + x, tile.n, c + i * n + x);
        }
        multiply_tile(*this, y, x, tile, a, b, bias != nullptr ? 1.0F : 0.0F, c);
    });
}

void TiledProduct::add(const float* a, const float* b, float* c) const {
    each_tile(m, n, tile_of(m, n), [&](std::int64_t y, std::int64_t x, const Tile& tile) {
        multiply_tile(*this, y, x, tile, a, b, 1.0F, c);
    });
}

void add_gram(const float* rows, std::int64_t n, std::int64_t d, float* sum) {
    const TiledProduct product{.m = d, .n = d, .k = n, .trans_a = true};
    each_tile(d, d, gram_tile_of(d), [&](std::int64_t y, std::int64_t x, const Tile& tile) {
        if (x + tile.n > y) {
            multiply_tile(product, y, x, tile, rows, rows, 1.0F, sum);
        }
    });
}

void mirror_upper(Tensor& matrix, int threads) {
    const std::int64_t size = matrix.rows();
    base::parallel_for(parts(size, mirrored), threads, [&] {
        return [&](std::int64_t block) {
            const std::int64_t end = std::min((block + 1) * mirrored, size);
            for (std::int64_t i = block * mirrored; i < size; ++i) {
                const auto row = matrix.row(i);
                for (std::int64_t j = block * mirrored; j < std::min(i, end); ++j) {
                    row[static_cast<std::size_t>(j)] = std::as_const(matrix).data()[j * size + i];
                }
            }
        };
    });
}

}  // namespace stackae::linalg

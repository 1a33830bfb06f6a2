#include "search/patch_encoder.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <string>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "base/rows.hpp"
#include "base/threads.hpp"
#include "linalg/vector_ops.hpp"
#include "model/receptive_field.hpp"

namespace stackae::search {
namespace {

using base::at;

/// Pixels between positions: of larger pictures, and of smaller ones than `large`.
constexpr std::int64_t stride_of_large = 8;
constexpr std::int64_t stride_of_small = 4;
constexpr std::int64_t large = 128;
/// A size of a picture is looked at where its shorter side has as many pixels.
constexpr std::int64_t least_side = 32;
/// How far about a position codes are averaged, in positions.
constexpr double neighbourhood = 1.5;
/// Pictures are encoded together as long as what they are made into has so many values, at most: as much as
/// caches hold, and as memory is given back for the next ones without being cleared by the system.
constexpr std::int64_t values_at_once = std::int64_t{1} << 22;
/// Rows of a picture that are worth a thread.
constexpr std::int64_t rows_of_a_thread = 8;

void copy_tile(const float* picture, const Shape& shape, std::int64_t top, std::int64_t left,
               const Shape& tile, float* out) {
    for (std::int64_t y = 0; y < tile.height; ++y) {
        const float* row = picture + mirrored(top + y, shape.height) * shape.width * shape.channels;
        if (left >= 0 && left + tile.width <= shape.width) {
            std::copy_n(row + left * shape.channels, tile.width * shape.channels, out);
            out += tile.width * shape.channels;
            continue;
        }
        for (std::int64_t x = 0; x < tile.width; ++x) {
            std::copy_n(row + mirrored(left + x, shape.width) * shape.channels, shape.channels, out);
            out += shape.channels;
        }
    }
}

/// The mean of each square of two by two.
Tensor halved(const Tensor& pictures, const Shape& from, const Shape& to) {
    Tensor out({pictures.rows(), to.size()});
    base::parallel_ranges(
        pictures.rows() * to.height, rows_of_a_thread, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                const std::int64_t line = from.width * from.channels;
                const float* above = pictures.row(row / to.height).data() + 2 * (row % to.height) * line;
                const float* below = above + line;
                float* half = out.data() + row * to.width * to.channels;
                for (std::int64_t x = 0; x < to.width; ++x) {
                    for (std::int64_t c = 0; c < from.channels; ++c) {
                        const std::int64_t left = 2 * x * from.channels + c;
                        const std::int64_t right = left + from.channels;
                        *half++ = 0.25F * (above[left] + above[right] + below[left] + below[right]);
                    }
                }
            }
        });
    return out;
}

/// Rows of the grid.
struct GridRows {
    std::int64_t begin = 0;
    std::int64_t end = 0;
};

/// Maps of `count` pictures, rows of `width` positions of `channels` values, brought to some rows of the grid
/// and written into the columns from `out` on of rows of `stride` values. add_row(i, y, weight, to) adds row
/// y of map i, times the weight.
template <class AddRow>
void resample(std::int64_t count, std::int64_t width, std::int64_t channels, const Resampling& rows,
              const GridRows& some, const Resampling& columns, float* out, std::int64_t stride,
              const AddRow& add_row) {
    const std::int64_t of_picture = some.end - some.begin;
    base::parallel_ranges(count * of_picture, rows_of_a_thread, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> line(at(width * channels));
        std::vector<float> narrow(at(columns.size() * channels));
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t picture = i / of_picture;
            const std::int64_t row = some.begin + i % of_picture;
            std::fill(line.begin(), line.end(), 0.0F);
            rows.each(row, [&](std::int64_t y, float weight) { add_row(picture, y, weight, line.data()); });
            columns.run(line.data(), channels, narrow.data());
            float* const to = out + (picture * rows.size() + row) * columns.size() * stride;
            for (std::int64_t x = 0; x < columns.size(); ++x) {
                std::copy_n(narrow.data() + x * channels, channels, to + x * stride);
            }
        }
    });
}

}  // namespace

std::int64_t mirrored(std::int64_t i, std::int64_t n) {
    if (n == 1) {
        return 0;
    }
    const std::int64_t period = 2 * (n - 1);
    const std::int64_t in = (i % period + period) % period;
    return in < n ? in : period - in;
}

Resampling::Resampling(std::int64_t from, std::int64_t to, double ratio, double reach) {
    const double wide = reach * std::max(1.0, ratio);
    for (std::int64_t i = 0; i < to; ++i) {
        const double centre = (static_cast<double>(i) + 0.5) * ratio - 0.5;
        const auto low =
            std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(centre - wide)) + 1, 0, from - 1);
        const auto high =
            std::clamp<std::int64_t>(static_cast<std::int64_t>(std::ceil(centre + wide)) - 1, low, from - 1);
        std::vector<float> weights;
        double sum = 0.0;
        for (std::int64_t j = low; j <= high; ++j) {
            const double weight = std::max(1e-6, 1.0 - std::abs(static_cast<double>(j) - centre) / wide);
            weights.push_back(static_cast<float>(weight));
            sum += weight;
        }
        for (float& weight : weights) {
            weight /= static_cast<float>(sum);
        }
        first_.push_back(low);
        weights_.push_back(std::move(weights));
    }
}

void Resampling::run(const float* rows, std::int64_t columns, float* out) const {
    for (std::size_t i = 0; i < first_.size(); ++i) {
        float* to = out + static_cast<std::int64_t>(i) * columns;
        std::fill_n(to, columns, 0.0F);
        each(static_cast<std::int64_t>(i), [&](std::int64_t row, float weight) {
            linalg::add_scaled_row(weight, rows + row * columns, columns, to);
        });
    }
}

TileGeometry::TileGeometry(const Model& model, std::size_t depth)
    : tile(model.input_shape()), map(model.layers.output_shape(model.input_shape(), depth)) {
    const ReceptiveField field = receptive_field(model.layers, depth);
    // Where positions are further apart one way than the other, or a layer does not tell, they part the tile.
    const std::int64_t evenly =
        std::max<std::int64_t>(1, std::min(tile.height / map.height, tile.width / map.width));
    const bool told =
        field.down.stride == field.across.stride && field.down.stride >= 1 && field.down.stride <= evenly;
    stride = told ? field.down.stride : evenly;
    const auto side = [&](std::int64_t tile_side, std::int64_t positions, const ReceptiveField::Side& of) {
        Side used{0, positions, (tile_side - positions * stride) / 2};
        if (told) {
            const std::int64_t most = positions / 4;
            const std::int64_t last = of.offset + (positions - 1) * stride + of.size - tile_side;
            const auto beyond = [&](std::int64_t pixels) {
                return std::clamp<std::int64_t>((pixels + stride - 1) / stride, 0, most);
            };
            used.first = beyond(-of.offset);
            used.count = positions - used.first - beyond(last);
            used.margin = of.offset + used.first * stride + (of.size - stride) / 2;
        }
        return used;
    };
    down = side(tile.height, map.height, field.down);
    across = side(tile.width, map.width, field.across);
}

std::int64_t PatchEncoder::stride_of(const Shape& picture) {
    return std::max(picture.height, picture.width) >= large ? stride_of_large : stride_of_small;
}

std::vector<Shape> PatchEncoder::sizes(const Shape& picture, std::int64_t levels) {
    std::vector<Shape> sizes{picture};
    while (std::ssize(sizes) < levels) {
        Shape half = sizes.back();
        half.height /= 2;
        half.width /= 2;
        if (std::min(half.height, half.width) < least_side) {
            break;
        }
        sizes.push_back(half);
    }
    return sizes;
}

PatchEncoder::PatchEncoder(const Model& model, std::size_t depth, const Shape& picture, std::int64_t levels,
                           std::int64_t stride, int threads)
    : geometry_(model, depth),
      layers_(model.layers.layers(0, depth)),
      encoder_(model, {.output = std::to_string(depth), .threads = threads}),
      sizes_(sizes(picture, levels)),
      stride_(stride > 0 ? stride : std::max(geometry_.stride, stride_of(picture))),
      threads_(base::resolve_threads(threads)) {
    if (stride_ < geometry_.stride) {
        throw InvalidArgument(fmt::format("stride: {} found, {} or more expected, as the model's maps have",
                                          stride_, geometry_.stride));
    }
    height_ = (picture.height + stride_ - 1) / stride_;
    width_ = (picture.width + stride_ - 1) / stride_;
    for (std::size_t level = 0; level < sizes_.size(); ++level) {
        dimension_ += geometry_.map.channels;
        group_ends_.push_back(dimension_);
        dimension_ += 2 * picture.channels;
        group_ends_.push_back(dimension_);
    }
}

std::int64_t PatchEncoder::values_of_tile() const {
    return std::max(geometry_.tile.size(), geometry_.map.size());
}

std::int64_t PatchEncoder::at_once() const {
    std::int64_t values = positions() * dimension_;
    for (const Shape& size : sizes_) {
        const Tiling tiling = tiling_of(size);
        values = std::max(values, tiling.count() * values_of_tile());
    }
    return std::max<std::int64_t>(1, values_at_once / values);
}

Tensor PatchEncoder::encode(const Tensor& pictures) {
    const base::ThreadScope scope(threads_);
    Tensor out({pictures.rows() * positions(), dimension_});
    Tensor smaller;
    const Tensor* level_pictures = &pictures;
    std::int64_t offset = 0;
    for (std::size_t level = 0; level < sizes_.size(); ++level) {
        if (level > 0) {
            smaller = halved(*level_pictures, sizes_[level - 1], sizes_[level]);
            level_pictures = &smaller;
        }
        encode_level(*level_pictures, level, out.data() + offset);
        offset = group_ends_[2 * level];
        add_pixels(*level_pictures, level, out.data() + offset);
        offset = group_ends_[2 * level + 1];
    }
    return out;
}

PatchEncoder::Tiling PatchEncoder::tiling_of(const Shape& picture) const {
    const auto tiles = [&](std::int64_t side, const TileGeometry::Side& of) {
        return (side + geometry_.pixels(of) - 1) / geometry_.pixels(of);
    };
    return {tiles(picture.height, geometry_.down), tiles(picture.width, geometry_.across)};
}

PatchEncoder::Grid PatchEncoder::map_grid(std::size_t level) const {
    const Shape& shape = sizes_[level];
    const Tiling tiling = tiling_of(shape);
    const double ratio = static_cast<double>(stride_) / static_cast<double>(geometry_.stride) /
                         static_cast<double>(std::int64_t{1} << level);
    const auto positions = [&](std::int64_t tiles, const TileGeometry::Side& of, std::int64_t side) {
        return std::min(tiles * of.count, (side + geometry_.stride - 1) / geometry_.stride);
    };
    return {{positions(tiling.down, geometry_.down, shape.height), height_, ratio, neighbourhood},
            {positions(tiling.across, geometry_.across, shape.width), width_, ratio, neighbourhood}};
}

PatchEncoder::Grid PatchEncoder::pixel_grid(std::size_t level) const {
    const Shape& shape = sizes_[level];
    const double ratio = static_cast<double>(stride_) / static_cast<double>(std::int64_t{1} << level);
    return {{shape.height, height_, ratio, 1.0}, {shape.width, width_, ratio, 1.0}};
}

void PatchEncoder::encode_level(const Tensor& pictures, std::size_t level, float* out) {
    const Shape& shape = sizes_[level];
    const Tiling tiling = tiling_of(shape);
    const TileGeometry::Side& down = geometry_.down;
    const TileGeometry::Side& across = geometry_.across;
    const std::int64_t channels = geometry_.map.channels;
    const auto [rows, columns] = map_grid(level);
    const std::int64_t width = columns.last(width_ - 1) + 1;
    // Rows of tiles are encoded band by band, each as much as caches hold; a row of the grid is made of those
    // of two bands at most.
    std::int64_t tallest = 1;
    for (std::int64_t y = 0; y < height_; ++y) {
        tallest = std::max(tallest, rows.last(y) - rows.first(y) + 1);
    }
    const std::int64_t values = pictures.rows() * tiling.across * values_of_tile();
    const std::int64_t band = std::max(values_at_once / values, (tallest + down.count - 1) / down.count + 1);
    Tensor before;
    Tensor now;
    GridRows ready;
    for (std::int64_t first = 0; first < tiling.down; first += band) {
        before = std::move(now);
        const std::int64_t band_rows = std::min(band, tiling.down - first);
        now = encode_tiles(pictures, shape, first, band_rows);
        ready.begin = ready.end;
        while (ready.end < height_ && rows.last(ready.end) / down.count < first + band_rows) {
            ++ready.end;
        }
        resample(
            pictures.rows(), width, channels, rows, ready, columns, out, dimension_,
            [&](std::int64_t i, std::int64_t y, float weight, float* to) {
                const std::int64_t tile_row = y / down.count;
                const Tensor& codes = tile_row < first ? before : now;
                const std::int64_t tile = (tile_row < first ? i * band + tile_row - (first - band)
                                                            : i * band_rows + tile_row - first) *
                                          tiling.across;
                const std::int64_t row = (down.first + y % down.count) * geometry_.map.width + across.first;
                for (std::int64_t x = 0; x < width; x += across.count) {
                    linalg::add_scaled_row(weight, codes.row(tile + x / across.count).data() + row * channels,
                                           std::min(across.count, width - x) * channels, to + x * channels);
                }
            });
    }
}

Tensor PatchEncoder::encode_tiles(const Tensor& pictures, const Shape& shape, std::int64_t first_row,
                                  std::int64_t rows) {
    const TileGeometry::Side& down = geometry_.down;
    const TileGeometry::Side& across = geometry_.across;
    const std::int64_t columns = tiling_of(shape).across;
    Tensor input({pictures.rows() * rows * columns, geometry_.tile.size()});
    base::parallel_ranges(input.rows(), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t row = first_row + i / columns % rows;
            copy_tile(
                pictures.row(i / (rows * columns)).data(), shape, row * geometry_.pixels(down) - down.margin,
                i % columns * geometry_.pixels(across) - across.margin, geometry_.tile, input.row(i).data());
        }
    });
    return encoder_.encode(input);
}

void PatchEncoder::add_pixels(const Tensor& pictures, std::size_t level, float* out) const {
    const Shape& shape = sizes_[level];
    const std::int64_t channels = shape.channels;
    const auto [rows, columns] = pixel_grid(level);
    // Values and their squares, in turn.
    resample(pictures.rows(), shape.width, 2 * channels, rows, {0, height_}, columns, out, dimension_,
             [&](std::int64_t i, std::int64_t y, float weight, float* to) {
                 const float* from = pictures.row(i).data() + y * shape.width * channels;
                 for (std::int64_t x = 0; x < shape.width; ++x, to += 2 * channels) {
                     for (std::int64_t c = 0; c < channels; ++c, ++from) {
                         to[c] += weight * *from;
                         to[channels + c] += weight * *from * *from;
                     }
                 }
             });
    base::parallel_ranges(pictures.rows() * positions(), 64, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t p = begin; p < end; ++p) {
            float* values = out + p * dimension_;
            for (std::int64_t c = 0; c < channels; ++c) {
                const float variance = values[channels + c] - values[c] * values[c];
                values[channels + c] =
                    std::sqrt(variance > least_pixel_variance ? variance : least_pixel_variance);
            }
        }
    });
}

Tensor PatchEncoder::tiles(const Tensor& pictures, const Shape& picture, const Shape& tile,
                           std::int64_t levels, std::int64_t most, std::uint64_t seed) {
    const std::vector<Shape> all = sizes(picture, levels);
    const auto room = [](std::int64_t of, std::int64_t side) { return std::max<std::int64_t>(0, of - side); };
    std::vector<std::int64_t> counts;
    for (const Shape& shape : all) {
        const std::int64_t places =
            (room(shape.height, tile.height) + 1) * (room(shape.width, tile.width) + 1);
        counts.push_back(
            std::min(std::max<std::int64_t>(1, most / std::ssize(all)), pictures.rows() * places));
    }
    Tensor out({std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), tile.size()});
    Tensor smaller;
    const Tensor* now = &pictures;
    std::int64_t row = 0;
    for (std::size_t level = 0; level < all.size(); ++level) {
        if (level > 0) {
            smaller = halved(*now, all[level - 1], all[level]);
            now = &smaller;
        }
        const base::Random random(seed, base::RandomStream::patches, static_cast<std::uint32_t>(level));
        const Shape& shape = all[level];
        for (std::int64_t i = 0; i < counts[level]; ++i) {
            const auto index = static_cast<std::uint32_t>(2 * i);
            const auto below = [&](std::uint32_t which, std::int64_t last) {
                return static_cast<std::int64_t>(random.below(which, static_cast<std::uint64_t>(last + 1)));
            };
            copy_tile(now->row(i % now->rows()).data(), shape, below(index, room(shape.height, tile.height)),
                      below(index + 1, room(shape.width, tile.width)), tile, out.row(row++).data());
        }
    }
    return out;
}

void check_fits(const PatchEncoder& encoder, const PatchMemory& memory) {
    if (encoder.height() != memory.height || encoder.width() != memory.width ||
        encoder.levels() != memory.levels || encoder.dimension() != memory.scale.size()) {
        throw InvalidArgument(
            fmt::format("patch memory: a grid of {} x {} positions, {} sizes and descriptors of {} values "
                        "found, {} x {}, "
                        "{} and {} expected by its model",
                        memory.width, memory.height, memory.levels, memory.scale.size(), encoder.width(),
                        encoder.height(), encoder.levels(), encoder.dimension()));
    }
}

}  // namespace stackae::search

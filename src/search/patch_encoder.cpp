#include "search/patch_encoder.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "base/rows.hpp"
#include "base/threads.hpp"
#include "linalg/vector_ops.hpp"

namespace stackae::search {
namespace {

/// Pixels between positions: of larger pictures, and of smaller ones than `large`.
constexpr std::int64_t cell_of_large = 8;
constexpr std::int64_t cell_of_small = 4;
constexpr std::int64_t large = 128;
/// A size of a picture is looked at where its shorter side has as many pixels.
constexpr std::int64_t least_side = 32;
/// How far about a position codes are averaged, in positions.
constexpr double neighbourhood = 1.5;
/// Tiles that are encoded together, at most, by their values.
constexpr std::int64_t values_at_once = std::int64_t{1} << 24;

/// The index that stands for i in a row of n that goes on mirrored.
std::int64_t mirrored(std::int64_t i, std::int64_t n) {
    if (n == 1) {
        return 0;
    }
    const std::int64_t period = 2 * (n - 1);
    const std::int64_t in = (i % period + period) % period;
    return in < n ? in : period - in;
}

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
    for (std::int64_t i = 0; i < pictures.rows(); ++i) {
        const float* picture = pictures.row(i).data();
        float* half = out.row(i).data();
        for (std::int64_t y = 0; y < to.height; ++y) {
            const float* above = picture + 2 * y * from.width * from.channels;
            const float* below = above + from.width * from.channels;
            for (std::int64_t x = 0; x < to.width; ++x) {
                for (std::int64_t c = 0; c < from.channels; ++c) {
                    const std::int64_t left = 2 * x * from.channels + c;
                    const std::int64_t right = left + from.channels;
                    *half++ = 0.25F * (above[left] + above[right] + below[left] + below[right]);
                }
            }
        }
    }
    return out;
}

/// A map resampled to the grid, written into columns [offset, …) of rows of `stride` values.
void resample(const float* map, std::int64_t map_width, std::int64_t channels, const Resampling& rows,
              const Resampling& columns, std::int64_t map_height, float* out, std::int64_t stride) {
    std::vector<float> narrow(static_cast<std::size_t>(map_height * columns.size() * channels));
    for (std::int64_t y = 0; y < map_height; ++y) {
        columns.run(map + y * map_width * channels, channels, narrow.data() + y * columns.size() * channels);
    }
    std::vector<float> grid(static_cast<std::size_t>(rows.size() * columns.size() * channels));
    rows.run(narrow.data(), columns.size() * channels, grid.data());
    for (std::int64_t i = 0; i < rows.size() * columns.size(); ++i) {
        std::copy_n(grid.data() + i * channels, channels, out + i * stride);
    }
}

}  // namespace

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
        for (std::size_t j = 0; j < weights_[i].size(); ++j) {
            linalg::add_scaled_row(weights_[i][j],
                                   rows + (first_[i] + static_cast<std::int64_t>(j)) * columns, columns, to);
        }
    }
}

TileGeometry::TileGeometry(const Model& model, std::size_t depth)
    : tile(model.input_shape()), map(model.layers.output_shape(model.input_shape(), depth)) {
    std::int64_t down = 1;
    std::int64_t across = 1;
    for (std::size_t i = 0; i < depth; ++i) {
        const ReceptiveField field = model.layers[i].receptive_field();
        down *= field.down.stride;
        across *= field.across.stride;
    }
    // Where positions are further apart one way than the other, or a layer does not tell, they part the tile.
    const std::int64_t evenly =
        std::max<std::int64_t>(1, std::min(tile.height / map.height, tile.width / map.width));
    stride = down == across ? std::clamp<std::int64_t>(down, 1, evenly) : evenly;
    core_height = map.height * stride;
    core_width = map.width * stride;
}

std::int64_t PatchEncoder::least_step(const Shape& picture) {
    return std::max(picture.height, picture.width) >= large ? cell_of_large : cell_of_small;
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
                           int threads)
    : geometry_(model, depth),
      encoder_(model, {.output = std::to_string(depth), .threads = threads}),
      sizes_(sizes(picture, levels)),
      threads_(base::resolve_threads(threads)) {
    cell_ = std::max(geometry_.stride, least_step(picture));
    height_ = (picture.height + cell_ - 1) / cell_;
    width_ = (picture.width + cell_ - 1) / cell_;
    for (std::size_t level = 0; level < sizes_.size(); ++level) {
        dimension_ += geometry_.map.channels;
        group_ends_.push_back(dimension_);
        dimension_ += 2 * picture.channels;
        group_ends_.push_back(dimension_);
    }
}

Tensor PatchEncoder::encode(const Tensor& pictures) {
    Tensor out({pictures.rows() * positions(), dimension_});
    Tensor smaller;
    const Tensor* level_pictures = &pictures;
    std::int64_t offset = 0;
    for (std::size_t level = 0; level < sizes_.size(); ++level) {
        if (level > 0) {
            smaller = halved(*level_pictures, sizes_[level - 1], sizes_[level]);
            level_pictures = &smaller;
        }
        encode_level(*level_pictures, level, offset, out);
        offset = group_ends_[2 * level];
        add_pixels(*level_pictures, level, offset, out);
        offset = group_ends_[2 * level + 1];
    }
    return out;
}

void PatchEncoder::encode_level(const Tensor& pictures, std::size_t level, std::int64_t offset, Tensor& out) {
    const Shape& shape = sizes_[level];
    const std::int64_t down = (shape.height + geometry_.core_height - 1) / geometry_.core_height;
    const std::int64_t across = (shape.width + geometry_.core_width - 1) / geometry_.core_width;
    const std::int64_t margin_top = (geometry_.tile.height - geometry_.core_height) / 2;
    const std::int64_t margin_left = (geometry_.tile.width - geometry_.core_width) / 2;
    const std::int64_t map_height = down * geometry_.map.height;
    const std::int64_t map_width = across * geometry_.map.width;
    const std::int64_t channels = geometry_.map.channels;
    const double ratio = static_cast<double>(cell_) / static_cast<double>(geometry_.stride) /
                         static_cast<double>(std::int64_t{1} << level);
    const std::int64_t used_height =
        std::min(map_height, (shape.height + geometry_.stride - 1) / geometry_.stride);
    const std::int64_t used_width =
        std::min(map_width, (shape.width + geometry_.stride - 1) / geometry_.stride);
    const Resampling rows(used_height, height_, ratio, neighbourhood);
    const Resampling columns(used_width, width_, ratio, neighbourhood);
    const std::int64_t tiles = down * across;
    const std::int64_t at_once = std::clamp<std::int64_t>(
        values_at_once / (tiles * std::max(geometry_.tile.size(), geometry_.map.size())), 1, pictures.rows());
    for (std::int64_t first = 0; first < pictures.rows(); first += at_once) {
        const std::int64_t count = std::min(at_once, pictures.rows() - first);
        Tensor input({count * tiles, geometry_.tile.size()});
        for (std::int64_t i = 0; i < count * tiles; ++i) {
            const std::int64_t tile = i % tiles;
            copy_tile(pictures.row(first + i / tiles).data(), shape,
                      tile / across * geometry_.core_height - margin_top,
                      tile % across * geometry_.core_width - margin_left, geometry_.tile,
                      input.row(i).data());
        }
        const Tensor codes = encoder_.encode(input);
        base::parallel_for(count, threads_, [&] {
            return [&, whole = Tensor({map_height, map_width * channels})](std::int64_t i) mutable {
                for (std::int64_t tile = 0; tile < tiles; ++tile) {
                    const float* code = codes.row(i * tiles + tile).data();
                    for (std::int64_t y = 0; y < geometry_.map.height; ++y) {
                        std::copy_n(code + y * geometry_.map.width * channels, geometry_.map.width * channels,
                                    whole.row(tile / across * geometry_.map.height + y).data() +
                                        tile % across * geometry_.map.width * channels);
                    }
                }
                resample(whole.data(), map_width, channels, rows, columns, used_height,
                         out.row((first + i) * positions()).data() + offset, dimension_);
            };
        });
    }
}

void PatchEncoder::add_pixels(const Tensor& pictures, std::size_t level, std::int64_t offset,
                              Tensor& out) const {
    const Shape& shape = sizes_[level];
    const double ratio = static_cast<double>(cell_) / static_cast<double>(std::int64_t{1} << level);
    const Resampling rows(shape.height, height_, ratio, 1.0);
    const Resampling columns(shape.width, width_, ratio, 1.0);
    const std::int64_t channels = shape.channels;
    base::parallel_for(pictures.rows(), threads_, [&] {
        return [&](std::int64_t i) {
            const std::span<const float> picture = pictures.row(i);
            std::vector<float> squares(picture.size());
            std::transform(picture.begin(), picture.end(), squares.begin(), [](float x) { return x * x; });
            float* to = out.row(i * positions()).data() + offset;
            resample(picture.data(), shape.width, channels, rows, columns, shape.height, to, dimension_);
            resample(squares.data(), shape.width, channels, rows, columns, shape.height, to + channels,
                     dimension_);
            for (std::int64_t p = 0; p < positions(); ++p) {
                float* values = to + p * dimension_;
                for (std::int64_t c = 0; c < channels; ++c) {
                    const float variance = values[channels + c] - values[c] * values[c];
                    values[channels + c] = std::sqrt(variance > 0.0F ? variance : 0.0F);
                }
            }
        };
    });
}

Tensor PatchEncoder::tiles(const Tensor& pictures, const Shape& picture, const Shape& tile,
                           std::int64_t levels, std::int64_t most, std::uint64_t seed) {
    const std::vector<Shape> all = sizes(picture, levels);
    const std::int64_t each = std::max<std::int64_t>(1, most / std::ssize(all));
    Tensor out({each * std::ssize(all), tile.size()});
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
        for (std::int64_t i = 0; i < each; ++i) {
            const auto index = static_cast<std::uint32_t>(2 * i);
            const auto below = [&](std::uint32_t which, std::int64_t room) {
                return static_cast<std::int64_t>(
                    random.below(which, static_cast<std::uint64_t>(std::max<std::int64_t>(1, room + 1))));
            };
            copy_tile(now->row(i % now->rows()).data(), shape, below(index, shape.height - tile.height),
                      below(index + 1, shape.width - tile.width), tile, out.row(row++).data());
        }
    }
    return out;
}

}  // namespace stackae::search

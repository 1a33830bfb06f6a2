#include "stackae/memorize.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/text.hpp"
#include "stackae/train.hpp"

#include "base/random.hpp"
#include "base/rows.hpp"
#include "data/image/planted_defect.hpp"
#include "pipeline/good_pictures.hpp"
#include "search/anomaly_distances.hpp"
#include "search/anomaly_rule.hpp"
#include "search/patch_encoder.hpp"

namespace stackae {
namespace {

using base::at;
using pipeline::axis_rows;
using pipeline::GoodPictures;
using pipeline::levels;
using pipeline::parts;
using pipeline::planted_of_a_kind;
using pipeline::tile_pictures;

/// Of the model that is learnt from the good pictures: side of its tiles, a multiple of the pooling beside
/// what the patch takes at the border.
constexpr int tile_side = 70;
constexpr const char* tile_stack = "conv2d:{}:kernel=7:patches=60000,pool2d:4,power_norm";
constexpr std::int64_t tile_stride = 4;  ///< pixels between positions of its maps
constexpr std::int64_t tiles_to_learn_from = 900;
/// Pictures that the descriptors are from by which principal axes are found.
constexpr std::int64_t axis_pictures = 64;
/// Least pixels of the longer side of a picture, and of a tile, in which stains and blur have to be seen.
constexpr int least_side = 32;
constexpr int least_tile = 64;
/// Least positions a side of a tile.
constexpr std::int64_t least_tile_positions = 4;
/// Least positions a side of a map.
constexpr std::int64_t least_map = 4;

/// The deepest layer of which a map has positions.
std::size_t depth_of(const Model& model, const std::string& output) {
    const auto has_positions = [&](std::size_t depth) {
        const Shape map = model.layers.output_shape(model.input_shape(), depth);
        return std::min(map.height, map.width) >= least_map;
    };
    if (!output.empty()) {
        const std::size_t depth = model.depth_of(output);
        if (!has_positions(depth)) {
            throw InvalidArgument(
                fmt::format("output {} of the model: a code of {} found, a map of {} × {} positions or more "
                            "expected",
                            output, to_text(model.layers.output_shape(model.input_shape(), depth)), least_map,
                            least_map));
        }
        return depth;
    }
    for (std::size_t depth = model.layers.size(); depth > 0; --depth) {
        if (has_positions(depth)) {
            return depth;
        }
    }
    throw InvalidArgument(
        "no layer of the model makes a map of positions: a stack of convolutions is expected");
}

/// Tells of parts of the work.
class Steps {
public:
    explicit Steps(const MemorizeOptions& options) : options_(options) {}
    void tell(std::string_view part, std::int64_t done, std::int64_t of) const {
        if (options_.on_progress) {
            options_.on_progress(part, done, of);
        }
    }

private:
    const MemorizeOptions& options_;
};

/// Passes on how far the learning of codes has come.
class CodeLearning : public TrainObserver {
public:
    explicit CodeLearning(const Steps& steps) : steps_(steps) {}
    void on_progress(const StageProgress& progress) override {
        steps_.tell("learning codes", progress.done, progress.of);
    }

private:
    const Steps& steps_;
};

/// Units of patches of some pictures.
Model learn_tiles(const Tensor& pictures, std::span<const std::int64_t> rows,
                  const Preprocessing& preprocessing, const MemorizeOptions& options, const Steps& steps) {
    const Shape picture = preprocessing.shape();
    Preprocessing of_tiles = preprocessing;
    of_tiles.height = tile_side;
    of_tiles.width = tile_side;
    Tensor tiles =
        search::PatchEncoder::tiles(base::gather_rows(pictures, base::spread_rows(rows, tile_pictures)),
                                    picture, of_tiles.shape(), levels, tiles_to_learn_from, options.seed);
    // They are prepared already.
    Preprocessing as_they_are = of_tiles;
    as_they_are.contrast = false;
    if (!as_they_are.ranges.empty()) {
        as_they_are.ranges.assign(as_they_are.ranges.size(), {0.0F, 1.0F});
    }
    Tensor shaped({tiles.rows(), tile_side, tile_side, of_tiles.channels});
    std::copy_n(tiles.data(), tiles.size(), shaped.data());
    TrainConfig config;
    config.stack = parse_stack(fmt::format(tile_stack, pipeline::units));
    config.seed = options.seed;
    config.validation = 0.0;
    RunOptions run;
    run.threads = options.threads;
    CodeLearning observer(steps);
    Model model = train(ImageDataset::from_tensor(std::move(shaped)), as_they_are, config, run, observer);
    model.preprocessing = of_tiles;
    model.record.data.clear();
    return model;
}

std::vector<AnomalyMethod> methods_of(const std::optional<AnomalyMethod>& method) {
    using enum AnomalyMethod;
    if (!method) {
        return {memory, gaussian, position_gaussian, reconstruction};
    }
    if (*method == gaussian) {
        return {gaussian, position_gaussian};
    }
    return {*method};
}

void check(const MemorizeOptions& options) {
    const auto check_side = [](const char* what, std::int64_t side, std::int64_t least) {
        if (side != 0 && (side < least || side > Preprocessing::max_side)) {
            throw InvalidArgument(
                fmt::format("{}: {} found, {} to {} expected", what, side, least, Preprocessing::max_side));
        }
    };
    check_side("image_size", options.image_size, least_side);
    check_side("tile", options.tile,
               std::max<std::int64_t>(least_tile, least_tile_positions * options.stride));
    const std::int64_t closest = options.model ? 1 : tile_stride;
    if (options.stride != 0 && options.stride < closest) {
        throw InvalidArgument(fmt::format("stride: {} found, {} or more expected", options.stride, closest));
    }
    if (options.max_codes < 1 || options.dimension < 1) {
        throw InvalidArgument(fmt::format("max_codes {} and dimension {} found, 1 or more expected",
                                          options.max_codes, options.dimension));
    }
}

/// Of a picture, all of it where the side is 0.
Shape tile_of(Shape picture, std::int64_t side) {
    if (side > 0) {
        picture.height = std::min(picture.height, side);
        picture.width = std::min(picture.width, side);
    }
    return picture;
}

/// A rectangle of a picture.
struct Window {
    Shape shape;
    std::int64_t top = 0;
    std::int64_t left = 0;

    /// Calls use(offset of its row in the picture, offset in the window, length) row by row.
    template <class Use>
    void each_row(const Shape& picture, const Use& use) const {
        const std::int64_t length = shape.width * shape.channels;
        for (std::int64_t y = 0; y < shape.height; ++y) {
            use(((top + y) * picture.width + left) * picture.channels, y * length, length);
        }
    }
    [[nodiscard]] std::vector<float> of(std::span<const float> values, const Shape& picture) const {
        std::vector<float> out(at(shape.size()));
        each_row(picture, [&](std::int64_t from, std::int64_t to, std::int64_t length) {
            std::copy_n(values.begin() + from, length, out.begin() + to);
        });
        return out;
    }
};

/// Learns from all pictures, once what was learnt from two parts was tried on the third.
class Learning {
public:
    /// region: as pipeline::read_region() has it.
    Learning(const GoodPictures& pictures, const Preprocessing& preprocessing, Tensor region,
             const MemorizeOptions& options)
        : pictures_(pictures),
          preprocessing_(preprocessing),
          region_(std::move(region)),
          options_(options),
          tile_(tile_of(preprocessing.shape(), options.tile)),
          methods_(methods_of(options.method)),
          steps_(options) {
        for (std::int64_t i = 0; i < region_.size(); ++i) {
            if (region_.data()[i] > 0.0F) {
                looked_at_.push_back(i);
            }
        }
    }

    PatchMemory run();

private:
    [[nodiscard]] PatchMemory learn(std::span<const std::int64_t> rows);
    /// Distances of `count` pictures that picture_of(i, to) gives.
    template <class PictureOf>
    [[nodiscard]] Tensor distances(const PatchMemory& memory, std::int64_t count,
                                   const PictureOf& picture_of) const;
    /// Of a part's pictures one with the i-th defect, which can be seen in the region.
    void plant(std::int64_t i, std::span<const std::int64_t> part, const Tensor& region,
               std::span<float> to) const;

    const GoodPictures& pictures_;
    const Preprocessing& preprocessing_;
    Tensor region_;
    const MemorizeOptions& options_;
    Shape tile_;
    std::vector<std::int64_t> looked_at_;  ///< pixels of the region; none: all
    std::vector<AnomalyMethod> methods_;
    Steps steps_;
};

PatchMemory Learning::learn(std::span<const std::int64_t> rows) {
    const Shape picture = preprocessing_.shape();
    PatchMemory memory;
    memory.preprocessing = preprocessing_;
    memory.pictures = std::ssize(rows);
    memory.model = options_.model ? *options_.model
                                  : learn_tiles(pictures_.values, rows, preprocessing_, options_, steps_);
    memory.depth = depth_of(memory.model, options_.output);
    search::PatchEncoder encoder(memory.model, memory.depth, picture, levels, options_.stride,
                                 options_.threads);
    memory.levels = encoder.levels();
    memory.stride = encoder.stride();
    memory.height = encoder.height();
    memory.width = encoder.width();
    memory.region = pipeline::positions_in(region_, memory.height, memory.width, memory.stride);
    const std::int64_t positions = memory.positions();

    const std::vector<std::int64_t> some = base::spread_rows(rows, axis_pictures);
    Tensor descriptors(
        {std::min<std::int64_t>(axis_rows, std::ssize(some) * positions), encoder.dimension()});
    std::int64_t filled = 0;
    for (std::size_t i = 0; i < some.size(); ++i) {
        const Tensor of_one =
            encoder.encode(base::gather_rows(pictures_.values, std::span(some).subspan(i, 1)));
        const std::int64_t until = descriptors.rows() * static_cast<std::int64_t>(i + 1) / std::ssize(some);
        for (const std::int64_t p : base::spread_rows(positions, until - filled)) {
            const auto from = of_one.row(p);
            std::copy(from.begin(), from.end(), descriptors.row(filled++).begin());
        }
    }
    search::fit_axes(descriptors, encoder.group_ends(), options_.dimension, memory);

    search::DescriptorCoder coder(memory.scale, memory.mean, memory.components, options_.threads);
    Tensor codes({std::ssize(rows) * positions, memory.dimension()});
    const std::int64_t batch = encoder.at_once();
    for (std::int64_t first = 0; first < std::ssize(rows); first += batch) {
        steps_.tell("encoding good pictures", first, std::ssize(rows));
        const auto now = rows.subspan(at(first), at(std::min(batch, std::ssize(rows) - first)));
        const search::DescriptorCoder::Codes made =
            coder.encode(encoder.encode(base::gather_rows(pictures_.values, now)));
        std::copy_n(made.values.data(), made.values.size(), codes.row(first * positions).data());
    }
    steps_.tell("encoding good pictures", std::ssize(rows), std::ssize(rows));
    search::fit_codes(codes, options_.max_codes, options_.seed, options_.threads, memory);
    return memory;
}

template <class PictureOf>
Tensor Learning::distances(const PatchMemory& memory, std::int64_t count, const PictureOf& picture_of) const {
    search::PatchEncoder encoder(memory.model, memory.depth, preprocessing_.shape(), memory.levels,
                                 memory.stride, options_.threads);
    search::DescriptorCoder coder(memory.scale, memory.mean, memory.components, options_.threads);
    search::AnomalyDistances of(memory, options_.threads);
    Tensor all({count, static_cast<std::int64_t>(anomaly_methods) * memory.positions()});
    const std::int64_t batch = encoder.at_once();
    for (std::int64_t first = 0; first < count; first += batch) {
        steps_.tell("trying on what was left out", first, count);
        Tensor now({std::min(batch, count - first), preprocessing_.size()});
        for (std::int64_t i = 0; i < now.rows(); ++i) {
            picture_of(first + i, now.row(i));
        }
        const Tensor made = of.of(coder.encode(encoder.encode(now)), methods_);
        std::copy_n(made.data(), made.size(), all.row(first).data());
    }
    steps_.tell("trying on what was left out", count, count);
    return all;
}

void Learning::plant(std::int64_t i, std::span<const std::int64_t> part, const Tensor& region,
                     std::span<float> to) const {
    constexpr std::uint32_t tries = 40;
    const Shape whole = preprocessing_.shape();
    for (std::uint32_t attempt = 0; attempt < tries; ++attempt) {
        const base::Random random(options_.seed, base::RandomStream::planted, static_cast<std::uint32_t>(i),
                                  1 + attempt);
        const auto any = [&](std::uint32_t index) {
            return part[at(static_cast<std::int64_t>(random.below(index, part.size())))];
        };
        const auto picture = pictures_.values.row(any(1U << 20U));
        const auto other = pictures_.values.row(any(1U << 21U));
        // A tile that holds a pixel of the region.
        const auto below = [&](std::uint32_t index, std::int64_t count) {
            return static_cast<std::int64_t>(random.below(index, static_cast<std::uint64_t>(count)));
        };
        const std::int64_t pixel = looked_at_.empty()
                                       ? below(1U << 24U, whole.height * whole.width)
                                       : looked_at_[at(below(1U << 24U, std::ssize(looked_at_)))];
        const auto start = [&](std::uint32_t index, std::int64_t of_pixel, std::int64_t side,
                               std::int64_t of) {
            const std::int64_t first = std::max<std::int64_t>(0, of_pixel - side + 1);
            return first + below(index, std::min(of_pixel, of - side) - first + 1);
        };
        const Window tile{tile_, start(1U << 22U, pixel / whole.width, tile_.height, whole.height),
                          start(1U << 23U, pixel % whole.width, tile_.width, whole.width)};
        const data::PlantedDefect defect =
            data::plant_defect(tile.of(picture, whole), tile.of(other, whole), tile_,
                               static_cast<data::Defect>(i % data::defects), random);
        std::copy(picture.begin(), picture.end(), to.begin());
        tile.each_row(whole, [&](std::int64_t in_picture, std::int64_t in_tile, std::int64_t length) {
            std::copy_n(defect.picture.begin() + in_tile, length, to.begin() + in_picture);
        });
        for (std::int64_t p = 0; p < std::ssize(defect.mask); ++p) {
            const std::int64_t in_picture =
                (tile.top + p / tile_.width) * whole.width + tile.left + p % tile_.width;
            if (defect.mask[at(p)] > 0.0F && region.data()[in_picture] >= 0.5F) {
                return;
            }
        }
    }
}

PatchMemory Learning::run() {
    search::LeftOut left_out;
    std::vector<std::int64_t> all(at(pictures_.values.rows()));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    for (std::int64_t part = 0; part < parts; ++part) {
        std::vector<std::int64_t> learnt_from;
        std::vector<std::int64_t> tried;
        for (const std::int64_t i : all) {
            (pictures_.parts[at(i)] == part ? tried : learnt_from).push_back(i);
        }
        const PatchMemory memory = learn(learnt_from);
        const Tensor region = enlarge_map(memory.region_map(), preprocessing_.height, preprocessing_.width);
        left_out.good.push_back(
            distances(memory, std::ssize(tried), [&](std::int64_t i, std::span<float> to) {
                const auto from = pictures_.values.row(tried[at(i)]);
                std::copy(from.begin(), from.end(), to.begin());
            }));
        std::vector<std::string>& paths = left_out.paths.emplace_back();
        for (const std::int64_t i : tried) {
            paths.push_back(pictures_.paths[at(i)]);
        }
        const std::int64_t planted = data::defects * planted_of_a_kind(preprocessing_.shape());
        const std::int64_t first = part * planted / parts;
        const std::int64_t count = (part + 1) * planted / parts - first;
        left_out.planted.push_back(distances(memory, count, [&](std::int64_t i, std::span<float> to) {
            plant(first + i, tried, region, to);
        }));
        std::vector<std::string>& kinds = left_out.kinds.emplace_back();
        for (std::int64_t i = first; i < first + count; ++i) {
            kinds.emplace_back(name(static_cast<data::Defect>(i % data::defects)));
        }
    }
    PatchMemory memory = learn(all);
    if (tile_.height < preprocessing_.height || tile_.width < preprocessing_.width) {
        memory.rule.tile = (options_.tile + memory.stride - 1) / memory.stride;
    }
    search::choose_rule(left_out, methods_, options_.threads, memory);
    return memory;
}

}  // namespace

PatchMemory memorize(const Inputs& good, const MemorizeOptions& options, Manifest& manifest) {
    check(options);
    const Preprocessing preprocessing = pipeline::preprocessing_of(good, options);
    const std::int64_t widest = std::min(preprocessing.height, preprocessing.width) / 2;
    if (options.stride > widest) {
        throw InvalidArgument(
            fmt::format("stride: {} found, {} at most expected for pictures of {} x {} pixels",
                        options.stride, widest, preprocessing.width, preprocessing.height));
    }
    Tensor region = pipeline::read_region(options, preprocessing);
    const GoodPictures pictures = pipeline::read_pictures(good, preprocessing, options, manifest);
    if (pictures.values.rows() < parts) {
        throw InvalidArgument(
            fmt::format("{} found, {} or more expected: what good pictures look like is learnt from some of "
                        "them and tried "
                        "on the others",
                        format_count(pictures.values.rows(), "good picture"), parts));
    }
    const auto [least, largest] =
        std::minmax_element(pictures.values.values().begin(), pictures.values.values().end());
    if (*least == *largest) {
        throw InvalidArgument(fmt::format(
            "all good pictures are of one value, {:g}: nothing can be learnt of them", double{*least}));
    }
    return Learning(pictures, preprocessing, std::move(region), options).run();
}

}  // namespace stackae

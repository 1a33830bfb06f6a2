#include "pipeline/good_pictures.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/patch_memory.hpp"
#include "stackae/resources.hpp"
#include "stackae/text.hpp"

#include "base/rows.hpp"
#include "data/image/picture_sizes.hpp"
#include "data/image/planted_defect.hpp"
#include "search/patch_encoder.hpp"

namespace stackae::pipeline {
namespace {

using base::at;

constexpr int side_of_whole_pictures = 512;

/// Of the longer side, at most.
int image_size(const MemorizeOptions& options) {
    if (options.image_size > 0) {
        return options.image_size;
    }
    return options.tile > 0 ? Preprocessing::max_side : side_of_whole_pictures;
}

/// What is held beside pictures, codes and distances: descriptors of one picture, and those that the
/// principal axes are found by, with a copy.
std::int64_t bytes_of_work(const Shape& picture, std::int64_t positions, const MemorizeOptions& options) {
    std::int64_t channels = units;
    for (std::size_t i = 0; options.model && i < options.model->layers.size(); ++i) {
        const Shape map = options.model->layers[i].output_shape();
        channels = std::max(channels, map.height > 1 && map.width > 1 ? map.channels : 0);
    }
    return 4 * levels * (channels + 2 * picture.channels) * (positions + 2 * axis_rows);
}

/// How many pictures the memory takes.
std::int64_t most_pictures(const Preprocessing& preprocessing, const MemorizeOptions& options) {
    const Shape picture = preprocessing.shape();
    const std::int64_t step = options.stride > 0 ? options.stride : search::PatchEncoder::stride_of(picture);
    const std::int64_t positions = (picture.height / step + 1) * (picture.width / step + 1);
    // Pictures, their codes and their distances, as floats, take half of the memory; the rest is for the
    // work.
    const std::int64_t bytes_of_distances = 4 * positions * static_cast<std::int64_t>(anomaly_methods);
    const std::int64_t bytes = 4 * picture.size() + 4 * positions * options.dimension + bytes_of_distances;
    const std::int64_t planted = data::defects * planted_of_a_kind(picture) * bytes_of_distances;
    const std::int64_t memory = resolve_memory(options.memory);
    const std::int64_t work = bytes_of_work(picture, positions, options);
    // Of the first of them, which tiles are cut from, there is a copy in all sizes beside.
    const std::int64_t copy = 4 * picture.size() * 4 / 3;
    const std::int64_t room = memory - std::max(memory / 2, work) - planted;
    const std::int64_t most = room / (bytes + copy) <= tile_pictures ? room / (bytes + copy)
                                                                     : (room - tile_pictures * copy) / bytes;
    if (most < parts) {
        const std::int64_t least = planted + parts * (bytes + copy);
        throw InvalidArgument(
            fmt::format("{} of memory found, {} expected for pictures of {} x {} pixels: allow more, or look "
                        "at smaller ones",
                        format_bytes(memory), format_bytes(least + std::max(least, work)), picture.width,
                        picture.height));
    }
    return most;
}

}  // namespace

std::int64_t planted_of_a_kind(const Shape& picture) {
    constexpr std::int64_t most = 40;
    constexpr std::int64_t least = 8;
    constexpr std::int64_t large = std::int64_t{1} << 20;
    return std::clamp(most * large / (picture.height * picture.width), least, most);
}

Preprocessing preprocessing_of(const Inputs& good, const MemorizeOptions& options) {
    std::vector<ImageEntry> entries;
    const ImageDataset* first = nullptr;
    for (const Inputs::Source& source : good.sources()) {
        if (source.pictures) {
            first = first == nullptr ? &*source.pictures : first;
        }
        for (std::int64_t i = 0; good.sources().size() > 1 && source.pictures && i < source.pictures->size();
             ++i) {
            entries.push_back(source.pictures->entry(i));
        }
    }
    if (first == nullptr) {
        throw InvalidArgument("memorize: no input can be read");
    }
    // A single one as it is, since pictures in memory have no file to be opened anew.
    std::optional<ImageDataset> several;
    if (!entries.empty()) {
        several = ImageDataset::from_entries("the good pictures", std::move(entries), options.limits);
    }
    const ImageDataset& pictures = several ? *several : *first;
    PreprocessingOptions chosen;
    chosen.max_side = image_size(options);
    chosen.resize = ResizeMode::squash;
    if (options.model) {
        chosen.channels = options.model->preprocessing.channels;
    }
    data::PictureSizes seen;
    Preprocessing preprocessing = data::choose_preprocessing(pictures, chosen, options.threads, seen);
    if (options.model) {
        const Preprocessing& of_model = options.model->preprocessing;
        if (!of_model.mean.empty()) {
            throw InvalidArgument(
                "the model standardises pictures value by value, so that it cannot be run over tiles of "
                "larger ones: train one without --standardize");
        }
        const int height = preprocessing.height;
        const int width = preprocessing.width;
        preprocessing = of_model;
        preprocessing.height = std::max(height, of_model.height);
        preprocessing.width = std::max(width, of_model.width);
        preprocessing.resize = ResizeMode::squash;
    }
    if (preprocessing.height < 2) {
        throw InvalidArgument("rows of numbers found, pictures expected");
    }
    if (options.on_sizes) {
        options.on_sizes({seen.least_height, seen.greatest_height, seen.least_width, seen.greatest_width,
                          seen.some_gray, seen.some_coloured, preprocessing.height, preprocessing.width,
                          preprocessing.channels});
    }
    return preprocessing;
}

GoodPictures read_pictures(const Inputs& good, const Preprocessing& preprocessing,
                           const MemorizeOptions& options, Manifest& manifest) {
    constexpr std::int64_t batch_size = 16;
    const std::vector<std::int64_t> wanted =
        base::spread_rows(good.size(), most_pictures(preprocessing, options));
    GoodPictures read{Tensor({std::ssize(wanted), preprocessing.size()}), {}, {}};
    InputReader reader(good, preprocessing, {.batch_size = batch_size, .threads = options.threads}, manifest);
    std::map<std::string, std::int64_t> groups;
    std::int64_t seen = 0;
    for (InputBatch batch; reader.next(batch);) {
        for (std::int64_t i = 0; i < batch.pictures.rows(); ++i, ++seen) {
            const std::int64_t row = std::ssize(read.parts);
            if (row < read.values.rows() && seen >= wanted[at(row)]) {
                const auto picture = std::as_const(batch.pictures).row(i);
                std::copy(picture.begin(), picture.end(), read.values.row(row).begin());
                read.paths.push_back(batch.entries[at(i)].path);
                const std::optional<std::string>& group = batch.entries[at(i)].group;
                read.parts.push_back(
                    (group ? groups.emplace(*group, std::ssize(groups)).first->second : row) % parts);
            }
        }
    }
    const std::int64_t count = std::ssize(read.parts);
    if (count < read.values.rows()) {
        std::vector<std::int64_t> rows(at(count));
        std::iota(rows.begin(), rows.end(), std::int64_t{0});
        read.values = base::gather_rows(read.values, rows);
    }
    if (!groups.empty() && std::ssize(groups) < parts) {
        throw InvalidArgument(
            fmt::format("good pictures of {} found, of {} or more expected, or without groups",
                        format_count(std::ssize(groups), "group"), parts));
    }
    return read;
}

Tensor read_region(const MemorizeOptions& options, const Preprocessing& preprocessing) {
    if (options.region.empty()) {
        return {};
    }
    const ImageDataset file = ImageDataset::open(options.region, options.limits);
    Preprocessing gray;
    gray.height = preprocessing.height;
    gray.width = preprocessing.width;
    gray.resize = ResizeMode::squash;
    PictureReader reader(file, gray, {});
    PictureBatch batch;
    if (!reader.next(batch) || batch.pictures.rows() < 1) {
        throw InvalidArgument(
            fmt::format("{}: a region that cannot be read: {}", options.region,
                        batch.skipped.empty() ? "no picture" : batch.skipped.front().reason));
    }
    const std::span<const float> pixels = std::as_const(batch.pictures).row(0);
    const float brightest = *std::max_element(pixels.begin(), pixels.end());
    if (brightest < 0.5F) {
        throw InvalidArgument(
            fmt::format("{}: a region whose brightest pixel has {:.0f} of 255 found, white (255) where "
                        "pictures are looked at expected",
                        options.region, double{brightest} * 255.0));
    }
    Tensor region({gray.height, gray.width});
    std::transform(pixels.begin(), pixels.end(), region.data(),
                   [](float x) { return x >= 0.5F ? 1.0F : 0.0F; });
    return region;
}

Tensor positions_in(const Tensor& region, std::int64_t height, std::int64_t width, std::int64_t stride) {
    Tensor positions({height * width});
    if (region.empty()) {
        std::fill(positions.values().begin(), positions.values().end(), 1.0F);
    }
    for (std::int64_t y = 0; y < region.rows(); ++y) {
        for (std::int64_t x = 0; x < region.columns(); ++x) {
            if (region.row(y)[at(x)] > 0.0F) {
                positions.data()[y / stride * width + x / stride] = 1.0F;
            }
        }
    }
    return positions;
}

}  // namespace stackae::pipeline

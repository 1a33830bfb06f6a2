#include "stackae/memorize.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/resources.hpp"
#include "stackae/text.hpp"
#include "stackae/train.hpp"

#include "base/random.hpp"
#include "base/rows.hpp"
#include "data/image/planted_defect.hpp"
#include "search/anomaly_distances.hpp"
#include "search/anomaly_rule.hpp"
#include "search/patch_encoder.hpp"

namespace stackae {
namespace {

using base::at;

/// Pictures are parted in so many, each scored by what was learnt from the others.
constexpr std::int64_t parts = 3;
/// Of a kind.
constexpr std::int64_t planted_defects = 40;
/// Pictures that are encoded together.
constexpr std::int64_t at_once = 16;
/// Of the model that is learnt from the good pictures: side of its tiles, a multiple of the pooling beside
/// what the patch takes at the border.
constexpr int tile_side = 70;
constexpr const char* tile_stack = "conv2d:96:kernel=7,pool2d:4,power_norm";
constexpr std::int64_t tiles_to_learn_from = 3000;
constexpr std::int64_t levels = 3;
/// Descriptors that the principal axes are found by, at most.
constexpr std::int64_t axis_rows = 40'000;
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

/// That of the pictures, with the size in which they are looked at.
Preprocessing preprocessing_of(const Inputs& good, const MemorizeOptions& options) {
    const auto source = std::find_if(good.sources().begin(), good.sources().end(),
                                     [](const Inputs::Source& one) { return one.pictures.has_value(); });
    if (source == good.sources().end()) {
        throw InvalidArgument("memorize: no input can be read");
    }
    PreprocessingOptions chosen;
    chosen.max_side = options.image_size;
    chosen.resize = ResizeMode::squash;
    if (options.model) {
        chosen.channels = options.model->preprocessing.channels;
    }
    Preprocessing preprocessing = choose_preprocessing(*source->pictures, chosen, options.threads);
    if (options.model) {
        const Preprocessing& of_model = options.model->preprocessing;
        if (!of_model.mean.empty()) {
            throw InvalidArgument(
                "the model standardises pictures value by value, so that it cannot be run over tiles of "
                "larger "
                "ones: train one without --standardize");
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
    return preprocessing;
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

/// As many pictures as the memory takes, spread evenly over all.
Tensor read_pictures(const Inputs& good, const Preprocessing& preprocessing, std::int64_t most,
                     const MemorizeOptions& options, Manifest& manifest) {
    const std::vector<std::int64_t> wanted = base::spread_rows(good.size(), most);
    Tensor pictures({std::ssize(wanted), preprocessing.size()});
    InputReader reader(good, preprocessing, {.batch_size = at_once, .threads = options.threads}, manifest);
    std::int64_t row = 0;
    std::int64_t seen = 0;
    for (InputBatch batch; reader.next(batch);) {
        for (std::int64_t i = 0; i < batch.pictures.rows(); ++i, ++seen) {
            if (row < pictures.rows() && seen >= wanted[at(row)]) {
                const auto picture = std::as_const(batch.pictures).row(i);
                std::copy(picture.begin(), picture.end(), pictures.row(row++).begin());
            }
        }
    }
    std::vector<std::int64_t> rows(at(row));
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    return row == pictures.rows() ? std::move(pictures) : base::gather_rows(pictures, rows);
}

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

Model learn_tiles(const Tensor& pictures, const Preprocessing& preprocessing, const MemorizeOptions& options,
                  const Steps& steps) {
    const Shape picture = preprocessing.shape();
    Preprocessing of_tiles = preprocessing;
    of_tiles.height = tile_side;
    of_tiles.width = tile_side;
    Tensor tiles = search::PatchEncoder::tiles(pictures, picture, of_tiles.shape(), levels,
                                               tiles_to_learn_from, options.seed);
    // They are prepared already.
    Preprocessing as_they_are = of_tiles;
    as_they_are.contrast = false;
    if (!as_they_are.ranges.empty()) {
        as_they_are.ranges.assign(as_they_are.ranges.size(), {0.0F, 1.0F});
    }
    Tensor shaped({tiles.rows(), tile_side, tile_side, of_tiles.channels});
    std::copy_n(tiles.data(), tiles.size(), shaped.data());
    TrainConfig config;
    config.stack = parse_stack(tile_stack);
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

/// 1 where a picture of a region is bright, 0 elsewhere, over the grid.
Tensor region_of(const MemorizeOptions& options, std::int64_t height, std::int64_t width) {
    Tensor region({height * width});
    std::fill(region.values().begin(), region.values().end(), 1.0F);
    if (options.region.empty()) {
        return region;
    }
    const ImageDataset file = ImageDataset::open(options.region, options.limits);
    Preprocessing gray;
    gray.height = static_cast<int>(height);
    gray.width = static_cast<int>(width);
    gray.resize = ResizeMode::squash;
    PictureReader reader(file, gray, {});
    PictureBatch batch;
    if (!reader.next(batch) || batch.pictures.rows() < 1) {
        throw InvalidArgument(
            fmt::format("{}: a region that cannot be read: {}", options.region,
                        batch.skipped.empty() ? "no picture" : batch.skipped.front().reason));
    }
    bool any = false;
    for (std::int64_t p = 0; p < region.size(); ++p) {
        const bool inside = batch.pictures.data()[p] >= 0.5F;
        region.data()[p] = inside ? 1.0F : 0.0F;
        any = any || inside;
    }
    if (!any) {
        throw InvalidArgument(fmt::format(
            "{}: a region without a bright pixel found, white where pictures are looked at expected",
            options.region));
    }
    return region;
}

/// Makes codes of pictures, a few at a time.
class Codes {
public:
    Codes(search::PatchEncoder& encoder, const PatchMemory& memory, int threads)
        : encoder_(encoder), coder_(memory.scale, memory.mean, memory.components, threads) {}

    search::DescriptorCoder::Codes of(const Tensor& pictures) {
        return coder_.encode(encoder_.encode(pictures));
    }

private:
    search::PatchEncoder& encoder_;
    search::DescriptorCoder coder_;
};

/// Codes of many pictures, one after the other.
struct AllCodes {
    Tensor values;
    std::vector<float> residuals;

    /// Those of some pictures.
    [[nodiscard]] search::DescriptorCoder::Codes some(std::span<const std::int64_t> pictures,
                                                      std::int64_t positions) const {
        search::DescriptorCoder::Codes out{Tensor({std::ssize(pictures) * positions, values.columns()}), {}};
        std::int64_t row = 0;
        for (const std::int64_t picture : pictures) {
            const std::int64_t first = picture * positions;
            std::copy_n(values.row(first).data(), positions * values.columns(), out.values.row(row).data());
            out.residuals.insert(out.residuals.end(), residuals.begin() + first,
                                 residuals.begin() + first + positions);
            row += positions;
        }
        return out;
    }
};

template <class PictureOf>
AllCodes encode_all(Codes& codes, std::int64_t count, const Preprocessing& preprocessing,
                    std::int64_t positions, std::int64_t dimension, const char* part, const Steps& steps,
                    const PictureOf& picture_of) {
    AllCodes all{Tensor({count * positions, dimension}), {}};
    all.residuals.reserve(at(count * positions));
    for (std::int64_t first = 0; first < count; first += at_once) {
        steps.tell(part, first, count);
        const std::int64_t now = std::min(at_once, count - first);
        Tensor batch({now, preprocessing.size()});
        for (std::int64_t i = 0; i < now; ++i) {
            picture_of(first + i, batch.row(i));
        }
        const search::DescriptorCoder::Codes made = codes.of(batch);
        std::copy_n(made.values.data(), made.values.size(), all.values.row(first * positions).data());
        all.residuals.insert(all.residuals.end(), made.residuals.begin(), made.residuals.end());
    }
    steps.tell(part, count, count);
    return all;
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
    if (options.image_size < 32 || options.image_size > Preprocessing::max_side) {
        throw InvalidArgument(fmt::format("image_size: {} found, 32 to {} expected", options.image_size,
                                          Preprocessing::max_side));
    }
    if (options.max_codes < 1 || options.dimension < 1) {
        throw InvalidArgument(fmt::format("max_codes {} and dimension {} found, 1 or more expected",
                                          options.max_codes, options.dimension));
    }
}

}  // namespace

PatchMemory memorize(const Inputs& good, const MemorizeOptions& options, Manifest& manifest) {
    check(options);
    const Steps steps(options);
    PatchMemory memory;
    memory.preprocessing = preprocessing_of(good, options);
    const Shape picture = memory.preprocessing.shape();
    // Pictures, their codes and their distances, as floats, take two thirds of the memory; the rest is for
    // the work.
    const std::int64_t step = search::PatchEncoder::least_step(picture);
    const std::int64_t positions_about = (picture.height / step + 1) * (picture.width / step + 1);
    const std::int64_t bytes_of_codes =
        4 * positions_about * (options.dimension + static_cast<std::int64_t>(anomaly_methods) + 1);
    const std::int64_t plants = std::int64_t{data::defects} * planted_defects;
    const std::int64_t room = resolve_memory(options.memory) / 3 * 2 - plants * bytes_of_codes;
    const std::int64_t most = room / (4 * picture.size() + bytes_of_codes);
    if (most < parts) {
        throw InvalidArgument(fmt::format(
            "{} of memory found, {} expected for pictures of {} x {} pixels: allow more, or look at smaller "
            "ones",
            format_bytes(resolve_memory(options.memory)),
            format_bytes(3 * (plants * bytes_of_codes + parts * (4 * picture.size() + bytes_of_codes)) / 2),
            picture.width, picture.height));
    }
    const Tensor pictures = read_pictures(good, memory.preprocessing, most, options, manifest);
    if (pictures.rows() < parts) {
        throw InvalidArgument(
            fmt::format("{} found, {} or more expected: what good pictures look like is learnt from some of "
                        "them and tried "
                        "on the others",
                        format_count(pictures.rows(), "good picture"), parts));
    }
    const auto [least, largest] = std::minmax_element(pictures.values().begin(), pictures.values().end());
    if (*least == *largest) {
        throw InvalidArgument(fmt::format(
            "all good pictures are of one value, {:g}: nothing can be learnt of them", double{*least}));
    }
    memory.pictures = pictures.rows();
    memory.model =
        options.model ? *options.model : learn_tiles(pictures, memory.preprocessing, options, steps);
    memory.depth = depth_of(memory.model, options.output);
    search::PatchEncoder encoder(memory.model, memory.depth, picture, levels, options.threads);
    memory.levels = encoder.levels();
    memory.height = encoder.height();
    memory.width = encoder.width();
    memory.region = region_of(options, memory.height, memory.width);
    const std::int64_t positions = memory.positions();
    {
        const std::vector<std::int64_t> some = base::spread_rows(pictures.rows(), 64);
        std::vector<std::int64_t> rows;
        Tensor descriptors(
            {std::min<std::int64_t>(axis_rows, std::ssize(some) * positions), encoder.dimension()});
        std::int64_t row = 0;
        for (std::size_t i = 0; i < some.size(); ++i) {
            const std::int64_t one = some[i];
            const Tensor of_one = encoder.encode(base::gather_rows(pictures, std::span(&one, 1)));
            const std::int64_t until =
                descriptors.rows() * static_cast<std::int64_t>(i + 1) / std::ssize(some);
            for (const std::int64_t p : base::spread_rows(positions, until - row)) {
                const auto from = of_one.row(p);
                std::copy(from.begin(), from.end(), descriptors.row(row++).begin());
            }
        }
        search::fit_axes(descriptors, encoder.group_ends(), options.dimension, memory);
    }
    Codes codes(encoder, memory, options.threads);
    const AllCodes good_codes =
        encode_all(codes, pictures.rows(), memory.preprocessing, positions, memory.dimension(),
                   "encoding good pictures", steps, [&](std::int64_t i, std::span<float> to) {
                       const auto from = pictures.row(i);
                       std::copy(from.begin(), from.end(), to.begin());
                   });
    search::PlantedDistances planted;
    const auto source_of = [&](std::int64_t i) { return i * 7919 % pictures.rows(); };
    const AllCodes planted_codes =
        encode_all(codes, plants, memory.preprocessing, positions, memory.dimension(), "planting defects",
                   steps, [&](std::int64_t i, std::span<float> to) {
                       const std::int64_t source = source_of(i);
                       const base::Random random(options.seed, base::RandomStream::planted,
                                                 static_cast<std::uint32_t>(i), 1);
                       const auto other = static_cast<std::int64_t>(
                           random.below(1U << 20U, static_cast<std::uint64_t>(pictures.rows())));
                       const data::PlantedDefect defect =
                           data::plant_defect(pictures.row(source), pictures.row(other), picture,
                                              static_cast<data::Defect>(i % data::defects), random);
                       std::copy(defect.picture.begin(), defect.picture.end(), to.begin());
                   });
    const std::vector<AnomalyMethod> methods = methods_of(options.method);
    Tensor good_distances({pictures.rows(), static_cast<std::int64_t>(anomaly_methods) * positions});
    planted.distances = Tensor({plants, static_cast<std::int64_t>(anomaly_methods) * positions});
    for (std::int64_t i = 0; i < plants; ++i) {
        planted.kinds.emplace_back(name(static_cast<data::Defect>(i % data::defects)));
    }
    for (std::int64_t part = 0; part < parts; ++part) {
        steps.tell("scoring what was left out", part, parts);
        std::vector<std::int64_t> learn;
        std::vector<std::int64_t> left_out;
        for (std::int64_t i = 0; i < pictures.rows(); ++i) {
            (i % parts == part ? left_out : learn).push_back(i);
        }
        search::fit_codes(good_codes.values, learn, options.max_codes, options.seed, options.threads, memory);
        search::AnomalyDistances distances(memory, options.threads);
        const auto score = [&](const AllCodes& of, const std::vector<std::int64_t>& which, Tensor& to) {
            for (std::size_t first = 0; first < which.size(); first += at(at_once)) {
                const std::span<const std::int64_t> now =
                    std::span(which).subspan(first, std::min(at(at_once), which.size() - first));
                const Tensor made = distances.of(of.some(now, positions), methods);
                for (std::size_t i = 0; i < now.size(); ++i) {
                    const auto row = made.row(static_cast<std::int64_t>(i));
                    std::copy(row.begin(), row.end(), to.row(now[i]).begin());
                }
                steps.tell("scoring what was left out", part, parts);
            }
        };
        score(good_codes, left_out, good_distances);
        std::vector<std::int64_t> theirs;
        for (std::int64_t i = 0; i < plants; ++i) {
            if (source_of(i) % parts == part) {
                theirs.push_back(i);
            }
        }
        score(planted_codes, theirs, planted.distances);
    }
    steps.tell("scoring what was left out", parts, parts);
    search::choose_rule(good_distances, planted, methods, options.threads, memory);
    std::vector<std::int64_t> all(at(pictures.rows()));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    search::fit_codes(good_codes.values, all, options.max_codes, options.seed, options.threads, memory);
    return memory;
}

}  // namespace stackae

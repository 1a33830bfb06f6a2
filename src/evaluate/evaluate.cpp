#include "stackae/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "base/memory.hpp"
#include "base/rows.hpp"
#include "evaluate/measure.hpp"
#include "linalg/onednn.hpp"
#include "model/radial_runner.hpp"
#include "search/numbering.hpp"

// Pictures are held as floats while they are measured, n × recipe.size() × 4 bytes: those of both sets, once
// more in the index of the raw baseline, with one set once more in its halves, and mirrored again as often.
namespace stackae {
namespace {

using search::Part;

/// A collection read, without the class numbers.
struct Read {
    Part part;              ///< with room for more rows than are read, see fit()
    std::int64_t rows = 0;  ///< read so far
    std::vector<std::optional<std::string>> labels;
    std::vector<SkippedPicture> skipped;
    std::vector<PictureRemark> remarks;
};

/// Whether the linear classifier sees the radial units above the code.
bool sees_radial(const Model& model, const EvaluateOptions& options) {
    return options.linear && options.layer == 0 && model.radial;
}

/// Bytes that are held at most, by the numbers of pictures alone; see evaluate(). measured: pictures of a set
/// of their own; 0: those to learn from are split in halves.
std::int64_t bytes_of(const Model& model, std::int64_t learnt, std::int64_t measured,
                      const EvaluateOptions& options) {
    const auto pixels = static_cast<double>(model.recipe.size());
    const auto code = static_cast<double>(model.code_size(options.layer));
    const double wide = sees_radial(model, options) ? static_cast<double>(model.radial->units()) : 0.0;
    const double views = options.mirror ? 2.0 : 1.0;
    const double n = views * static_cast<double>(learnt);
    const double parts =
        (pixels + code + wide) *
        (n + (measured > 0 ? static_cast<double>(measured) : n / 2.0 + static_cast<double>(learnt) / 2.0));
    // The halves of two sets are joined, which holds one of their blocks twice.
    const double joined = options.mirror && measured == 0 ? n / 2.0 * std::max({pixels, code, wide}) : 0.0;
    const double trained = measured > 0 ? n : n / 2.0;
    const double axes = 6.0 * std::pow(std::min(trained, pixels), 2.0);
    const double index = trained * pixels;
    return base::whole_bytes(sizeof(float) * (parts + std::max({joined, axes, index})));
}

/// Throws InvalidArgument where that is above the limit. Returns what is left for the linear classifier,
/// which is trained when nothing else is at work.
std::int64_t check_memory(const Model& model, std::int64_t learnt, std::int64_t measured,
                          const EvaluateOptions& options) {
    const std::int64_t limit = base::resolve_memory(options.memory);
    const std::int64_t bytes = bytes_of(model, learnt, measured, options);
    if (bytes > limit) {
        throw InvalidArgument(fmt::format(
            "evaluate: {} needed for {} pictures of {} values with codes of {}{}{}, {} allowed; a layer of "
            "fewer "
            "values, fewer pictures or more memory would help",
            format_bytes(bytes), learnt + measured, model.recipe.size(), model.code_size(options.layer),
            sees_radial(model, options) ? fmt::format(" and {} radial units", model.radial->units()) : "",
            options.mirror ? ", mirrored too" : "", format_bytes(limit)));
    }
    return limit - bytes;
}

void check_options(const Model& model, const EvaluateOptions& options) {
    if (options.mirror && model.recipe.height == 1) {
        throw InvalidArgument("evaluate: pictures expected to be mirrored, the model is of rows of numbers");
    }
    if (options.k < 1) {
        throw InvalidArgument(fmt::format("evaluate: k of at least 1 expected, {} found", options.k));
    }
    if (options.splits < 1) {
        throw InvalidArgument(fmt::format("evaluate: at least 1 split expected, {} found", options.splits));
    }
}

/// The first rows of a tensor that was made too large.
void shrink(Tensor& tensor, std::int64_t rows) {
    if (rows < tensor.rows()) {
        Tensor smaller({rows, tensor.columns()});
        std::copy_n(tensor.data(), smaller.size(), smaller.data());
        tensor = std::move(smaller);
    }
}

/// Left to right, in place. Values that were standardised one by one are again, where they end up.
void mirror(const Recipe& recipe, Tensor& pictures) {
    const auto each_standardised = [&](const auto& change) {
        for (std::int64_t i = 0; i < pictures.rows() && !recipe.mean.empty(); ++i) {
            const auto row = pictures.row(i);
            for (std::size_t j = 0; j < row.size(); ++j) {
                row[j] = static_cast<float>(change(double{row[j]}, j));
            }
        }
    };
    each_standardised([&](double x, std::size_t j) { return recipe.restored(x, j); });
    const auto width = static_cast<std::size_t>(recipe.width);
    const auto channels = static_cast<std::size_t>(recipe.channels);
    const auto values = pictures.values();
    for (std::size_t row = 0; row < values.size(); row += width * channels) {
        const auto line = values.subspan(row, width * channels);
        for (std::size_t x = 0; x < width / 2; ++x) {
            const auto left = line.begin() + static_cast<std::ptrdiff_t>(x * channels);
            const auto right = line.begin() + static_cast<std::ptrdiff_t>((width - 1 - x) * channels);
            std::swap_ranges(left, left + static_cast<std::ptrdiff_t>(channels), right);
        }
    }
    each_standardised([&](double x, std::size_t j) { return recipe.standardised(x, j); });
}

enum class View { as_is, mirrored };

/// The layer asked for and, where a linear classifier is to see them, the radial units above it.
class Encoders {
public:
    Encoders(const Model& model, const EvaluateOptions& options)
        : code_(model, {.layer = options.layer, .threads = options.threads}), context_(options.threads) {
        if (sees_radial(model, options)) {
            radial_.emplace(*model.radial);
        }
    }

    [[nodiscard]] Encoder& code() { return code_; }
    /// Only where sees_radial().
    [[nodiscard]] Tensor wide(const Tensor& codes) {
        return linalg::run_on_backend("encode", context_.threads(),
                                      [&] { return radial_->encode(context_, codes); });
    }

private:
    Encoder code_;
    linalg::Context context_;
    std::optional<encoding::RadialRunner> radial_;
};

/// Room for so many pictures and what is made of them, in one block: mirror images that follow later have
/// their place already, since joining two blocks would hold them twice.
Read room_for(std::int64_t rows, Encoders& encoders, const Model& model, const EvaluateOptions& options) {
    Read room;
    room.part.pictures = Tensor({rows, model.recipe.size()});
    room.part.codes = Tensor({rows, encoders.code().code_size()});
    if (sees_radial(model, options)) {
        room.part.wide = Tensor({rows, model.radial->units()});
    }
    return room;
}

/// Appends the pictures to what was read, and returns those that could not be. rebuild: whether each
/// picture's error of reconstruction is measured too, which costs as much as encoding it.
std::vector<SkippedPicture> read_on(Encoders& encoders, const Model& model, const Pictures& pictures,
                                    const EvaluateOptions& options, bool rebuild, View view, Read& read) {
    Part& part = read.part;
    Encoder& encoder = encoders.code();
    PictureReader reader(pictures, model.recipe,
                         {.threads = options.threads, .memory = base::reading_memory(options.memory)});
    std::vector<SkippedPicture> skipped;
    for (PictureBatch batch; reader.next(batch);) {
        skipped.insert(skipped.end(), batch.skipped.begin(), batch.skipped.end());
        read.remarks.insert(read.remarks.end(), batch.remarks.begin(), batch.remarks.end());
        if (batch.indices.empty()) {
            continue;
        }
        if (view == View::mirrored) {
            mirror(model.recipe, batch.pictures);
        }
        // The reconstruction is of the code as it is; l2_normalize is for who classifies by it.
        Tensor codes = encoder.encode(batch.pictures);
        const Tensor decoded = rebuild ? encoder.decode(codes) : Tensor();
        for (std::size_t i = 0; i < batch.indices.size(); ++i) {
            const auto row = static_cast<std::int64_t>(i);
            if (rebuild) {
                part.errors.push_back(base::squared_distance(decoded.row(row), batch.pictures.row(row)));
            }
            read.labels.push_back(pictures.entry(batch.indices[i]).label);
        }
        std::copy_n(batch.pictures.data(), batch.pictures.size(), part.pictures.row(read.rows).data());
        if (!part.wide.empty()) {
            const Tensor wide = encoders.wide(codes);
            std::copy_n(wide.data(), wide.size(), part.wide.row(read.rows).data());
        }
        for (std::int64_t i = 0; options.l2_normalize && i < codes.rows(); ++i) {
            base::l2_normalize(codes.row(i), codes.row(i));
        }
        std::copy_n(codes.data(), codes.size(), part.codes.row(read.rows).data());
        read.rows += batch.pictures.rows();
    }
    return skipped;
}

/// Gives up the room that is left.
void fit(Read& read) {
    shrink(read.part.pictures, read.rows);
    shrink(read.part.codes, read.rows);
    if (!read.part.wide.empty()) {
        shrink(read.part.wide, read.rows);
    }
}

/// Gives every class of all sets its number, and returns the names.
std::vector<std::string> number_classes(const std::vector<Read*>& sets) {
    std::vector<std::string> labels;
    for (const Read* set : sets) {
        for (const auto& label : set->labels) {
            if (label) {
                labels.push_back(*label);
            }
        }
    }
    const search::Numbering numbering(labels);
    auto next = numbering.numbers().begin();
    for (Read* set : sets) {
        for (const auto& label : set->labels) {
            set->part.labels.push_back(label ? *next++ : -1);
        }
    }
    return numbering.names();
}

void check_read(const Read& set, std::int64_t least, const Pictures& pictures) {
    if (set.rows < least) {
        throw InvalidArgument(fmt::format("{}: {} pictures could be read ({} skipped), at least {} expected",
                                          pictures.path(), set.rows, set.skipped.size(), least));
    }
}

/// Appends the mirror images to `read`: of the pictures that `as_they_are` has.
void read_mirrored(Encoders& encoders, const Model& model, const Pictures& pictures,
                   const EvaluateOptions& options, const Read& as_they_are, Read& read) {
    const auto again = read_on(encoders, model, pictures, options, false, View::mirrored, read);
    const std::vector<SkippedPicture>& skipped = as_they_are.skipped;
    if (!std::equal(again.begin(), again.end(), skipped.begin(), skipped.end(),
                    [](const SkippedPicture& a, const SkippedPicture& b) { return a.index == b.index; })) {
        throw InvalidArgument(
            fmt::format("{}: other pictures could be read at first than the next time", pictures.path()));
    }
}

Evaluation finish(const std::vector<search::SplitFigures>& splits, const std::vector<std::string>& names,
                  const EvaluateOptions& options) {
    Evaluation evaluation = search::summarise(splits, names, options.linear);
    if (!evaluation.labelled) {
        evaluation.k = options.k;
    }
    evaluation.metric = options.metric;
    evaluation.mirrored = options.mirror;
    return evaluation;
}

}  // namespace

Evaluation evaluate(const Model& model, const Pictures& train, const Pictures& test,
                    const EvaluateOptions& options) {
    check_options(model, options);
    EvaluateOptions rest = options;
    rest.memory = std::max<std::int64_t>(1, check_memory(model, train.size(), test.size(), options));
    Encoders encoders(model, options);
    Read train_set = room_for(train.size() * (options.mirror ? 2 : 1), encoders, model, options);
    train_set.skipped = read_on(encoders, model, train, options, false, View::as_is, train_set);
    check_read(train_set, 1, train);
    const std::int64_t train_pictures = train_set.rows;
    if (options.mirror) {
        read_mirrored(encoders, model, train, options, train_set, train_set);
    }
    fit(train_set);
    Read test_set = room_for(test.size(), encoders, model, options);
    test_set.skipped = read_on(encoders, model, test, options, true, View::as_is, test_set);
    check_read(test_set, 1, test);
    fit(test_set);
    const std::vector<std::string> names = number_classes({&train_set, &test_set});
    const auto figures = search::measure(train_set.part, test_set.part, std::ssize(names), rest);
    Evaluation evaluation = finish({figures}, names, options);
    evaluation.code_size = encoders.code().code_size();
    evaluation.train_pictures = train_pictures;
    evaluation.test_pictures = test_set.part.size();
    evaluation.skipped_train = std::move(train_set.skipped);
    evaluation.skipped_test = std::move(test_set.skipped);
    evaluation.remarks_train = std::move(train_set.remarks);
    evaluation.remarks_test = std::move(test_set.remarks);
    return evaluation;
}

Evaluation evaluate(const Model& model, const Pictures& pictures, const EvaluateOptions& options) {
    check_options(model, options);
    EvaluateOptions rest = options;
    rest.memory = std::max<std::int64_t>(1, check_memory(model, pictures.size(), 0, options));
    Encoders encoders(model, options);
    Read set = room_for(pictures.size(), encoders, model, options);
    set.skipped = read_on(encoders, model, pictures, options, true, View::as_is, set);
    check_read(set, 2, pictures);
    fit(set);
    const std::vector<std::string> names = number_classes({&set});

    Read turned;
    if (options.mirror) {
        turned = room_for(pictures.size(), encoders, model, options);
        read_mirrored(encoders, model, pictures, options, set, turned);
        fit(turned);
        turned.part.labels = set.part.labels;
    }
    std::vector<search::SplitFigures> splits;
    search::Halves halves;
    for (int split = 0; split < options.splits; ++split) {
        halves = search::split_in_halves(set.part.labels, options.seed, split);
        Part train = search::gather(set.part, halves.train);
        if (options.mirror) {
            search::append(train, search::gather(turned.part, halves.train));
        }
        splits.push_back(
            search::measure(train, search::gather(set.part, halves.test), std::ssize(names), rest));
    }
    Evaluation evaluation = finish(splits, names, options);
    evaluation.code_size = encoders.code().code_size();
    evaluation.train_pictures = std::ssize(halves.train);
    evaluation.test_pictures = std::ssize(halves.test);
    evaluation.skipped_train = std::move(set.skipped);
    evaluation.remarks_train = std::move(set.remarks);
    return evaluation;
}

}  // namespace stackae

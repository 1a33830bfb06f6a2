#include "stackae/evaluate.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "stackae/error.hpp"

#include "model/radial_runner.hpp"
#include "nn/onednn.hpp"
#include "search/measure.hpp"
#include "search/numbering.hpp"
#include "search/rows.hpp"

// Pictures are held as floats while they are measured, n × recipe.size() × 4 bytes: those of both sets, once
// more in the index of the raw baseline, with one set once more in its halves, and mirrored again as often.
namespace stackae {
namespace {

using search::Part;

/// A collection read, without the class numbers.
struct Read {
    Part part;
    std::vector<std::optional<std::string>> labels;
    std::vector<SkippedPicture> skipped;
};

/// Whether the linear classifier sees the radial units above the code.
bool sees_radial(const Model& model, const EvaluateOptions& options) {
    return options.linear && options.layer == 0 && model.radial;
}

/// Radial units of n pictures are held at once, beside what the classifier itself takes.
void check_radial_memory(const Model& model, std::int64_t n, const EvaluateOptions& options) {
    if (!sees_radial(model, options)) {
        return;
    }
    constexpr double gib = 1 << 30;
    const std::int64_t views = options.mirror ? 2 : 1;
    const std::int64_t bytes = n * views * model.radial->units() * static_cast<std::int64_t>(sizeof(float));
    if (bytes > options.linear_memory) {
        throw InvalidArgument(
            fmt::format("linear classifier: {} radial units of {} pictures{} take {:.2f} GiB of memory, "
                        "{:.2f} GiB are allowed; "
                        "name a layer, take fewer pictures, or allow more",
                        model.radial->units(), n, options.mirror ? " and their mirror images" : "",
                        static_cast<double>(bytes) / gib, static_cast<double>(options.linear_memory) / gib));
    }
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
                row[j] = change(row[j], recipe.mean[j], recipe.deviation[j]);
            }
        }
    };
    each_standardised([](float x, float mean, float deviation) { return x * deviation + mean; });
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
    each_standardised([](float x, float mean, float deviation) { return (x - mean) / deviation; });
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
        return nn::run_on_backend("encode", context_.threads(),
                                  [&] { return radial_->encode(context_, codes); });
    }

private:
    Encoder code_;
    nn::Context context_;
    std::optional<encoding::RadialRunner> radial_;
};

/// rebuild: whether each picture's error of reconstruction is measured too, which costs as much as encoding
/// it.
Read read(Encoders& encoders, const Model& model, const Pictures& pictures, const EvaluateOptions& options,
          bool rebuild, View view = View::as_is) {
    Read result;
    Part& part = result.part;
    Encoder& encoder = encoders.code();
    part.pictures = Tensor({pictures.size(), model.recipe.size()});
    part.codes = Tensor({pictures.size(), encoder.code_size()});
    if (sees_radial(model, options)) {
        part.wide = Tensor({pictures.size(), model.radial->units()});
    }
    PictureReader reader(pictures, model.recipe, {.threads = options.threads});
    PictureBatch batch;
    std::int64_t rows = 0;
    while (reader.next(batch)) {
        result.skipped.insert(result.skipped.end(), batch.skipped.begin(), batch.skipped.end());
        if (batch.indices.empty()) {
            continue;
        }
        if (view == View::mirrored) {
            mirror(model.recipe, batch.pictures);
        }
        // The reconstruction is of the code as it is; l2_normalize is for who classifies by it.
        const Tensor codes = encoder.encode(batch.pictures);
        const Tensor decoded = rebuild ? encoder.decode(codes) : Tensor();
        for (std::size_t i = 0; i < batch.indices.size(); ++i) {
            const auto row = static_cast<std::int64_t>(i);
            if (rebuild) {
                part.errors.push_back(search::squared_distance(decoded.row(row), batch.pictures.row(row)));
            }
            result.labels.push_back(pictures.entry(batch.indices[i]).label);
        }
        std::copy_n(batch.pictures.data(), batch.pictures.size(), part.pictures.row(rows).data());
        std::copy_n(codes.data(), codes.size(), part.codes.row(rows).data());
        if (!part.wide.empty()) {
            const Tensor wide = encoders.wide(codes);
            std::copy_n(wide.data(), wide.size(), part.wide.row(rows).data());
        }
        rows += batch.pictures.rows();
    }
    shrink(part.pictures, rows);
    shrink(part.codes, rows);
    if (!part.wide.empty()) {
        shrink(part.wide, rows);
    }
    if (options.l2_normalize) {
        for (std::int64_t i = 0; i < rows; ++i) {
            search::scale_to_length_one(part.codes.row(i), part.codes.row(i));
        }
    }
    return result;
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
    if (set.part.size() < least) {
        throw InvalidArgument(fmt::format("{}: {} pictures could be read ({} skipped), at least {} expected",
                                          pictures.path(), set.part.size(), set.skipped.size(), least));
    }
}

/// `pictures` mirrored, with the labels of `set`, which is what was read of them as they are; nothing where
/// that was not asked for.
Part mirrored(Encoders& encoders, const Model& model, const Pictures& pictures,
              const EvaluateOptions& options, const Read& set) {
    if (!options.mirror) {
        return {};
    }
    Read again = read(encoders, model, pictures, options, false, View::mirrored);
    if (!std::equal(again.skipped.begin(), again.skipped.end(), set.skipped.begin(), set.skipped.end(),
                    [](const SkippedPicture& a, const SkippedPicture& b) { return a.index == b.index; })) {
        throw InvalidArgument(
            fmt::format("{}: other pictures could be read at first than the next time", pictures.path()));
    }
    again.part.labels = set.part.labels;
    return std::move(again.part);
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
    check_radial_memory(model, train.size(), options);
    Encoders encoders(model, options);
    Read train_set = read(encoders, model, train, options, false);
    Read test_set = read(encoders, model, test, options, true);
    const std::vector<std::string> names = number_classes({&train_set, &test_set});
    check_read(train_set, 1, train);
    check_read(test_set, 1, test);

    const std::int64_t train_pictures = train_set.part.size();
    if (options.mirror) {
        search::append(train_set.part, mirrored(encoders, model, train, options, train_set));
    }
    const auto figures = search::measure(train_set.part, test_set.part, std::ssize(names), options);
    Evaluation evaluation = finish({figures}, names, options);
    evaluation.code_size = encoders.code().code_size();
    evaluation.train_pictures = train_pictures;
    evaluation.test_pictures = test_set.part.size();
    evaluation.skipped_train = std::move(train_set.skipped);
    evaluation.skipped_test = std::move(test_set.skipped);
    return evaluation;
}

Evaluation evaluate(const Model& model, const Pictures& pictures, const EvaluateOptions& options) {
    check_options(model, options);
    check_radial_memory(model, pictures.size(), options);
    Encoders encoders(model, options);
    Read set = read(encoders, model, pictures, options, true);
    const std::vector<std::string> names = number_classes({&set});
    check_read(set, 2, pictures);

    const Part turned = mirrored(encoders, model, pictures, options, set);
    std::vector<search::SplitFigures> splits;
    search::Halves halves;
    for (int split = 0; split < options.splits; ++split) {
        halves = search::split_in_halves(set.part.labels, options.seed, split);
        Part train = search::gather(set.part, halves.train);
        if (options.mirror) {
            search::append(train, search::gather(turned, halves.train));
        }
        splits.push_back(
            search::measure(train, search::gather(set.part, halves.test), std::ssize(names), options));
    }
    Evaluation evaluation = finish(splits, names, options);
    evaluation.code_size = encoders.code().code_size();
    evaluation.train_pictures = std::ssize(halves.train);
    evaluation.test_pictures = std::ssize(halves.test);
    evaluation.skipped_train = std::move(set.skipped);
    return evaluation;
}

}  // namespace stackae

#include "stackae/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "base/memory.hpp"
#include "base/rows.hpp"
#include "evaluate/channel_statistics.hpp"
#include "evaluate/depth_encoder.hpp"
#include "evaluate/measure.hpp"
#include "model/groups.hpp"
#include "search/label_encoder.hpp"

// Pictures are held as floats while they are measured, of d values n × d × 4 bytes: those of both sets, once
// more in the index of the raw baseline, with one set once more in its halves, and mirrored again as often.
namespace stackae {
namespace {

using evaluation::EncodedSet;

/// A collection read, without the class numbers.
struct ReadSet {
    EncodedSet part;        ///< with room for more rows than are read, see fit()
    std::int64_t rows = 0;  ///< read so far
    std::vector<std::optional<std::string>> labels;
    std::vector<std::optional<std::string>> groups;
    std::vector<SkippedPicture> skipped;
    std::vector<PictureRemark> remarks;
};

/// Whether the linear classifier sees another code than the neighbours: the last output's.
bool sees_wide(const Model& model, const EvaluateOptions& options) {
    return options.linear && options.output.empty() &&
           model.outputs.back().depth != model.outputs.front().depth;
}

/// Values of that code; 0 where it is the neighbours'.
std::int64_t wide_size(const Model& model, const EvaluateOptions& options) {
    return sees_wide(model, options) ? model.layers[model.outputs.back().depth - 1].output_shape().size() : 0;
}

/// Numbers that say of a picture what its channels' statistics do.
std::int64_t statistics_of(const Model& model) {
    return model.preprocessing.channels * evaluation::statistics_a_channel;
}

/// Bytes that are held at most, by the numbers of pictures alone; see evaluate(). measured: pictures of a set
/// of their own; 0: those to learn from are split in halves.
std::int64_t bytes_of(const Model& model, std::int64_t learnt, std::int64_t measured,
                      const EvaluateOptions& options) {
    const auto pixels = static_cast<double>(model.preprocessing.size());
    const auto code = static_cast<double>(model.code_size(options.output));
    const auto wide = static_cast<double>(wide_size(model, options));
    const auto statistics = static_cast<double>(statistics_of(model));
    const double views = options.mirror ? 2.0 : 1.0;
    const double n = views * static_cast<double>(learnt);
    const double wide_halves = wide / 2.0;  // they are bfloat16
    const double parts =
        (pixels + code + wide_halves + statistics) *
        (n + (measured > 0 ? static_cast<double>(measured) : n / 2.0 + static_cast<double>(learnt) / 2.0));
    // The halves of two sets are joined, which holds one of their blocks twice.
    const double joined =
        options.mirror && measured == 0 ? n / 2.0 * std::max({pixels, code, wide_halves}) : 0.0;
    const double trained = measured > 0 ? n : n / 2.0;
    const double axes = 6.0 * std::pow(std::min(trained, pixels), 2.0);
    double indexed = trained + evaluation::query_rows;
    if (options.vote == Vote::weighted && trained > NeighbourIndex::scale_rows) {
        indexed += 2.0 * NeighbourIndex::scale_rows;  // some of them in an index, for local scales
    }
    const double index = indexed * std::max(pixels, code);
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
            "fewer values, fewer pictures or more memory would help",
            format_bytes(bytes), learnt + measured, model.preprocessing.size(),
            model.code_size(options.output),
            sees_wide(model, options)
                ? fmt::format(" and {} ({})", wide_size(model, options), model.outputs.back().name)
                : "",
            options.mirror ? ", mirrored too" : "", format_bytes(limit)));
    }
    return limit - bytes;
}

void check_options(const Model& model, const EvaluateOptions& options) {
    (void)model.depth_of(options.output);
    if (options.mirror && model.preprocessing.height == 1) {
        throw InvalidArgument("evaluate: pictures expected to be mirrored, the model is of rows of numbers");
    }
    if (options.k && *options.k < 1) {
        throw InvalidArgument(fmt::format("evaluate: k of at least 1 expected, {} found", *options.k));
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
void mirror(const Preprocessing& preprocessing, Tensor& pictures) {
    const auto each_standardised = [&](const auto& change) {
        for (std::int64_t i = 0; i < pictures.rows() && !preprocessing.mean.empty(); ++i) {
            const auto row = pictures.row(i);
            for (std::size_t j = 0; j < row.size(); ++j) {
                row[j] = static_cast<float>(change(double{row[j]}, j));
            }
        }
    };
    each_standardised([&](double x, std::size_t j) { return preprocessing.restored(x, j); });
    const auto width = static_cast<std::size_t>(preprocessing.width);
    const auto channels = static_cast<std::size_t>(preprocessing.channels);
    const auto values = pictures.values();
    for (std::size_t row = 0; row < values.size(); row += width * channels) {
        const auto line = values.subspan(row, width * channels);
        for (std::size_t x = 0; x < width / 2; ++x) {
            const auto left = line.begin() + static_cast<std::ptrdiff_t>(x * channels);
            const auto right = line.begin() + static_cast<std::ptrdiff_t>((width - 1 - x) * channels);
            std::swap_ranges(left, left + static_cast<std::ptrdiff_t>(channels), right);
        }
    }
    each_standardised([&](double x, std::size_t j) { return preprocessing.standardised(x, j); });
}

enum class View { as_is, mirrored };

/// What a model makes of pictures, all in one pass through its layers.
class Encoders {
public:
    struct Codes {
        Tensor code;
        Tensor wide;     ///< only where sees_wide()
        Tensor rebuilt;  ///< only where it was asked for and is possible
    };

    Encoders(const Model& model, const EvaluateOptions& options)
        : code_(model.depth_of(options.output)),
          wide_(sees_wide(model, options) ? model.outputs.back().depth : code_),
          rebuilt_(options.output.empty() ? model.reconstruction.depth : code_),
          depths_(sorted({code_, wide_, rebuilt_})),
          encoder_(model, depths_, options.threads) {
        if (rebuilt_ > 0 && model.uninvertible_layer(rebuilt_) == 0) {
            decoder_.emplace(model,
                             EncodeOptions{.output = std::to_string(rebuilt_), .threads = options.threads});
        }
    }

    [[nodiscard]] bool can_rebuild() const { return decoder_.has_value(); }

    Codes encode(const Tensor& pictures, bool rebuild) {
        Codes made;
        encoder_.run(pictures, [&](std::size_t i, const Tensor& codes) {
            if (depths_[i] == code_) {
                made.code = codes;
            }
            if (depths_[i] == wide_ && wide_ != code_) {
                made.wide = codes;
            }
            if (depths_[i] == rebuilt_ && rebuild && can_rebuild()) {
                made.rebuilt = decoder_->decode(codes);
            }
        });
        return made;
    }

private:
    /// Without 0 and what is there twice.
    static std::vector<std::size_t> sorted(std::set<std::size_t> depths) {
        depths.erase(0);
        return {depths.begin(), depths.end()};
    }

    std::size_t code_;
    std::size_t wide_;
    std::size_t rebuilt_;
    std::vector<std::size_t> depths_;
    evaluation::DepthEncoder encoder_;
    std::optional<Encoder> decoder_;
};

/// Room for so many pictures and what is made of them, in one block: mirror images that follow later have
/// their place already, since joining two blocks would hold them twice.
ReadSet room_for(std::int64_t rows, const Model& model, const EvaluateOptions& options) {
    ReadSet room;
    room.part.pictures = Tensor({rows, model.preprocessing.size()});
    room.part.codes = Tensor({rows, model.code_size(options.output)});
    room.part.statistics = Tensor({rows, statistics_of(model)});
    if (sees_wide(model, options)) {
        room.part.wide = linalg::Bfloat16Rows(rows, wide_size(model, options));
    }
    return room;
}

/// Appends the pictures to what was read, and returns those that could not be. rebuild: whether each
/// picture's error of reconstruction is measured too, which costs as much as encoding it.
std::vector<SkippedPicture> read_on(Encoders& encoders, const Model& model, const ImageDataset& pictures,
                                    const EvaluateOptions& options, bool rebuild, View view, ReadSet& read) {
    EncodedSet& part = read.part;
    PictureReader reader(pictures, model.preprocessing,
                         {.threads = options.threads, .memory = base::reading_memory(options.memory)});
    std::vector<SkippedPicture> skipped;
    for (PictureBatch batch; reader.next(batch);) {
        skipped.insert(skipped.end(), batch.skipped.begin(), batch.skipped.end());
        read.remarks.insert(read.remarks.end(), batch.remarks.begin(), batch.remarks.end());
        if (batch.indices.empty()) {
            continue;
        }
        if (view == View::mirrored) {
            mirror(model.preprocessing, batch.pictures);
        }
        // The reconstruction is of the code as it is; l2_normalize is for who classifies by it.
        auto [codes, wide, rebuilt] = encoders.encode(batch.pictures, rebuild);
        for (std::size_t i = 0; i < batch.indices.size(); ++i) {
            const auto row = static_cast<std::int64_t>(i);
            if (!rebuilt.empty()) {
                part.errors.push_back(base::squared_distance(rebuilt.row(row), batch.pictures.row(row)));
            }
            ImageEntry entry = pictures.entry(batch.indices[i]);
            read.labels.push_back(std::move(entry.label));
            read.groups.push_back(std::move(entry.group));
            evaluation::channel_statistics(model.preprocessing, std::as_const(batch.pictures).row(row),
                                           part.statistics.row(read.rows + row));
        }
        std::copy_n(batch.pictures.data(), batch.pictures.size(), part.pictures.row(read.rows).data());
        if (!part.wide.empty()) {
            if (part.wide.origin().empty()) {
                part.wide.center(wide);
            }
            for (std::int64_t i = 0; i < wide.rows(); ++i) {
                part.wide.set(read.rows + i, wide.row(i));
            }
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
void fit(ReadSet& read) {
    shrink(read.part.pictures, read.rows);
    shrink(read.part.codes, read.rows);
    read.part.wide.shrink(std::min(read.rows, read.part.wide.rows()));
    shrink(read.part.statistics, read.rows);
}

/// Gives every class of all sets its number, and returns the names.
std::vector<std::string> number_classes(const std::vector<ReadSet*>& sets) {
    std::vector<std::string> labels;
    for (const ReadSet* set : sets) {
        for (const auto& label : set->labels) {
            if (label) {
                labels.push_back(*label);
            }
        }
    }
    const search::LabelEncoder encoder(labels);
    auto next = encoder.numbers().begin();
    for (ReadSet* set : sets) {
        for (const auto& label : set->labels) {
            set->part.labels.push_back(label ? *next++ : -1);
        }
    }
    return encoder.names();
}

/// Gives every group of all sets its number, where there are groups; a picture without one is of its own.
void number_groups(const std::vector<ReadSet*>& sets, Evaluation& counts) {
    GroupNumbers numbers;
    std::map<std::string, std::set<const ReadSet*>> named;
    for (const ReadSet* set : sets) {
        for (const auto& group : set->groups) {
            numbers.add(group);
            if (group) {
                named[*group].insert(set);
            }
        }
    }
    const std::vector<std::int64_t> all = numbers.take();
    auto next = all.begin();
    for (ReadSet* set : sets) {
        if (!all.empty()) {
            set->part.groups.assign(next, next + std::ssize(set->groups));
            next += std::ssize(set->groups);
        }
    }
    counts.groups = std::ssize(named);
    counts.shared_groups =
        std::count_if(named.begin(), named.end(), [](const auto& group) { return group.second.size() > 1; });
}

void check_read(const ReadSet& set, std::int64_t least, const ImageDataset& pictures) {
    if (set.rows < least) {
        throw InvalidArgument(fmt::format("{}: {} pictures could be read ({} skipped), at least {} expected",
                                          pictures.path(), set.rows, set.skipped.size(), least));
    }
}

/// Appends the mirror images to `read`: of the pictures that `as_they_are` has.
void read_mirrored(Encoders& encoders, const Model& model, const ImageDataset& pictures,
                   const EvaluateOptions& options, const ReadSet& as_they_are, ReadSet& read) {
    const auto again = read_on(encoders, model, pictures, options, false, View::mirrored, read);
    const std::vector<SkippedPicture>& skipped = as_they_are.skipped;
    if (!std::equal(again.begin(), again.end(), skipped.begin(), skipped.end(),
                    [](const SkippedPicture& a, const SkippedPicture& b) { return a.index == b.index; })) {
        throw InvalidArgument(
            fmt::format("{}: other pictures could be read at first than the next time", pictures.path()));
    }
}

Evaluation finish(const std::vector<evaluation::SplitMetrics>& splits, const std::vector<std::string>& names,
                  const Model& model, const EvaluateOptions& options) {
    Evaluation evaluation = evaluation::summarise(splits, names, options.linear);
    if (evaluation.linear && sees_wide(model, options)) {
        evaluation.linear->output = model.outputs.back().name;
    }
    evaluation.code_size = model.code_size(options.output);
    evaluation.statistics = statistics_of(model);
    if (!evaluation.labelled) {
        evaluation.k = voters(options.vote, options.k);
        evaluation.majority_k = voters(Vote::majority, options.k);
    }
    evaluation.vote = options.vote;
    evaluation.metric = options.metric;
    evaluation.mirrored = options.mirror;
    return evaluation;
}

}  // namespace

Evaluation evaluate(const Model& model, const ImageDataset& train, const ImageDataset& test,
                    const EvaluateOptions& options) {
    check_options(model, options);
    EvaluateOptions rest = options;
    rest.memory = std::max<std::int64_t>(1, check_memory(model, train.size(), test.size(), options));
    Encoders encoders(model, options);
    ReadSet train_set = room_for(train.size() * (options.mirror ? 2 : 1), model, options);
    train_set.skipped = read_on(encoders, model, train, options, false, View::as_is, train_set);
    check_read(train_set, 1, train);
    const std::int64_t train_pictures = train_set.rows;
    if (options.mirror) {
        read_mirrored(encoders, model, train, options, train_set, train_set);
    }
    fit(train_set);
    ReadSet test_set = room_for(test.size(), model, options);
    test_set.skipped = read_on(encoders, model, test, options, true, View::as_is, test_set);
    check_read(test_set, 1, test);
    fit(test_set);
    const std::vector<std::string> names = number_classes({&train_set, &test_set});
    Evaluation counts;
    number_groups({&train_set, &test_set}, counts);
    const auto metrics = evaluation::measure(train_set.part, test_set.part, std::ssize(names), rest);
    Evaluation evaluation = finish({metrics}, names, model, options);
    evaluation.groups = counts.groups;
    evaluation.shared_groups = counts.shared_groups;
    evaluation.train_pictures = train_pictures;
    evaluation.test_pictures = test_set.part.size();
    evaluation.skipped_train = std::move(train_set.skipped);
    evaluation.skipped_test = std::move(test_set.skipped);
    evaluation.remarks_train = std::move(train_set.remarks);
    evaluation.remarks_test = std::move(test_set.remarks);
    return evaluation;
}

Evaluation evaluate(const Model& model, const ImageDataset& pictures, const EvaluateOptions& options) {
    check_options(model, options);
    EvaluateOptions rest = options;
    rest.memory = std::max<std::int64_t>(1, check_memory(model, pictures.size(), 0, options));
    Encoders encoders(model, options);
    ReadSet set = room_for(pictures.size(), model, options);
    set.skipped = read_on(encoders, model, pictures, options, true, View::as_is, set);
    check_read(set, 2, pictures);
    fit(set);
    const std::vector<std::string> names = number_classes({&set});
    Evaluation counts;
    number_groups({&set}, counts);

    ReadSet turned;
    if (options.mirror) {
        turned = room_for(pictures.size(), model, options);
        turned.part.wide.center(set.part.wide.origin());
        read_mirrored(encoders, model, pictures, options, set, turned);
        fit(turned);
        turned.part.labels = set.part.labels;
        turned.part.groups = set.part.groups;
    }
    std::vector<evaluation::SplitMetrics> splits;
    evaluation::TrainTestSplit halves;
    for (int split = 0; split < options.splits; ++split) {
        halves = evaluation::split_in_halves(set.part.labels, options.seed, split, set.part.groups);
        if (halves.test.empty()) {
            throw InvalidArgument(
                fmt::format("{}: all pictures are of one group, which no split parts; two or "
                            "more groups, or a set of its own to measure on, expected",
                            pictures.path()));
        }
        EncodedSet train = evaluation::gather(set.part, halves.train);
        if (options.mirror) {
            evaluation::append(train, evaluation::gather(turned.part, halves.train));
        }
        splits.push_back(
            evaluation::measure(train, evaluation::gather(set.part, halves.test), std::ssize(names), rest));
    }
    Evaluation evaluation = finish(splits, names, model, options);
    evaluation.groups = counts.groups;
    evaluation.train_pictures = std::ssize(halves.train);
    evaluation.test_pictures = std::ssize(halves.test);
    evaluation.skipped_train = std::move(set.skipped);
    evaluation.remarks_train = std::move(set.remarks);
    return evaluation;
}

}  // namespace stackae

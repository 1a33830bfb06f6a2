#include "stackae/evaluate.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <vector>

#include "cli/command.hpp"
#include "cli/encode.hpp"
#include "cli/evaluate_odd.hpp"
#include "cli/evaluate_table.hpp"
#include "cli/interrupt.hpp"
#include "cli/model_locator.hpp"
#include "cli/output.hpp"
#include "cli/text_table.hpp"

namespace stackae::cli {
namespace {

constexpr std::int64_t max_components = 512;  ///< of PCA, which is beside codes of any size
constexpr std::size_t widest_table = 20;      ///< classes whose confusion table still fits a screen

std::string percent(const MeanStd& figure, int splits) {
    return splits > 1 ? fmt::format("{:.2f} % ± {:.2f}", 100.0 * figure.mean, 100.0 * figure.deviation)
                      : fmt::format("{:.2f} %", 100.0 * figure.mean);
}

std::string plain(const MeanStd& figure, int splits) {
    return splits > 1 ? fmt::format("{:.4f} ± {:.4f}", figure.mean, figure.deviation)
                      : fmt::format("{:.4f}", figure.mean);
}

std::string share(double value) {
    return std::isnan(value) ? "-" : fmt::format("{:.1f} %", 100.0 * value);
}

std::string confusion_table(const Evaluation& result) {
    TextTable table;
    std::vector<std::string> head{"true \\ given"};
    for (const ClassMetrics& metrics : result.classes) {
        head.push_back(metrics.name);
    }
    table.add(head);
    for (std::size_t r = 0; r < result.confusion.size(); ++r) {
        std::vector<std::string> row{result.classes[r].name};
        for (const std::int64_t count : result.confusion[r]) {
            row.push_back(fmt::format("{}", count));
        }
        table.add(std::move(row));
    }
    return table.text();
}

/// The pairs of classes that are taken for each other most, where the whole table is too wide.
std::string worst_confusions(const Evaluation& result) {
    struct Pair {
        std::int64_t count;
        std::size_t truth, given;
    };
    std::vector<Pair> pairs;
    for (std::size_t r = 0; r < result.confusion.size(); ++r) {
        for (std::size_t c = 0; c < result.confusion[r].size(); ++c) {
            if (r != c && result.confusion[r][c] > 0) {
                pairs.push_back({result.confusion[r][c], r, c});
            }
        }
    }
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const Pair& a, const Pair& b) { return a.count > b.count; });
    pairs.resize(std::min(pairs.size(), widest_table));
    TextTable table;
    table.add({"true", "given", "pictures"});
    for (const Pair& pair : pairs) {
        table.add(
            {result.classes[pair.truth].name, result.classes[pair.given].name, format_count(pair.count)});
    }
    return table.text();
}

std::string linear_table(const LinearMetrics& linear, int splits) {
    TextTable table;
    table.add({"model's features", percent(linear.accuracy, splits)});
    table.add({splits > 1 ? "c (median)" : "c",
               linear.c > 0.0 ? fmt::format("{:g}", linear.c) : "none: one class to learn from"});
    return table.text();
}

/// What makes the accuracies say less than they seem to.
std::string reservations(const Evaluation& result) {
    std::string text;
    if (result.train_classes == 1) {
        text +=
            "\nall pictures to learn from are of one class, whose name everything is given: accuracies say "
            "nothing\n";
    }
    if (result.shared_groups > 0) {
        text += fmt::format("\n{} in both sets: accuracies say less of pictures of other groups\n",
                            result.shared_groups == 1 ? "one group is"
                                                      : format_count(result.shared_groups, "group") + " are");
    }
    if (result.codes_alike) {
        text += "\nall pictures to learn from have the same code: which of them are near is chance\n";
    }
    return text;
}

std::string report(const Evaluation& result, const std::string& model, std::optional<std::int64_t> k_asked) {
    const int splits = result.splits;
    const char* const mirrored = result.mirrored ? " (and mirrored)" : "";
    std::string out = fmt::format("model  {}, code of {} values\n", model, result.code_size);
    out +=
        splits > 1
            ? fmt::format(
                  "data   {} random splits in halves of {}{} and {} pictures; figures are mean ± "
                  "standard deviation\n",
                  splits, format_count(result.train_pictures), mirrored, format_count(result.test_pictures))
            : fmt::format("data   {} pictures to learn from{}, {} to measure on\n",
                          format_count(result.train_pictures), mirrored, format_count(result.test_pictures));
    if (result.groups > 0) {
        out += fmt::format("groups {}{}\n", format_count(result.groups),
                           splits > 1 ? ", none of them parted: halves are about as large" : "");
    }
    TextTable squared;
    squared.add({"model", std::isnan(result.sse_per_image.mean) ? "none: it cannot rebuild pictures"
                                                                : plain(result.sse_per_image, splits)});
    squared.add({fmt::format("PCA of {}", result.pca_components), plain(result.pca_sse_per_image, splits)});
    squared.add({"mean picture", plain(result.mean_sse_per_image, splits)});
    out += "\nreconstruction: squared error a picture\n" + squared.text();
    if (result.pca_components < std::min(result.code_size, max_components)) {
        out +=
            fmt::format("PCA has no more components than pictures to learn from or values of a picture: {}\n",
                        result.pca_components);
    }
    if (!result.labelled) {
        return out + "\nno labels: nothing more can be measured\n";
    }
    TextTable accuracy;
    accuracy.add({"model's features", percent(result.knn_accuracy, splits)});
    if (result.vote != Vote::majority) {
        accuracy.add({fmt::format("features, {} of {}", name(Vote::majority), result.majority_k),
                      percent(result.majority_accuracy, splits)});
    }
    accuracy.add({"raw pixels", percent(result.raw_knn_accuracy, splits)});
    accuracy.add({fmt::format("PCA of {}", result.pca_components), percent(result.pca_knn_accuracy, splits)});
    accuracy.add({"channel statistics", percent(result.statistics_knn_accuracy, splits)});
    out += fmt::format(
        "\naccuracy of the {} nearest neighbours ({} distance, {} vote){}\n{}", result.k, name(result.metric),
        name(result.vote),
        result.k < k_asked.value_or(0) ? fmt::format(": there are no {} to learn from", *k_asked) : "",
        accuracy.text());
    if (result.linear) {
        out += fmt::format("\naccuracy of a linear classifier{}\n{}",
                           result.linear->output.empty()
                               ? ""
                               : fmt::format(" of {}, {} values", result.linear->output,
                                             format_count(result.linear->code_size)),
                           linear_table(*result.linear, splits));
    }
    out += reservations(result);
    TextTable classes;
    classes.add({"class", "pictures", "precision", "recall", "F1"});
    for (const ClassMetrics& metrics : result.classes) {
        classes.add({metrics.name, format_count(metrics.pictures), share(metrics.precision),
                     share(metrics.recall), share(metrics.f1)});
    }
    out += "\nclass by class\n" + classes.text();
    return out + (result.classes.size() <= widest_table
                      ? "\nconfusion, in pictures\n" + confusion_table(result)
                      : "\nmost frequent confusions (--json gives all)\n" + worst_confusions(result));
}

class EvaluateCommand : public Command {
public:
    std::string synopsis() const override {
        return "TRAIN [TEST] [-m MODEL] [options], or --good GOOD --odd ODD [options]";
    }
    std::string about() const override {
        return "Measures a model's features and reconstructions against raw pixels and PCA.\n"
               "Neighbours and PCA come from TRAIN, figures from TEST; with one set, from random halves of "
               "it.";
    }
    void declare(OptionParser& parser) override;
    int run(Console& console, const std::vector<std::string>& inputs) override;

private:
    int run_table(Console& console, const std::vector<std::string>& inputs) const;

    std::string model_;
    std::string manifest_;
    EvaluateOptions options_;
    ReadingOptions reading_;
    bool json_ = false;
    std::optional<int> splits_;
    TableInput tables_;
    std::string test_;
    std::string good_;
    std::string odd_;
    std::string memory_;
    std::string masks_;
    bool fit_ = false;
    std::string preset_;
    std::optional<Stack> stack_;
    std::optional<bool> given_parts_;  ///< as the protocol says
};

int EvaluateCommand::run_table(Console& console, const std::vector<std::string>& inputs) const {
    if (inputs.size() == 2 && !test_.empty()) {
        throw UsageError("TEST and --test are the same: one of them is expected");
    }
    tables_.refuse_option("manifest");
    tables_.tell_unused(console, {"k", "vote", "metric", "classifier", "mirror", "layer", "normalize"});
    const std::string test = inputs.size() == 2 ? inputs[1] : test_;
    if (given_parts_ && *given_parts_ == test.empty()) {
        throw UsageError(test.empty() ? "--protocol lightgcn needs --test FILE"
                                      : "--protocol users holds users out, and takes no --test FILE");
    }
    return evaluate_table(console, {.tables = tables_,
                                    .reading = reading_,
                                    .input = inputs[0],
                                    .test = test,
                                    .model = model_,
                                    .fit = fit_,
                                    .preset = preset_,
                                    .stack = stack_,
                                    .splits = splits_.value_or(1),
                                    .seed = options_.seed,
                                    .json = json_});
}

void EvaluateCommand::declare(OptionParser& parser) {
    parser.group("What is measured");
    parser.option("model,m", "MODEL", "else one that comes with stackae, by what the pictures are",
                  text_into(model_));
    declare_vote(parser, options_.vote, options_.k);
    parser.option("metric", "l2|cosine", "distance between codes",
                  [this](const std::string& text) { options_.metric = parse<Metric>(text); });
    parser.option(
        "classifier", "knn|linear",
        "linear: a linear classifier too, beside the neighbours; of the last output where no layer is named",
        [this](const std::string& text) { options_.linear = parse_either(text, "knn", "linear"); });
    parser.flag("mirror", "training pictures are learnt from mirrored too; test pictures are never mirrored",
                options_.mirror);
    declare_layer(parser, options_.output);
    declare_normalize(parser, options_.l2_normalize);
    parser.option("splits", "N",
                  "random halves, where there is one set (20 when not given), or parts of users (1)",
                  integer_into(splits_, 1, 10000));
    parser.option("seed", "N", "of the splits", integer_into(options_.seed, 0));
    parser.flag("fit", "of a table: learn from some users as `train` does, measure on others", fit_);
    parser.option("preset", "NAME", "of --fit: as of `train`; else settings are chosen", text_into(preset_));
    parser.option("stack", "LAYER,...", "of --fit: likewise",
                  [this](const std::string& text) { stack_ = parse_stack(text); });
    parser.option(
        "protocol", "users|lightgcn",
        "of a table: users are held out, or items of all users are given by --test",
        [this](const std::string& text) { given_parts_ = parse_either(text, "users", "lightgcn"); });
    parser.option("test", "FILE", "of a table: what its users took later", text_into(test_));
    parser.option("good", "GOOD", "of odd pictures: good ones, in place of TRAIN and TEST", text_into(good_));
    parser.option("odd", "ODD", "and odd ones, that are told from them: area under the ROC", text_into(odd_));
    parser.option("patch-memory", "FILE",
                  "that tells them, by memorize; else one that is learnt from half of the good ones",
                  text_into(memory_));
    parser.option("masks", "DIR", "of the odd ones, bright where they are odd: figures of pixels",
                  text_into(masks_));
    parser.group("Output");
    parser.flag("json", "one JSON object; accuracies from 0 to 1", json_);
    parser.group("Reading");
    reading_.declare(parser);
    parser.option("manifest", "FILE", "what became of every picture: CSV path,row,label,status,reason",
                  text_into(manifest_));
    tables_.declare(parser);
}

int EvaluateCommand::run(Console& console, const std::vector<std::string>& inputs) {
    if (!good_.empty() || !odd_.empty()) {
        if (!inputs.empty()) {
            throw UsageError("--good and --odd are in place of TRAIN and TEST");
        }
        return evaluate_odd(console, {.reading = reading_,
                                      .good = good_,
                                      .odd = odd_,
                                      .memory = memory_,
                                      .model = model_,
                                      .masks = masks_,
                                      .seed = options_.seed,
                                      .json = json_});
    }
    if (!memory_.empty() || !masks_.empty()) {
        throw UsageError("--patch-memory and --masks need --good and --odd");
    }
    if (inputs.empty() || inputs.size() > 2) {
        throw UsageError("evaluate needs TRAIN, or TRAIN and TEST, or --good and --odd");
    }
    options_.threads = reading_.threads;
    options_.memory = reading_.memory;
    if (!manifest_.empty()) {
        check_writable(manifest_);
    }
    if (tables_.is_table(inputs[0])) {
        return run_table(console, inputs);
    }
    if (fit_ || !test_.empty() || given_parts_ || !preset_.empty() || stack_) {
        throw UsageError("--fit, --preset, --stack, --test and --protocol are of tables of users and items");
    }
    options_.splits = splits_.value_or(options_.splits);
    std::optional<NamedModel> named = named_model(console, model_);
    const PictureLimits limits = reading_.picture_limits(preprocessing_of(named));
    ImageDataset train = ImageDataset::open(inputs[0], limits);
    std::optional<ImageDataset> test;
    std::vector<ImageDataset*> sets{&train};
    if (inputs.size() == 2) {
        sets.push_back(&test.emplace(ImageDataset::open(inputs[1], limits)));
    }
    reading_.label(console, sets);
    const NamedModel model =
        named ? std::move(*named)
              : shipped_model(console, std::vector<const ImageDataset*>(sets.begin(), sets.end()));
    check_layer(model.model, options_.output);
    const std::vector<NamedPath> written{{"--manifest", manifest_}};
    std::vector<NamedPath> read{
        {"the model", model.path}, {"the input", inputs[0]}, {"the labels", reading_.labels}};
    add_replaced(train, written, read);
    if (test) {
        read.push_back({"the input", inputs[1]});
        add_replaced(*test, written, read);
    }
    check_outputs(read, written);
    const Evaluation result =
        test ? evaluate(model.model, train, *test, options_) : evaluate(model.model, train, options_);
    // Opened only now: an interrupt while measuring ends the program at once and must leave nothing behind.
    catch_interrupts();
    ResultWriter results;
    InputMonitor monitor(console, results.files(), manifest_);
    monitor.manifest().fill(train, result.skipped_train, result.remarks_train);
    if (test) {
        monitor.manifest().fill(*test, result.skipped_test, result.remarks_test);
    }
    monitor.manifest().finish();
    if (json_) {
        results.write(to_json(result, options_).set("model", model.path).text() + "\n");
    } else {
        results.write(report(result, model.path, options_.k));
    }
    results.finish();
    return monitor.exit_code();
}

}  // namespace

std::unique_ptr<Command> make_evaluate_command() {
    return std::make_unique<EvaluateCommand>();
}

}  // namespace stackae::cli

#include "stackae/train.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <new>
#include <optional>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"
#include "stackae/output_files.hpp"

#include "cli/checkpoint.hpp"
#include "cli/command.hpp"
#include "cli/compare_with_pca.hpp"
#include "cli/input_monitor.hpp"
#include "cli/interrupt.hpp"
#include "cli/keep_model.hpp"
#include "cli/model_report.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/plan_report.hpp"
#include "cli/saved_config.hpp"
#include "cli/stack_advice.hpp"
#include "cli/train_monitor.hpp"
#include "cli/train_outputs.hpp"
#include "cli/train_settings.hpp"
#include "cli/train_table.hpp"

namespace stackae::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* nothing_kept = "nothing was kept";

/// "0 to 4095, 12 to 300"; the first where they are many.
std::string ranges_text(const Preprocessing& preprocessing) {
    constexpr std::size_t shown = 16;
    std::vector<std::string> texts;
    for (const ChannelRange& range : preprocessing.ranges) {
        texts.push_back(fmt::format("{:.4g} to {:.4g}", range.low, range.high));
    }
    const std::size_t all = texts.size();
    texts.resize(std::min(all, shown));
    return fmt::format("{}{}", fmt::join(texts, ", "),
                       all > shown ? fmt::format(" and {} more (info --json)", all - shown) : "");
}

/// What is to be trained: settled before the first picture is prepared.
struct Job {
    const ImageDataset& pictures;
    Preprocessing preprocessing;
    TrainConfig config;
    RunOptions run;
};

class TrainCommand : public Command {
public:
    std::string synopsis() const override { return "INPUT [-o MODEL] [options]"; }
    std::string about() const override {
        return "Learns a stack of autoencoders from pictures, layer by layer, without labels.\n"
               "INPUT is a picture folder, a .txt list of paths, IDX images, .npy or .npz (.gz too),\n"
               "or a table of users and items (.csv, .tsv, .dat, .txt.gz), to recommend by.";
    }
    void declare(OptionParser& parser) override;
    int run(Console& console, const std::vector<std::string>& inputs) override;

private:
    void prepare(Console& console, const std::string& input, const ImageDataset& pictures);
    Preprocessing resolve_preprocessing(Console& console, const ImageDataset& pictures, int threads) const;
    TrainConfig choose(Console& console, const Job& job) const;
    void resolve_config(Console& console, Job& job) const;
    void advise(Console& console, const Job& job, const TrainPlan& plan) const;
    int train_and_save(Console& console, const Job& job, const TrainPlan& plan);
    bool finish_manifest(Console& console, InputMonitor& inputs, const ImageDataset& pictures,
                         const TrainMonitor& monitor, const std::string& model) const;
    void keep_finished(Console& console, InputMonitor& inputs, const ImageDataset& pictures,
                       TrainMonitor& monitor, const std::string& event, const std::string& why) const;
    int keep(Console& console, Model model, InputMonitor& inputs, const Job& job,
             TrainMonitor& monitor) const;
    int compare(Console& console, Model& model, const Job& job, TrainMonitor& monitor, int code) const;
    int compare_outputs(Console& console, Model& model, const ImageDataset& read, TrainMonitor& monitor,
                        int code) const;

    TrainSettings settings_;
    TableInput tables_;
    TrainOutputs outputs_;
    bool no_comparison_ = false;
    bool dry_run_ = false;
};

void TrainCommand::declare(OptionParser& parser) {
    parser.group("Output");
    parser.option("output,o", "MODEL", "the model's file; else models/NAME.stackae after the input's name",
                  text_into(outputs_.model));
    parser.option("log", "FILE",
                  "a JSON line an epoch, and one for the outcome; the first replaces what is there",
                  text_into(outputs_.log));
    parser.option(
        "manifest", "FILE",
        "what became of every picture: CSV path,row,label,status,reason; of a table, which lines were "
        "left out: line,reason",
        text_into(outputs_.manifest));
    parser.option("save-config", "FILE", "write all options that affect the model, for --config",
                  text_into(outputs_.saved_config));
    parser.flag("no-comparison",
                "do not compare the layers' codes on labelled pictures that were held out, nor rows of "
                "numbers with PCA",
                no_comparison_);
    parser.flag("dry-run", "print the stack, its parameters, memory and time; train nothing", dry_run_);
    settings_.declare(parser);
    tables_.declare(parser);
}

int TrainCommand::run(Console& console, const std::vector<std::string>& inputs) {
    if (inputs.size() != 1) {
        throw UsageError(inputs.empty() ? "train needs an INPUT: a folder of pictures, a list, IDX or .npy"
                                        : "train takes one INPUT; a .txt list can name pictures of several "
                                          "folders");
    }
    if (tables_.is_table(inputs.front())) {
        return train_on_table(console, {settings_, tables_, inputs.front(), outputs_, dry_run_});
    }
    const TrainConfig config = settings_.config();
    ImageDataset pictures = ImageDataset::open(inputs.front(), settings_.reading().picture_limits());
    settings_.reading().label(console, {&pictures});
    for (const std::string& note : pictures.notes()) {
        console.note(note);
    }
    Job job{pictures, {}, config, settings_.run()};
    if (dry_run_) {
        check_outputs({{"the input", inputs.front()}}, {{"--save-config", outputs_.saved_config}});
    } else {
        prepare(console, inputs.front(), pictures);
        job.run.checkpoint = checkpoint_path(outputs_.model);
    }
    job.preprocessing = resolve_preprocessing(console, pictures, settings_.reading().threads);
    resolve_config(console, job);
    const TrainPlan plan = plan_training(pictures.size(), job.preprocessing, job.config, job.run);
    advise(console, job, plan);
    if (!outputs_.saved_config.empty()) {
        OutputFiles files;
        files.add(outputs_.saved_config)
            .write(config_file(job.config, learns_by_gradients(plan)) + config_lines(job.preprocessing));
        files.commit();
    }
    if (dry_run_) {
        return print_plan(console, {plan, job.config, job.pictures.size(), settings_.reading()});
    }
    if (job.run.resume &&
        is_trained_already(console, outputs_.model, data_identity(pictures), job.preprocessing, job.config)) {
        return exit_code::done;
    }
    return train_and_save(console, job, plan);
}

void TrainCommand::prepare(Console& console, const std::string& input, const ImageDataset& pictures) {
    outputs_.model_named = !outputs_.model.empty();
    outputs_.model = outputs_.model_named ? outputs_.model : default_output(input);
    std::vector<NamedPath> read{{"the input", input}, {"the labels", settings_.reading().labels}};
    add_replaced(pictures, outputs_.paths(), read);
    prepare_outputs(console, outputs_, read, settings_.run().resume, [&] { return data_identity(pictures); });
}

/// The stack and how it learns, by what was named and, where that is left open, by the pictures.
void TrainCommand::resolve_config(Console& console, Job& job) const {
    if (!settings_.dense_because().empty()) {
        console.note(fmt::format("a dense stack, since --{} is named", settings_.dense_because()));
    }
    if (const auto begun =
            settings_.automatic() ? begun_automatically(job.run, outputs_.model) : std::nullopt) {
        job.config = settings_.config(*begun);  // whatever the memory and the budget are now
        return;
    }
    if (settings_.automatic()) {
        job.config = choose(console, job);
    }
    const TrainConfig before = job.config;
    settings_.suit_small_sets(job.config, job.pictures.size());
    std::vector<std::string> changes;
    if (job.config.batch_size != before.batch_size) {
        changes.push_back(fmt::format("updates after {} pictures (-b)", *job.config.batch_size));
    }
    if (job.config.epochs != before.epochs) {
        changes.push_back(fmt::format("{} epochs a layer (--epochs)", *job.config.epochs));
    }
    if (job.config.fine_tune_epochs != before.fine_tune_epochs) {
        changes.push_back(fmt::format("{} of fine-tuning (--fine-tune)", *job.config.fine_tune_epochs));
    }
    if (!changes.empty()) {
        console.note(fmt::format("{} pictures are few: {}; those options say otherwise", job.pictures.size(),
                                 fmt::join(changes, ", ")));
    }
}

void TrainCommand::advise(Console& console, const Job& job, const TrainPlan& plan) const {
    for (const std::string& line : stack_advice(job.preprocessing, job.config)) {
        console.note("warning: " + line);
    }
    for (const std::string& line : settings_.unused(job.config, plan)) {
        console.warn("warning: " + line);
    }
    for (const std::string& line : settings_.automatic() ? std::vector<std::string>()
                                                         : cut_layers(job.preprocessing, job.config, plan)) {
        console.note(line);
    }
}

Preprocessing TrainCommand::resolve_preprocessing(Console& console, const ImageDataset& pictures,
                                                  int threads) const {
    const PreprocessingOptions& wanted = settings_.preprocessing();
    const Preprocessing preprocessing = choose_preprocessing(pictures, wanted, threads);
    const char* why_channels = wanted.channels               ? "as asked"
                               : preprocessing.measured      ? "as most pictures looked at have"
                               : preprocessing.channels == 1 ? "all pictures looked at are gray"
                                                             : "there are pictures in colour";
    const char* why_size = wanted.height               ? "as asked"
                           : preprocessing.height == 1 ? "rows of numbers"
                                                       : "the pictures' median, at most 64";
    console.note(fmt::format("{}: {}{}", pictures.path(), format_count(pictures.size(), "picture"),
                             pictures.labelled() ? ", with labels (not used to train)" : ""));
    if (preprocessing.height == 1 && preprocessing.channels == 1 && !preprocessing.contrast) {
        console.note(
            fmt::format("preprocessing: rows of {}{}", format_count(preprocessing.size(), "number"),
                        preprocessing.mean.empty()
                            ? ""
                            : ", standardized: each column less its mean and divided by its deviation "
                              "over these rows, which the model keeps"));
    } else {
        console.note(fmt::format("preprocessing: {} ({}), {} x {} pixels ({}): {} values a picture{}{}",
                                 channels_text(preprocessing), why_channels, preprocessing.height,
                                 preprocessing.width, why_size, preprocessing.size(),
                                 preprocessing.contrast ? ", contrast normalised" : "",
                                 preprocessing.mean.empty() ? ""
                                 : preprocessing.measured   ? ", each channel standardized"
                                                            : ", standardized"));
    }
    if (!preprocessing.ranges.empty()) {
        console.note(fmt::format("{} scaled by {}: {}",
                                 preprocessing.channels == 1 ? "the channel is" : "each channel is",
                                 wanted.ranges.empty() ? "what its values are in these pictures, but for the "
                                                         "least and greatest thousandth"
                                                       : "--channel-range",
                                 ranges_text(preprocessing)));
    }
    return preprocessing;
}

/// What `auto` comes to.
TrainConfig TrainCommand::choose(Console& console, const Job& job) const {
    const StackChoice choice =
        choose_stack(job.pictures.size(), job.preprocessing,
                     {.adjust = [this](const TrainConfig& config) { return settings_.config(config); },
                      .budget_seconds = settings_.budget(),
                      .run = job.run});
    console.note(
        fmt::format("auto: {}{}", choice.reason,
                    choice.seconds > 0.0
                        ? fmt::format(", about {} on two cores to train and to extract of {} allowed",
                                      format_duration(choice.seconds), format_duration(settings_.budget()))
                        : ""));
    return choice.config;
}

int TrainCommand::train_and_save(Console& console, const Job& job, const TrainPlan& plan) {
    InputMonitor inputs(console, outputs_.manifest);
    TrainMonitor monitor(console, job.pictures.size(), plan, outputs_.log);
    catch_interrupts();  // a log that waits for its reader ends before
    console.note(fmt::format("stack: {} (preset {})", to_text(job.config.stack), job.config.preset));
    std::optional<Model> model;
    try {
        model.emplace(train(job.pictures, job.preprocessing, job.config, job.run, monitor));
    } catch (const Interrupted&) {
        monitor.log_outcome("interrupted", nothing_kept);
        throw;
    } catch (const Divergence& error) {
        remove_checkpoint(console, job.run.checkpoint);  // it would only diverge again
        keep_finished(console, inputs, job.pictures, monitor, "diverged", error.what());
        throw;
    } catch (const std::bad_alloc&) {
        keep_finished(console, inputs, job.pictures, monitor, "failed", "out of memory");
        throw;
    } catch (const std::exception& error) {
        keep_finished(console, inputs, job.pictures, monitor, "failed", error.what());
        throw;
    }
    return keep(console, std::move(*model), inputs, job, monitor);
}

/// The manifest, once the model is safe. Where it cannot be written that is told, and false returned.
bool TrainCommand::finish_manifest(Console& console, InputMonitor& inputs, const ImageDataset& pictures,
                                   const TrainMonitor& monitor, const std::string& model) const {
    try {
        inputs.manifest().fill(pictures, monitor.skipped(), monitor.remarks());
        inputs.manifest().finish();
        return true;
    } catch (const Error& error) {
        console.warn(fmt::format("{}; the model is in {}", error.what(), model));
        return false;
    }
}

/// The layers below one that failed; why it failed is told by whoever catches the exception.
void TrainCommand::keep_finished(Console& console, InputMonitor& inputs, const ImageDataset& pictures,
                                 TrainMonitor& monitor, const std::string& event,
                                 const std::string& why) const {
    monitor.finish();
    if (!monitor.finished()) {
        monitor.log_outcome(event, why);
        return;
    }
    const Model& model = *monitor.finished();
    try {
        const KeptModel kept = keep_model(console, model, outputs_.model);
        const std::string said = kept_text(model, kept, outputs_.model);
        console.warn(fmt::format("{}: {}", event, said));
        monitor.log_outcome(event, fmt::format("{}; {}", why, said));
        (void)finish_manifest(console, inputs, pictures, monitor, kept.path);
    } catch (const Error& error) {
        console.warn(error.what());
        monitor.log_outcome(event, why);
    }
}

/// Saves what training gave, and says so.
int TrainCommand::keep(Console& console, Model model, InputMonitor& inputs, const Job& job,
                       TrainMonitor& monitor) const {
    monitor.finish();
    const bool ended_early = model.record.interrupted;
    const std::string& checkpoint = job.run.checkpoint;
    const std::string go_on =
        ended_early && fs::exists(checkpoint) ? fmt::format("; --resume goes on with {}", checkpoint) : "";
    if (ended_early && (model.record.history.empty() || model.layers.empty())) {
        const std::string said =
            go_on.empty() ? fmt::format("interrupted before the first layer was learnt; {}", nothing_kept)
                          : fmt::format("interrupted{}", go_on);
        console.warn(said);
        monitor.log_outcome("interrupted", go_on.empty() ? nothing_kept : said);
        return exit_code::interrupted;
    }
    KeptModel kept;
    try {
        kept = keep_model(console, model, outputs_.model);
        if (kept.elsewhere && !ended_early && fs::exists(checkpoint)) {
            remove_checkpoint(console, checkpoint);  // which may make room
            const std::string spare = std::exchange(kept, keep_model(console, model, outputs_.model)).path;
            fs::remove(spare);
        }
    } catch (const Error& error) {
        monitor.log_outcome("failed", error.what());
        throw;
    }
    const std::string said = outcome_text(model, kept, outputs_.model) + go_on;
    if (ended_early) {
        console.warn(said);
    } else {
        console.note(said);
    }
    const bool manifest_written = finish_manifest(console, inputs, job.pictures, monitor, kept.path);
    int code = kept.elsewhere || !manifest_written ? exit_code::failed
               : ended_early                       ? exit_code::interrupted
                                                   : inputs.exit_code();
    if (!ended_early && !kept.elsewhere && !no_comparison_ && !monitor.alike()) {
        code = compare(console, model, job, monitor, code);
    }
    if (!ended_early && !kept.elsewhere && code != exit_code::interrupted) {
        remove_checkpoint(console, checkpoint);
    }
    monitor.log_outcome(ended_early ? "interrupted" : "done", ended_early ? said : kept.path);
    return code;
}

/// Measures on what was held out: reconstruction of rows of numbers, codes where there are labels.
int TrainCommand::compare(Console& console, Model& model, const Job& job, TrainMonitor& monitor,
                          int code) const {
    std::vector<std::int64_t> rows;
    auto skipped = monitor.skipped().begin();  // in the pictures' order
    for (std::int64_t i = 0; i < job.pictures.size(); ++i) {
        if (skipped != monitor.skipped().end() && skipped->index == i) {
            ++skipped;
        } else {
            rows.push_back(i);
        }
    }
    const ImageDataset read = job.pictures.subset(rows);
    if (job.preprocessing.height == 1 && !job.preprocessing.measured) {
        code = compare_with_pca(console, model, read, outputs_.model, settings_.reading().threads, monitor,
                                code);
    }
    return job.pictures.labelled() && code != exit_code::interrupted
               ? compare_outputs(console, model, read, monitor, code)
               : code;
}

/// Measures what the codes at several depths are worth, adds it to the model's file, and says so. The model
/// is safe already: whatever goes wrong here is only told.
int TrainCommand::compare_outputs(Console& console, Model& model, const ImageDataset& read,
                                  TrainMonitor& monitor, int code) const {
    try {
        std::optional<Progress> progress;
        DepthComparisonOptions options;
        options.memory = std::min(options.memory, settings_.reading().limit() / 2);
        options.threads = settings_.reading().threads;
        model.record.accuracies =
            depth_accuracies(model, read, options, [&](std::int64_t done, std::int64_t of) {
                check_interrupted();
                if (!progress) {
                    progress.emplace(console, "comparing layers", of);
                }
                progress->update(done);
            });
        if (model.record.accuracies.empty()) {
            return code;
        }
        save(model, outputs_.model);
    } catch (const Interrupted&) {
        console.warn(
            fmt::format("interrupted while layers were compared; {} is complete without", outputs_.model));
        return exit_code::interrupted;
    } catch (const Error& error) {
        console.warn(fmt::format("warning: the layers could not be compared: {}", error.what()));
        return code;
    }
    console.note(depth_report(model));
    monitor.log_accuracies(model);
    return code;
}

}  // namespace

std::unique_ptr<Command> make_train_command() {
    return std::make_unique<TrainCommand>();
}

}  // namespace stackae::cli

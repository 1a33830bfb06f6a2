#include "stackae/train.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <new>
#include <optional>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"

#include "cli/command.hpp"
#include "cli/input_monitor.hpp"
#include "cli/interrupt.hpp"
#include "cli/keep_model.hpp"
#include "cli/layer_report.hpp"
#include "cli/results.hpp"
#include "cli/stack_advice.hpp"
#include "cli/stack_text.hpp"
#include "cli/train_monitor.hpp"
#include "cli/train_settings.hpp"
#include "cli/values.hpp"

namespace stackae::cli {
namespace {

namespace fs = std::filesystem;

/// models/NAME.stackae, NAME the input's without endings; the folder is made.
std::string default_output(const std::string& input) {
    fs::path path = fs::absolute(input).lexically_normal();
    if (!path.has_filename()) {
        path = path.parent_path();
    }
    std::string stem = path.filename().string();
    stem.resize(std::min(stem.find('.', 1), stem.size()));
    std::error_code error;
    fs::create_directories("models", error);
    return "models/" + (stem.empty() ? "model" : stem) + ".stackae";
}

constexpr const char* nothing_kept = "nothing was kept";

/// What a training that ended early left, and where.
std::string kept_text(const Model& model, const KeptModel& kept, const std::string& output) {
    return fmt::format("kept {} of {} layers in {}{}", model.depth(), stack_depth(model.options), kept.path,
                       kept.beside ? fmt::format("; the finished model {} is as it was", output) : "");
}

class TrainCommand : public Command {
public:
    std::string synopsis() const override { return "INPUT [-o MODEL] [options]"; }
    std::string about() const override {
        return "Learns a stack of autoencoders from pictures, layer by layer, without labels.\n"
               "INPUT is a picture folder, a .txt list of paths, IDX images, .npy or .npz (.gz too).";
    }
    void declare(OptionParser& parser) override;
    int run(Console& console, const std::vector<std::string>& inputs) override;

private:
    Recipe settle_recipe(Console& console, const Pictures& pictures, int threads) const;
    TrainOptions choose(Console& console, std::int64_t pictures, const Recipe& recipe,
                        const TrainOptions& run) const;
    int print_plan(Console& console, const Pictures& pictures, const Recipe& recipe,
                   const TrainOptions& options) const;
    int train_and_save(Console& console, const Pictures& pictures, const Recipe& recipe,
                       const TrainOptions& options);
    void announce(Console& console, const std::string& input, bool named) const;
    bool settle(Console& console, InputMonitor& inputs, const Pictures& pictures, const TrainMonitor& monitor,
                const std::string& model) const;
    void keep_finished(Console& console, InputMonitor& inputs, const Pictures& pictures,
                       TrainMonitor& monitor, const std::string& event, const std::string& why) const;
    int keep(Console& console, Model model, InputMonitor& inputs, const Pictures& pictures,
             TrainMonitor& monitor) const;
    int compare_layers(Console& console, Model& model, const Pictures& pictures, TrainMonitor& monitor,
                       int code) const;

    TrainSettings settings_;
    std::string output_;
    std::string log_;
    std::string manifest_;
    bool no_comparison_ = false;
    bool dry_run_ = false;
};

void TrainCommand::declare(OptionParser& parser) {
    parser.group("Output");
    parser.option("output,o", "MODEL", "the model's file; else models/NAME.stackae after the input's name",
                  text_into(output_));
    parser.option("log", "FILE",
                  "a JSON line an epoch, and one for the outcome; the first replaces what is there",
                  text_into(log_));
    parser.option("manifest", "FILE", "what became of every picture: CSV path,row,label,status,reason",
                  text_into(manifest_));
    parser.flag("no-comparison", "do not compare the layers on labelled pictures that were held out",
                no_comparison_);
    parser.flag("dry-run", "print the stack, its parameters, memory and time; train nothing", dry_run_);
    settings_.declare(parser);
}

int TrainCommand::run(Console& console, const std::vector<std::string>& inputs) {
    if (inputs.size() != 1) {
        throw UsageError(inputs.empty() ? "train needs an INPUT: a folder of pictures, a list, IDX or .npy"
                                        : "train takes one INPUT; a .txt list can name pictures of several "
                                          "folders");
    }
    TrainOptions options = settings_.options();
    const Pictures pictures = Pictures::open(inputs.front(), settings_.reading().picture_limits());
    for (const std::string& note : pictures.notes()) {
        console.note(note);
    }
    if (!dry_run_) {
        const bool named = !output_.empty();
        if (!named) {
            output_ = default_output(inputs.front());
        }
        const std::vector<NamedPath> written{{"-o", output_}, {"--log", log_}, {"--manifest", manifest_}};
        std::vector<NamedPath> read{{"the input", inputs.front()}};
        add_replaced(pictures, written, read);
        check_outputs(read, written);
        check_replaces_only(output_, "model");
        for (const std::string& path : {output_, log_, manifest_}) {
            if (!path.empty()) {
                check_writable(path);
            }
        }
        announce(console, inputs.front(), named);
    }
    const Recipe recipe = settle_recipe(console, pictures, options.threads);
    if (!settings_.dense_because().empty()) {
        console.note(fmt::format("a dense stack, since --{} is named", settings_.dense_because()));
    }
    if (settings_.automatic()) {
        options = choose(console, pictures.size(), recipe, options);
    }
    if (settings_.suit_small_sets(options, pictures.size())) {
        console.note(
            fmt::format("{} pictures are few: updates after {} pictures, {} epochs a layer (-b and "
                        "--epochs say otherwise)",
                        pictures.size(), options.batch_size,
                        *std::max_element(options.epochs.begin(), options.epochs.end())));
    }
    for (const std::string& line : stack_advice(recipe, options)) {
        console.note("warning: " + line);
    }
    for (const std::string& option : settings_.unused(options)) {
        console.warn(
            fmt::format("warning: --{} is not used: no layer of the stack is trained by gradients", option));
    }
    if (dry_run_) {
        return print_plan(console, pictures, recipe, options);
    }
    return train_and_save(console, pictures, recipe, options);
}

Recipe TrainCommand::settle_recipe(Console& console, const Pictures& pictures, int threads) const {
    const RecipeOptions& wanted = settings_.recipe();
    const Recipe recipe = choose_recipe(pictures, wanted, threads);
    const char* why_channels = wanted.channels        ? "as asked"
                               : recipe.channels == 1 ? "all pictures looked at are gray"
                                                      : "there are pictures in colour";
    const char* why_size = wanted.height        ? "as asked"
                           : recipe.height == 1 ? "rows of numbers"
                                                : "the pictures' median, at most 64";
    console.note(fmt::format("{}: {} pictures{}", pictures.path(), format_count(pictures.size()),
                             pictures.labelled() ? ", with labels (not used to train)" : ""));
    console.note(fmt::format("recipe: {} ({}), {} x {} pixels ({}): {} values a picture{}{}",
                             recipe.channels == 1 ? "gray" : "rgb", why_channels, recipe.height, recipe.width,
                             why_size, recipe.size(), recipe.contrast ? ", contrast evened out" : "",
                             recipe.mean.empty() ? "" : ", standardized"));
    return recipe;
}

/// What `auto` comes to; run says how much memory and how many threads there are.
TrainOptions TrainCommand::choose(Console& console, std::int64_t pictures, const Recipe& recipe,
                                  const TrainOptions& run) const {
    const StackChoice choice =
        choose_stack(pictures, recipe,
                     {.adjust = [this](const TrainOptions& stack) { return settings_.options(stack); },
                      .budget_seconds = settings_.budget(),
                      .memory_limit = run.memory_limit,
                      .memory = run.memory,
                      .threads = run.threads});
    console.note(
        fmt::format("auto: {}{}", choice.reason,
                    choice.seconds > 0.0
                        ? fmt::format(", about {} to train and to extract of {} allowed",
                                      format_duration(choice.seconds), format_duration(settings_.budget()))
                        : ""));
    return choice.options;
}

/// Returns the exit code: 1 where training would be refused.
int TrainCommand::print_plan(Console& console, const Pictures& pictures, const Recipe& recipe,
                             const TrainOptions& options) const {
    const TrainPlan plan = plan_training(pictures.size(), recipe, options);
    const auto estimate = [&](const std::string& text) { return plan.refused() ? "-" : text; };
    TextTable table;
    table.add({"phase", "inputs", "units", "parameters", "epochs", "time"});
    for (const TrainPlan::Phase& phase : plan.phases) {
        const bool convolution = phase.layer >= 1 && phase.layer <= std::ssize(options.convolutions);
        const bool radial = options.radial_units > 0 && phase.layer == stack_depth(options);
        const bool code =
            options.code_size > 0 && phase.layer + (options.radial_units > 0 ? 1 : 0) == stack_depth(options);
        const std::string name = phase.layer == 0 ? "fine-tuning" : fmt::format("layer {}", phase.layer);
        table.add({name + (convolution ? ", patches"
                           : code      ? ", code"
                           : radial    ? ", radial units"
                                       : ""),
                   fmt::format("{}", phase.inputs), fmt::format("{}", phase.units),
                   format_count(phase.parameters), fmt::format("{}", phase.epochs),
                   estimate(format_duration(phase.seconds))});
    }
    Results results;
    results.write(fmt::format("stack        {}\n", stack_text(recipe, options)));
    results.write(fmt::format("preset       {}\n", options.preset));
    results.write(fmt::format("pictures     {}\n", format_count(pictures.size())));
    results.write(fmt::format("parameters   {}\n", format_count(plan.parameters)));
    results.write(fmt::format("memory       {} needed of {}\n", format_bytes(plan.memory_bytes),
                              settings_.reading().limit_text()));
    results.write(fmt::format("time         {}\n", estimate(format_duration(plan.seconds) + " (estimated)")));
    results.write(fmt::format(
        "extraction   {} pictures a second (estimated, without decoding their files)\n\n{}",
        plan.seconds_a_picture > 0.0 ? format_count(std::llround(1.0 / plan.seconds_a_picture)) : "-",
        table.text()));
    results.finish();
    if (plan.refused()) {
        console.warn(
            fmt::format("training is refused: {} needed, {}; fewer units, smaller layers or "
                        "batches take less, a larger --memory allows more",
                        format_bytes(plan.memory_bytes), settings_.reading().limit_text()));
        return exit_code::failed;
    }
    return exit_code::done;
}

/// Says what will be replaced. A name that nobody chose replaces no model of another input.
void TrainCommand::announce(Console& console, const std::string& input, bool named) const {
    const auto standing = standing_model(output_);
    if (standing && !named && (standing->trained_on.empty() || !same_file(standing->trained_on, input))) {
        throw UsageError(
            fmt::format("{} is there ({}), and this is {}: name another file with -o, or that one "
                        "to replace it",
                        output_, standing->text, printable(input)));
    }
    if (standing) {
        console.note(fmt::format("{} is there ({}) and will be replaced", output_, standing->text));
    }
    std::error_code ignored;
    if (!log_.empty() && fs::is_regular_file(log_, ignored) && !fs::is_empty(log_, ignored)) {
        console.note(fmt::format("{} is there and will be replaced by the log of this run", log_));
    }
}

int TrainCommand::train_and_save(Console& console, const Pictures& pictures, const Recipe& recipe,
                                 const TrainOptions& options) {
    InputMonitor inputs(console, manifest_);
    TrainMonitor monitor(console, pictures, recipe, options, log_);
    catch_interrupts();  // a log that waits for its reader ends before
    console.note(fmt::format("stack: {} (preset {})", stack_text(recipe, options), options.preset));
    std::optional<Model> model;
    try {
        model.emplace(train(pictures, recipe, options, monitor));
    } catch (const Interrupted&) {
        monitor.log_outcome("interrupted", nothing_kept);
        throw;
    } catch (const Divergence& error) {
        keep_finished(console, inputs, pictures, monitor, "diverged", error.what());
        throw;
    } catch (const std::bad_alloc&) {
        keep_finished(console, inputs, pictures, monitor, "failed", "out of memory");
        throw;
    } catch (const std::exception& error) {
        keep_finished(console, inputs, pictures, monitor, "failed", error.what());
        throw;
    }
    return keep(console, std::move(*model), inputs, pictures, monitor);
}

/// The manifest, once the model is safe. Where it cannot be written that is told, and false returned.
bool TrainCommand::settle(Console& console, InputMonitor& inputs, const Pictures& pictures,
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
void TrainCommand::keep_finished(Console& console, InputMonitor& inputs, const Pictures& pictures,
                                 TrainMonitor& monitor, const std::string& event,
                                 const std::string& why) const {
    monitor.finish();
    if (!monitor.finished()) {
        monitor.log_outcome(event, why);
        return;
    }
    const Model& model = *monitor.finished();
    try {
        const KeptModel kept = keep_model(console, model, output_);
        const std::string said = kept_text(model, kept, output_);
        console.warn(fmt::format("{}: {}", event, said));
        monitor.log_outcome(event, fmt::format("{}; {}", why, said));
        (void)settle(console, inputs, pictures, monitor, kept.path);
    } catch (const Error& error) {
        console.warn(error.what());
        monitor.log_outcome(event, why);
    }
}

/// Saves what training gave, and says so.
int TrainCommand::keep(Console& console, Model model, InputMonitor& inputs, const Pictures& pictures,
                       TrainMonitor& monitor) const {
    monitor.finish();
    if (model.interrupted && (model.history.empty() || model.depth() == 0)) {
        console.warn(fmt::format("interrupted before the first epoch ended; {}", nothing_kept));
        monitor.log_outcome("interrupted", nothing_kept);
        return exit_code::interrupted;
    }
    KeptModel kept;
    try {
        kept = keep_model(console, model, output_);
    } catch (const Error& error) {
        monitor.log_outcome("failed", error.what());
        throw;
    }
    const std::string said = model.interrupted
                                 ? fmt::format("interrupted; {}", kept_text(model, kept, output_))
                                 : fmt::format("wrote {}: {}, {} parameters", kept.path, stack_text(model),
                                               format_count(model.parameters()));
    if (model.interrupted) {
        console.warn(said);
    } else {
        console.note(said);
    }
    const bool settled = settle(console, inputs, pictures, monitor, kept.path);
    int code = kept.elsewhere || !settled ? exit_code::failed
               : model.interrupted        ? exit_code::interrupted
                                          : inputs.exit_code();
    if (!model.interrupted && !kept.elsewhere && pictures.labelled() && !no_comparison_ && !monitor.alike()) {
        code = compare_layers(console, model, pictures, monitor, code);
    }
    monitor.log_outcome(model.interrupted ? "interrupted" : "done", model.interrupted ? said : kept.path);
    return code;
}

/// Measures what the layers' codes are worth, adds it to the model's file, and says so. The model is safe
/// already: whatever goes wrong here is only told.
int TrainCommand::compare_layers(Console& console, Model& model, const Pictures& pictures,
                                 TrainMonitor& monitor, int code) const {
    std::vector<std::int64_t> read;
    auto skipped = monitor.skipped().begin();  // in the pictures' order
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        if (skipped != monitor.skipped().end() && skipped->index == i) {
            ++skipped;
        } else {
            read.push_back(i);
        }
    }
    try {
        std::optional<Progress> progress;
        model.layer_accuracies = layer_accuracies(
            model, pictures.subset(read), {.memory = model.options.memory, .threads = model.options.threads},
            [&](std::int64_t done, std::int64_t of) {
                check_interrupted();
                if (!progress) {
                    progress.emplace(console, "comparing layers", of);
                }
                progress->update(done);
            });
        if (model.layer_accuracies.empty()) {
            return code;
        }
        save(model, output_);
    } catch (const Interrupted&) {
        console.warn(fmt::format("interrupted while layers were compared; {} is complete without", output_));
        return exit_code::interrupted;
    } catch (const Error& error) {
        console.warn(fmt::format("warning: the layers could not be compared: {}", error.what()));
        return code;
    }
    for (const std::string& line : layer_lines(model)) {
        console.note(line);
    }
    console.note(recommendation(model));
    monitor.log_layers(model);
    return code;
}

}  // namespace

std::unique_ptr<Command> make_train_command() {
    return std::make_unique<TrainCommand>();
}

}  // namespace stackae::cli

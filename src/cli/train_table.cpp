#include "cli/train_table.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/fit_table.hpp"
#include "stackae/output_files.hpp"

#include "cli/checkpoint.hpp"
#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "cli/keep_model.hpp"
#include "cli/output.hpp"
#include "cli/plan_report.hpp"
#include "cli/quiet_training.hpp"
#include "cli/saved_config.hpp"
#include "cli/train_monitor.hpp"

namespace stackae::cli {
namespace {

/// Without settings that are chosen.
TrainConfig plain_config(const TableTraining& training) {
    const TrainSettings& settings = training.settings;
    return settings.names_stack() ? settings.table_config()
                                  : settings.config(usual_stack(settings.config().seed));
}

/// Before it is suited to what learns.
TrainConfig asked_config(Console& console, const TableTraining& training, const Interactions& table,
                         const RunOptions& run) {
    const TrainSettings& settings = training.settings;
    const TrainConfig plain = plain_config(training);
    if (settings.names_stack()) {
        if (!training.dry_run) {
            check_memory(table, plain, run);
        }
        return plain;
    }
    const std::optional<TableStack> large = large_table_stack(table, run, plain.seed, plain.rows);
    if (const auto begun =
            training.dry_run ? std::nullopt : begun_automatically(run, training.outputs.model)) {
        return settings.config(*begun);
    }
    if (training.dry_run && !large) {
        console.note("auto: the settings of the stack are chosen when it is trained");
        return plain;
    }
    const TableStack chosen =
        large ? *large : choose_table_stack(console, table, run, plain.seed, plain.rows);
    console.note(fmt::format("auto: {}", chosen.reason));
    return settings.config(chosen.config);
}

TrainConfig config_of(Console& console, const TableTraining& training, const Interactions& table,
                      const RunOptions& run) {
    const TrainConfig asked = asked_config(console, training, table, run);
    return suited(asked, plan_training(table, asked, run));
}

int keep(Console& console, const TableTraining& training, const Model& model, const RunOptions& run,
         TrainMonitor& monitor) {
    monitor.finish();
    const bool ended_early = model.record.interrupted;
    if (ended_early && model.layers.empty()) {
        const std::string said = std::filesystem::exists(*run.checkpoint)
                                     ? fmt::format("interrupted; --resume goes on with {}", *run.checkpoint)
                                     : "interrupted; nothing was kept";
        console.warn(said);
        monitor.log_outcome("interrupted", said);
        return exit_code::interrupted;
    }
    const KeptModel kept = keep_model(console, model, training.outputs.model);
    const std::string said = outcome_text(model, kept, training.outputs.model);
    if (ended_early) {
        console.warn(said);
    } else {
        console.note(said);
    }
    monitor.log_outcome(ended_early ? "interrupted" : "done", ended_early ? said : kept.path);
    if (!ended_early && !kept.elsewhere) {
        remove_checkpoint(console, run.checkpoint);
    }
    return kept.elsewhere ? exit_code::failed : ended_early ? exit_code::interrupted : exit_code::done;
}

/// The table, and in `files` the manifest of what is left out of it, also where nothing is: it gets its name
/// here only where nothing is left of the table to be learnt from.
Interactions read_table(Console& console, const TableTraining& training, OutputFiles& files) {
    const TrainOutputs& outputs = training.outputs;
    const ValueMode value = suited_value(plain_config(training));
    if (training.dry_run) {
        check_outputs({{"the input", training.input}}, {{"--save-config", outputs.saved_config}});
    }
    if (training.dry_run || outputs.manifest.empty()) {
        return training.tables.read(console, training.input, value);
    }
    check_outputs(
        {{"the input", training.input}},
        outputs.model.empty() ? std::vector<NamedPath>{{"--manifest", outputs.manifest}} : outputs.paths());
    OutputFile manifest = files.add(outputs.manifest);
    manifest.write("line,reason\n");
    const auto note = [&](std::int64_t line, LeftOutReason reason) {
        manifest.write(fmt::format("{},{}\n", line, name(reason)));
    };
    try {
        return training.tables.read(console, training.input, value, note);
    } catch (const InvalidArgument&) {
        files.commit();
        throw;
    }
}

void save_config(const TableTraining& training, const TrainConfig& config, const TrainPlan& plan,
                 ValueMode value) {
    if (!training.outputs.saved_config.empty()) {
        OutputFiles files;
        files.add(training.outputs.saved_config)
            .write(config_file(config, learns_by_gradients(plan)) + TableInput::config_lines(value));
        files.commit();
    }
}

}  // namespace

int train_on_table(Console& console, TableTraining training) {
    training.tables.tell_unused(console, {});
    OutputFiles manifest(stop_waiting);
    const Interactions table = read_table(console, training, manifest);
    RunOptions run = training.settings.run();
    if (!training.dry_run) {
        TrainOutputs& outputs = training.outputs;
        outputs.model_named = !outputs.model.empty();
        outputs.model = outputs.model_named ? outputs.model : default_output(training.input);
        prepare_outputs(console, outputs, {{"the input", training.input}}, run.resume,
                        [&] { return data_identity(table); });
        run.checkpoint = checkpoint_path(training.outputs.model);
        manifest.commit();
    }
    catch_interrupts();
    const TrainConfig config = config_of(console, training, table, run);
    const TrainPlan plan = plan_training(table, config, run);
    for (const std::string& line : training.settings.unused(config, plan)) {
        if (!line.starts_with("--augment")) {  // named already, as of pictures
            console.warn("warning: " + line);
        }
    }
    save_config(training, config, plan, table.value_mode);
    const bool by_item = config.rows == TableRow::item;
    const std::int64_t rows = by_item ? table.item_count() : table.user_count();
    const std::string row = name(*config.rows);
    if (training.dry_run) {
        return print_plan(console, {plan, config, rows, training.settings.reading(), row});
    }
    if (run.resume && is_trained_already(console, training.outputs.model, data_identity(table),
                                         preprocessing_of(table, config.rows), config)) {
        return exit_code::done;
    }
    TrainMonitor monitor(console, rows, plan, training.outputs.log, row);
    console.note(fmt::format("stack: {} (preset {})", to_text(config.stack), config.preset));
    std::optional<Model> model;
    try {
        model.emplace(train(table, config, run, monitor));
    } catch (const std::exception& error) {
        monitor.finish();
        monitor.log_outcome("failed", error.what());
        throw;
    }
    return keep(console, training, *model, run, monitor);
}

}  // namespace stackae::cli

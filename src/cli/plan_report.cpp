#include "cli/plan_report.hpp"

#include <cmath>
#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/text_table.hpp"

namespace stackae::cli {

namespace {

/// All that is known without a measurement.
std::string plan_text(const PlannedTraining& planned) {
    const TrainPlan& plan = planned.plan;
    TextTable table;
    table.add({"stage", "input", "output", "parameters", "epochs", "share of time"});
    for (const StageInfo& stage : plan.stages) {
        table.add({stage.name, to_text(stage.input), to_text(stage.output), format_count(stage.parameters),
                   stage.epochs > 0 ? fmt::format("{}", stage.epochs) : "-",
                   fmt::format("{:.0f} %", 100.0 * stage.multiply_adds / plan.multiply_adds)});
    }
    std::string text = fmt::format("stack        {}\n", to_text(planned.config.stack));
    text += fmt::format("preset       {}\n", planned.config.preset);
    text += fmt::format("{:<13}{}\n", planned.row + "s", format_count(planned.rows));
    text += fmt::format("parameters   {}\n", format_count(plan.parameters));
    text += fmt::format("memory       {} needed of {}\n", format_bytes(plan.memory_bytes),
                        planned.reading.limit_text());
    text += fmt::format("checkpoint   {} at most\n", format_bytes(plan.checkpoint_bytes));
    text += fmt::format("work         {} on the reference machine\n\n",
                        format_duration(plan.multiply_adds / reference_rate));
    return text + table.text() + "\n";
}

}  // namespace

int print_plan(Console& console, const PlannedTraining& planned) {
    const TrainPlan& plan = planned.plan;
    ResultWriter results;
    results.write(plan_text(planned));
    finish_stdout();  // measuring takes its time
    const double rate = plan.refused() ? 0.0 : measure_rate(planned.reading.threads);
    results.write(fmt::format(
        "time         {}\n",
        plan.refused() ? "-" : format_duration(plan.multiply_adds / rate) + " on this machine (estimated)"));
    results.write(
        fmt::format("extraction   {} {}s a second (estimated{})\n",
                    plan.refused() ? "-" : format_count(std::llround(rate / plan.multiply_adds_a_picture)),
                    planned.row, planned.row == "picture" ? ", without decoding their files" : ""));
    results.finish();
    if (plan.refused()) {
        console.warn(
            fmt::format("training is refused: {} needed, {}; fewer units, smaller layers or "
                        "batches take less, a larger --memory allows more",
                        format_bytes(plan.memory_bytes), planned.reading.limit_text()));
        return exit_code::failed;
    }
    return exit_code::done;
}

}  // namespace stackae::cli

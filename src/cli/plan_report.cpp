#include "cli/plan_report.hpp"

#include <cmath>
#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/text_table.hpp"

namespace stackae::cli {

int print_plan(Console& console, const PlannedTraining& planned) {
    const TrainPlan& plan = planned.plan;
    const double rate = plan.refused() ? 0.0 : measure_rate(planned.reading.threads);
    const auto time = [&](double multiply_adds) {
        return plan.refused() ? std::string("-") : format_duration(multiply_adds / rate);
    };
    TextTable table;
    table.add({"stage", "input", "output", "parameters", "epochs", "time"});
    for (const StageInfo& stage : plan.stages) {
        table.add({stage.name, to_text(stage.input), to_text(stage.output), format_count(stage.parameters),
                   stage.epochs > 0 ? fmt::format("{}", stage.epochs) : "-", time(stage.multiply_adds)});
    }
    ResultWriter results;
    results.write(fmt::format("stack        {}\n", to_text(planned.config.stack)));
    results.write(fmt::format("preset       {}\n", planned.config.preset));
    results.write(fmt::format("pictures     {}\n", format_count(planned.pictures)));
    results.write(fmt::format("parameters   {}\n", format_count(plan.parameters)));
    results.write(fmt::format("memory       {} needed of {}\n", format_bytes(plan.memory_bytes),
                              planned.reading.limit_text()));
    results.write(fmt::format("checkpoint   {} at most\n", format_bytes(plan.checkpoint_bytes)));
    results.write(
        fmt::format("time         {}\n", plan.refused() ? "-" : time(plan.multiply_adds) + " (estimated)"));
    results.write(
        fmt::format("extraction   {} pictures a second (estimated, without decoding their files)\n\n{}",
                    plan.refused() ? "-" : format_count(std::llround(rate / plan.multiply_adds_a_picture)),
                    table.text()));
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

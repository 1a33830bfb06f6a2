#pragma once

#include <string>

#include "cli/console.hpp"
#include "cli/table_input.hpp"
#include "cli/train_outputs.hpp"
#include "cli/train_settings.hpp"

namespace stackae::cli {

/// `train` on a table of users and items.
struct TableTraining {
    const TrainSettings& settings;
    const TableInput& tables;
    std::string input;
    TrainOutputs outputs;
    bool dry_run = false;
};

/// Returns the exit code. Throws UsageError, Interrupted, stackae::Error.
[[nodiscard]] int train_on_table(Console& console, TableTraining training);

}  // namespace stackae::cli

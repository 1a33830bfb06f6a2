#pragma once

#include <string>

#include "cli/console.hpp"
#include "cli/table_input.hpp"
#include "cli/train_settings.hpp"

namespace stackae::cli {

/// `train` on a table of users and items.
struct TableTraining {
    const TrainSettings& settings;
    const TableInput& tables;
    std::string input;
    std::string output;
    std::string log;
    std::string saved_config;
    bool dry_run = false;
};

/// Returns the exit code. Throws UsageError, Interrupted, stackae::Error.
[[nodiscard]] int train_on_table(Console& console, const TableTraining& training);

}  // namespace stackae::cli

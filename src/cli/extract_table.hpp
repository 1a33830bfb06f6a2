#pragma once

#include <string>

#include "stackae/model.hpp"

#include "cli/console.hpp"
#include "cli/feature_targets.hpp"
#include "cli/reading.hpp"
#include "cli/table_input.hpp"

namespace stackae::cli {

/// `extract` of a table of users and items.
struct TableExtraction {
    const TableInput& tables;
    const ReadingOptions& reading;
    std::string input;  ///< empty: the model's own users
    std::string model;
    const FeatureTargets& targets;
    EncodeOptions encode;
    bool items = false;  ///< of items instead
};

/// Returns the exit code. Throws UsageError, Interrupted, stackae::Error.
[[nodiscard]] int extract_table(Console& console, const TableExtraction& wanted);

}  // namespace stackae::cli

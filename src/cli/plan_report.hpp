#pragma once

#include <cstdint>
#include <string>

#include "stackae/train.hpp"

#include "cli/console.hpp"
#include "cli/reading.hpp"

/// What `train --dry-run` prints.
namespace stackae::cli {

struct PlannedTraining {
    const TrainPlan& plan;
    const TrainConfig& config;
    std::int64_t rows;
    const ReadingOptions& reading;
    std::string row = "picture";  ///< what a row is
};

/// Returns the exit code: 1 where training would be refused.
[[nodiscard]] int print_plan(Console& console, const PlannedTraining& planned);

}  // namespace stackae::cli

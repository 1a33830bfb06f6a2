#pragma once

#include <cstdint>

#include "stackae/fit_table.hpp"

#include "cli/console.hpp"
#include "cli/interrupt.hpp"

namespace stackae::cli {

/// Says nothing, and ends by Interrupted where the user asks to stop.
class QuietTraining : public TrainObserver {
public:
    bool stop() override {
        check_interrupted();
        return false;
    }
};

/// The library's choice, with its progress drawn. Throws Interrupted too.
[[nodiscard]] TableStack choose_table_stack(Console& console, const Interactions& table,
                                            const RunOptions& run, std::uint64_t seed,
                                            TableRow rows = TableRow::user);

}  // namespace stackae::cli

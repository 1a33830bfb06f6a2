#include "cli/quiet_training.hpp"

#include <fmt/format.h>

namespace stackae::cli {

TableStack choose_table_stack(Console& console, const Interactions& table, const RunOptions& run,
                              std::uint64_t seed, TableRow rows) {
    QuietTraining observer;
    TableStack chosen =
        stackae::choose_table_stack(table, run, seed, rows, observer, [&](std::int64_t tried) {
            check_interrupted();
            console.draw(fmt::format("choosing settings: {} tried", tried));
        });
    console.clear();
    return chosen;
}

}  // namespace stackae::cli

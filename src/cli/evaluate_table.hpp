#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "stackae/layer.hpp"

#include "cli/console.hpp"
#include "cli/reading.hpp"
#include "cli/table_input.hpp"

namespace stackae::cli {

/// `evaluate` on a table of users and items.
struct TableEvaluation {
    const TableInput& tables;
    const ReadingOptions& reading;
    std::string input;
    std::string test;  ///< given parts (LightGCN's protocol); empty: users are held out
    /// With given parts: that learnt the input; else one that is measured on users whom it has not seen;
    /// empty: it is learnt here.
    std::string model;
    bool fit = false;            ///< learn the input as `train` does
    std::string preset;          ///< of what is learnt; empty: chosen as `train` does
    std::optional<Stack> stack;  ///< in place of the preset's
    int splits = 1;
    std::uint64_t seed = 0;
    bool json = false;
};

/// Returns the exit code. Throws UsageError, Interrupted, stackae::Error.
[[nodiscard]] int evaluate_table(Console& console, const TableEvaluation& wanted);

}  // namespace stackae::cli

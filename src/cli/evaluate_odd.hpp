#pragma once

#include <cstdint>
#include <string>

#include "cli/console.hpp"
#include "cli/reading.hpp"

namespace stackae::cli {

/// `evaluate` on a folder of good and one of odd pictures.
struct OddEvaluation {
    const ReadingOptions& reading;
    std::string good;
    std::string odd;
    std::string memory;  ///< empty: learnt from a random half of the good pictures, measured on the other
    std::string model;   ///< of what is learnt; empty: learnt as well
    std::string masks;
    std::uint64_t seed = 0;
    bool json = false;
};

/// Returns the exit code. Throws UsageError, Interrupted, stackae::Error.
[[nodiscard]] int evaluate_odd(Console& console, const OddEvaluation& wanted);

}  // namespace stackae::cli

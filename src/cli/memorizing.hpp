#pragma once

#include <optional>
#include <string>

#include "stackae/memorize.hpp"

#include "cli/console.hpp"
#include "cli/input_monitor.hpp"
#include "cli/option_parser.hpp"
#include "cli/reading.hpp"

namespace stackae::cli {

/// What `memorize` and `score --good` share: options of learning what good pictures look like.
struct MemorizeSettings {
    MemorizeOptions options;
    std::string model;
    std::string named;  ///< the last of the options that was

    /// Declares the options in the group that is open.
    void declare(OptionParser& parser);
    /// Learns from the pictures, with progress. Throws what memorize() and load_model() throw.
    [[nodiscard]] PatchMemory run(Console& console, const Inputs& good, const ReadingOptions& reading,
                                  InputMonitor& monitor);
};

/// What was learnt and by which rule odd pictures are told, and what a threshold promises.
void tell(Console& console, const PatchMemory& memory);
void tell(Console& console, const AnomalyThreshold& threshold, double false_alarm);

}  // namespace stackae::cli

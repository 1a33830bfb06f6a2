#pragma once

#include <functional>
#include <string>

#include "stackae/pipeline.hpp"

#include "cli/console.hpp"
#include "cli/option_parser.hpp"

namespace stackae::cli {

/// What a command keeps.
enum class KeptKind { codes, recommendations, scores };

/// The folder beside an output in which a command keeps what it has made so far, and --resume.
struct KeptWork {
    KeptKind kind = KeptKind::codes;
    bool resume = false;
    double checkpoint_every = PipelineOptions{}.checkpoint_every;
    std::string checkpoint = {};  ///< see keep_beside()

    /// Declares --resume and --checkpoint-every. output: what stands for the output's name.
    void declare(OptionParser& parser, const std::string& output);
    /// From here on it is kept in `OUTPUT.ckpt`, unless the output is a device or a pipe, or is empty. Throws
    /// UsageError where a checkpoint is there that nobody asked to go on with, or one of another kind, or
    /// where one is asked for that cannot be.
    void keep_beside(Console& console, const std::string& output);
    /// Whether anything of its kind is kept.
    [[nodiscard]] bool is_there() const;
    /// Once the output is safe; where the checkpoint stays, says why.
    void drop(Console& console) const;
    /// Runs write(); where it fails since a disk is full, perhaps by what is kept, says what to do.
    void or_tell_room(Console& console, const std::function<void()>& write) const;
    /// To a user who has stopped the run: how to go on, where anything is kept.
    void tell(Console& console) const;
};

}  // namespace stackae::cli

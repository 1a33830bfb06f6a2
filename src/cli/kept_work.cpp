#include "cli/kept_work.hpp"

#include <array>
#include <filesystem>
#include <fmt/format.h>

#include "stackae/error.hpp"
#include "stackae/pipeline.hpp"
#include "stackae/recommend_all.hpp"
#include "stackae/score_inputs.hpp"

#include "cli/output.hpp"
#include "cli/parse.hpp"

namespace stackae::cli {
namespace {

/// What the library has for each KeptKind, in their order.
struct Kept {
    const char* name;  ///< as messages call it
    bool (*is_there)(const std::string& folder);
    bool (*remove)(const std::string& folder);
};
constexpr std::array all_kept{
    Kept{"codes", has_encoding_checkpoint, remove_encoding_checkpoint},
    Kept{"recommendations", has_recommend_checkpoint, remove_recommend_checkpoint},
    Kept{"scores", has_score_checkpoint, remove_score_checkpoint},
};

const Kept& of(KeptKind kind) {
    return all_kept.at(static_cast<std::size_t>(kind));
}

}  // namespace

void KeptWork::declare(OptionParser& parser, const std::string& output) {
    parser.flag("resume",
                fmt::format("go on where {}.ckpt is, with the options that it was begun with", output),
                resume);
    parser.option("checkpoint-every", "TIME",
                  fmt::format("how often {} are kept in {}.ckpt, until all are there (5m when not given; "
                              "0: after every batch); "
                              "also when a run is interrupted",
                              of(kind).name, output),
                  [this](const std::string& text) { checkpoint_every = parse_interval(text); });
}

void KeptWork::keep_beside(Console& console, const std::string& output) {
    if (output.empty() || output == "-" || is_stream(output)) {
        if (resume) {
            throw UsageError(fmt::format(
                "--resume needs a file as the output, beside which {} are kept: -o FILE", of(kind).name));
        }
        return;
    }
    checkpoint = output + ".ckpt";
    std::error_code ignored;
    if (std::filesystem::exists(checkpoint, ignored) && !std::filesystem::is_directory(checkpoint, ignored)) {
        throw UsageError(fmt::format(
            "{}: a file of that name is there and is no checkpoint; remove it, or name another output",
            checkpoint));
    }
    for (const Kept& other : all_kept) {
        if (&other != &of(kind) && other.is_there(checkpoint)) {
            throw UsageError(fmt::format(
                "{} holds {} of a run that was stopped, {} expected: the command that it was begun "
                "with goes on with them; remove the folder, or name another output",
                checkpoint, other.name, of(kind).name));
        }
    }
    if (!resume && is_there()) {
        throw UsageError(
            fmt::format("{} holds {} of a run that was stopped: --resume goes on with them; "
                        "remove the folder to begin anew",
                        checkpoint, of(kind).name));
    }
    if (resume && !is_there()) {
        console.note(fmt::format("there is no {}: the run begins at the beginning", checkpoint));
    }
}

bool KeptWork::is_there() const {
    return !checkpoint.empty() && of(kind).is_there(checkpoint);
}

void KeptWork::drop(Console& console) const {
    try {
        if (!checkpoint.empty() && !of(kind).remove(checkpoint)) {
            console.note(
                fmt::format("the folder {} stays: other files are in it, or another run has it", checkpoint));
        }
    } catch (const Error& error) {
        console.warn(fmt::format("warning: {}", error.what()));
    }
}

void KeptWork::or_tell_room(Console& console, const std::function<void()>& write) const {
    try {
        write();
    } catch (const IoError&) {
        constexpr std::uintmax_t little = std::uintmax_t{16} << 20U;
        std::error_code error;
        if (is_there() && std::filesystem::space(checkpoint, error).available < little) {
            console.warn(
                fmt::format("the {} made so far are in {}: --resume goes on with them once there "
                            "is room; removing the folder makes room, too, but then all is made anew",
                            of(kind).name, checkpoint));
        }
        throw;
    }
}

void KeptWork::tell(Console& console) const {
    if (is_there()) {
        console.warn(fmt::format("--resume goes on with {}", checkpoint));
    }
}

}  // namespace stackae::cli

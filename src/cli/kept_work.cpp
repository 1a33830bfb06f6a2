#include "cli/kept_work.hpp"

#include <filesystem>
#include <fmt/format.h>

#include "stackae/error.hpp"
#include "stackae/pipeline.hpp"
#include "stackae/recommend_all.hpp"

#include "cli/output.hpp"
#include "cli/parse.hpp"

namespace stackae::cli {
namespace {

/// As messages call it.
const char* name(KeptKind kind) {
    return kind == KeptKind::codes ? "codes" : "recommendations";
}

bool is_kept(KeptKind kind, const std::string& folder) {
    return kind == KeptKind::codes ? has_encoding_checkpoint(folder) : has_recommend_checkpoint(folder);
}

bool remove(KeptKind kind, const std::string& folder) {
    return kind == KeptKind::codes ? remove_encoding_checkpoint(folder) : remove_recommend_checkpoint(folder);
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
                              name(kind), output),
                  [this](const std::string& text) { checkpoint_every = parse_interval(text); });
}

void KeptWork::keep_beside(Console& console, const std::string& output) {
    if (output.empty() || output == "-" || is_stream(output)) {
        if (resume) {
            throw UsageError(fmt::format(
                "--resume needs a file as the output, beside which {} are kept: -o FILE", name(kind)));
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
    const KeptKind other = kind == KeptKind::codes ? KeptKind::recommendations : KeptKind::codes;
    if (is_kept(other, checkpoint)) {
        throw UsageError(
            fmt::format("{} holds {} of a run that was stopped, {} expected: the command that it was begun "
                        "with goes on with them; remove the folder, or name another output",
                        checkpoint, name(other), name(kind)));
    }
    if (!resume && is_there()) {
        throw UsageError(
            fmt::format("{} holds {} of a run that was stopped: --resume goes on with them; "
                        "remove the folder to begin anew",
                        checkpoint, name(kind)));
    }
    if (resume && !is_there()) {
        console.note(fmt::format("there is no {}: the run begins at the beginning", checkpoint));
    }
}

bool KeptWork::is_there() const {
    return !checkpoint.empty() && is_kept(kind, checkpoint);
}

void KeptWork::drop(Console& console) const {
    try {
        if (!checkpoint.empty() && !remove(kind, checkpoint)) {
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
                            name(kind), checkpoint));
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

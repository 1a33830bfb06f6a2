#include "cli/train_outputs.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

#include "stackae/text.hpp"

#include "cli/checkpoint.hpp"
#include "cli/keep_model.hpp"
#include "cli/parse.hpp"

namespace stackae::cli {
namespace {

namespace fs = std::filesystem;

/// Says what will be replaced. A name that nobody chose replaces no model of another input.
void announce(Console& console, const TrainOutputs& outputs, const std::string& input, bool resume,
              const std::function<std::string()>& data) {
    const auto standing = standing_model(outputs.model);
    if (standing && !outputs.model_named && standing->data != data()) {
        throw UsageError(
            fmt::format("{} is there ({}), and this is {}: name another file with -o, or that one "
                        "to replace it",
                        outputs.model, standing->text, printable(input)));
    }
    if (standing && !resume) {
        console.note(fmt::format("{} is there ({}) and will be replaced", outputs.model, standing->text));
    }
    std::error_code ignored;
    if (!outputs.log.empty() && fs::is_regular_file(outputs.log, ignored) &&
        !fs::is_empty(outputs.log, ignored)) {
        console.note(fmt::format("{} is there and will be replaced by the log of this run", outputs.log));
    }
}

}  // namespace

std::vector<NamedPath> TrainOutputs::paths() const {
    return {{"-o", model},
            {"the checkpoint", checkpoint_path(model)},
            {"--log", log},
            {"--manifest", manifest},
            {"--save-config", saved_config}};
}

std::string default_output(const std::string& input) {
    fs::path path = fs::absolute(input).lexically_normal();
    if (!path.has_filename()) {
        path = path.parent_path();
    }
    std::string stem = path.filename().string();
    stem.resize(std::min(stem.find('.', 1), stem.size()));
    std::error_code error;
    fs::create_directories("models", error);
    return "models/" + (stem.empty() ? "model" : stem) + ".stackae";
}

void prepare_outputs(Console& console, const TrainOutputs& outputs, const std::vector<NamedPath>& read,
                     bool resume, const std::function<std::string()>& data) {
    if (resume && is_stream(outputs.model)) {
        throw UsageError(
            fmt::format("--resume needs a file as the output, beside which checkpoints are kept; "
                        "{} is none",
                        outputs.model));
    }
    check_outputs(read, outputs.paths());
    check_replaces_only(outputs.model, "model");
    for (const NamedPath& path : outputs.paths()) {
        if (!path.path.empty()) {
            check_writable(path.path);
        }
    }
    check_checkpoint(checkpoint_path(outputs.model), resume);
    announce(console, outputs, read.front().path, resume, data);
}

}  // namespace stackae::cli

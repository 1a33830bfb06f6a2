#include "cli/checkpoint.hpp"

#include <filesystem>
#include <fmt/format.h>

#include "stackae/error.hpp"
#include "stackae/model.hpp"
#include "stackae/pipeline.hpp"
#include "stackae/recommend_all.hpp"
#include "stackae/score_inputs.hpp"
#include "stackae/text.hpp"

#include "cli/option_parser.hpp"
#include "cli/output.hpp"

namespace stackae::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view checkpoint_ending = ".ckpt";

bool is_there(const std::string& path) {
    std::error_code ignored;
    return !path.empty() && fs::exists(path, ignored);
}

std::string text_of(const CheckpointInfo& checkpoint, const std::string& path) {
    const TrainingRecord& record = checkpoint.model.record;
    const StageProgress& progress = checkpoint.progress;
    std::string text =
        fmt::format("{}: the checkpoint of a training that is under way; checksum ok\n", printable(path));
    text += fmt::format("stack        {}\n", to_text(record.config.stack));
    text += fmt::format("preset       {}\n", record.config.preset);
    text += fmt::format("{:<13}{}\n", checkpoint.row + "s", format_count(record.pictures));
    text += fmt::format("finished     {} of {}\n", checkpoint.model.layers.size(),
                        format_count(std::ssize(record.config.stack.layers()), "layer"));
    text += fmt::format("under way    {}, stage {} of {}\n", checkpoint.stage_name, checkpoint.stage,
                        checkpoint.stages);
    if (progress.epochs > 0 && progress.epoch > 0) {
        text += fmt::format("epoch        {} of {}, {} of {}\n", progress.epoch, progress.epochs,
                            format_count(progress.done), format_count(progress.of, checkpoint.row));
    }
    const std::string model =
        path.ends_with(checkpoint_ending) ? path.substr(0, path.size() - checkpoint_ending.size()) : "MODEL";
    return text + fmt::format(
                      "go on with   stackae train INPUT -o {} --resume, with the options that it was "
                      "begun with\n",
                      printable(model));
}

JsonObject json_of(const CheckpointInfo& checkpoint, const std::string& path) {
    return JsonObject()
        .set("kind", "checkpoint")
        .set("path", path)
        .set("checksum", "ok")
        .set("stage", checkpoint.stage)
        .set("stages", checkpoint.stages)
        .set("stage_name", checkpoint.stage_name)
        .set("epoch", checkpoint.progress.epoch)
        .set("epochs", checkpoint.progress.epochs)
        .set("finished_layers", static_cast<std::int64_t>(checkpoint.model.layers.size()))
        .set("row", checkpoint.row)
        .set("pictures", checkpoint.model.record.pictures)
        .set("config", to_json(checkpoint.model.record.config));
}

std::string text_of(const EncodingProgress& progress, const std::string& path) {
    return fmt::format(
        "{}: the checkpoint of an encoding that is under way; checksum ok\n"
        "pictures     the first {}\n"
        "codes        {} rows of {}\n"
        "model        {}\n"
        "go on with   the same command and --resume\n",
        printable(path), format_count(progress.pictures), format_count(progress.rows),
        format_count(progress.columns, "value"), printable(progress.model));
}

std::string text_of(const RecommendProgress& progress, const std::string& path) {
    return fmt::format(
        "{}: the checkpoint of recommendations that are under way; checksum ok\n"
        "users        the first {}\n"
        "model        {}\n"
        "go on with   the same command and --resume\n",
        printable(path), format_count(progress.users), printable(progress.model));
}

std::string text_of(const ScoringProgress& progress, const std::string& path) {
    return fmt::format(
        "{}: the checkpoint of scores that are under way; checksum ok\n"
        "pictures     the first {}\n"
        "memory       {}\n"
        "go on with   the same command and --resume\n",
        printable(path), format_count(progress.pictures), printable(progress.memory));
}

JsonObject json_of(const ScoringProgress& progress, const std::string& path) {
    return JsonObject()
        .set("kind", "scores")
        .set("path", path)
        .set("checksum", "ok")
        .set("pictures", progress.pictures)
        .set("memory", progress.memory);
}

JsonObject json_of(const RecommendProgress& progress, const std::string& path) {
    return JsonObject()
        .set("kind", "recommendations")
        .set("path", path)
        .set("checksum", "ok")
        .set("users", progress.users)
        .set("model", progress.model);
}

JsonObject json_of(const EncodingProgress& progress, const std::string& path) {
    return JsonObject()
        .set("kind", "codes")
        .set("path", path)
        .set("checksum", "ok")
        .set("pictures", progress.pictures)
        .set("rows", progress.rows)
        .set("columns", progress.columns)
        .set("model", progress.model);
}

/// Nothing where there is none that can be read, or its training was interrupted.
std::optional<Model> finished_model(const std::string& path) {
    try {
        Model model = load_model(path);
        return model.record.interrupted ? std::nullopt : std::optional(std::move(model));
    } catch (const Error&) {
        return std::nullopt;  // what is replaced is told by others
    }
}

}  // namespace

std::string checkpoint_path(const std::string& model) {
    return is_stream(model) ? "" : model + std::string(checkpoint_ending);
}

std::string progress_text(const CheckpointInfo& checkpoint) {
    const StageProgress& progress = checkpoint.progress;
    return fmt::format("{} (stage {} of {}){}", checkpoint.stage_name, checkpoint.stage, checkpoint.stages,
                       progress.epochs > 0 && progress.epoch > 0
                           ? fmt::format(", epoch {} of {}", progress.epoch, progress.epochs)
                           : "");
}

std::optional<CheckpointDescription> describe_checkpoint(const std::string& path) {
    const auto describe = [&](const auto& checkpoint) {
        return CheckpointDescription{text_of(checkpoint, path), json_of(checkpoint, path)};
    };
    if (has_encoding_checkpoint(path)) {
        return describe(load_encoding_progress(path));
    }
    if (has_recommend_checkpoint(path)) {
        return describe(load_recommend_progress(path));
    }
    if (has_score_checkpoint(path)) {
        return describe(load_scoring_progress(path));
    }
    if (!is_stream(path) && file_kind(path) == "checkpoint") {
        return describe(load_checkpoint_info(path));
    }
    return std::nullopt;
}

void check_checkpoint(const std::string& path, bool resume) {
    if (!is_there(path)) {
        return;
    }
    const auto found = file_kind(path);
    if (found != "checkpoint") {
        throw UsageError(
            fmt::format("{}: a file of that name is there and is no whole checkpoint; remove it, or "
                        "name another model with -o",
                        path));
    }
    if (!resume) {
        const CheckpointInfo info = load_checkpoint_info(path);
        throw UsageError(
            fmt::format("{} holds a training that has come to {}: --resume goes on with it; "
                        "remove the file to begin anew",
                        path, progress_text(info)));
    }
}

std::optional<TrainConfig> begun_automatically(const RunOptions& run, const std::string& model) {
    if (!run.resume || (!is_there(run.checkpoint) && !is_there(model))) {
        return std::nullopt;
    }
    std::optional<Model> begun =
        is_there(run.checkpoint) ? load_checkpoint_info(run.checkpoint).model : finished_model(model);
    if (!begun) {
        return std::nullopt;
    }
    TrainConfig config = std::move(begun->record.config);
    return config.preset == "auto" ? std::optional(std::move(config)) : std::nullopt;
}

bool is_trained_already(Console& console, const std::string& model, const std::string& data,
                        const Preprocessing& preprocessing, const TrainConfig& config) {
    if (is_there(checkpoint_path(model))) {
        return false;
    }
    const auto standing = is_there(model) ? finished_model(model) : std::nullopt;
    if (standing) {
        const std::string differs = training_difference(*standing, "model", preprocessing, config, data);
        if (!differs.empty()) {
            throw UsageError(
                fmt::format("{} is finished, and of another training: {}; without --resume it is replaced",
                            model, differs));
        }
        console.note(fmt::format("{} is finished, of {}: nothing to go on with", model,
                                 standing->table.items.empty() ? "pictures of these names" : "this table"));
        return true;
    }
    console.note(fmt::format("there is no {}: training begins at the beginning", checkpoint_path(model)));
    return false;
}

void remove_checkpoint(Console& console, const std::string& path) {
    try {
        if (!path.empty()) {
            remove_training_checkpoint(path);
        }
    } catch (const Error& error) {
        console.warn(fmt::format("warning: {}", error.what()));
    }
}

}  // namespace stackae::cli

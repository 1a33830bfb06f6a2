#pragma once

#include <optional>
#include <string>

#include "stackae/train.hpp"

#include "cli/console.hpp"

/// The checkpoint beside the model that a training will write.
namespace stackae::cli {

/// `MODEL.ckpt`; empty of a model that goes to a device or a pipe.
[[nodiscard]] std::string checkpoint_path(const std::string& model);

/// "layer 2, dense (2 of 3), epoch 4 of 20".
[[nodiscard]] std::string progress_text(const CheckpointInfo& checkpoint);

/// What `info` prints of a checkpoint.
struct CheckpointDescription {
    std::string text;
    JsonObject json;
};
/// Of a training's file, or the folder of an encoding or of recommendations; nothing where the path is
/// neither.
[[nodiscard]] std::optional<CheckpointDescription> describe_checkpoint(const std::string& path);

/// Before pictures are prepared. Throws UsageError where a checkpoint is there that nobody asked to go on
/// with, or where what is there is none.
void check_checkpoint(const std::string& path, bool resume);

/// What `auto` came to when the training was begun that a run is asked to go on with, or, where it has ended,
/// that made the model; nothing where there is none, or its stack was named.
[[nodiscard]] std::optional<TrainConfig> begun_automatically(const RunOptions& run, const std::string& model);

/// For a run that is asked to go on and has no checkpoint: whether the model is there already, trained on the
/// same pictures, by their names, with the same options. Says so, or that it begins at the beginning. Throws
/// UsageError where a finished model of another training is there.
[[nodiscard]] bool is_trained_already(Console& console, const std::string& model, const std::string& data,
                                      const Preprocessing& preprocessing, const TrainConfig& config);

/// Removes it, once the model is safe; where it cannot be, warns.
void remove_checkpoint(Console& console, const std::string& path);

}  // namespace stackae::cli

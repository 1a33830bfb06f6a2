#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stackae/model.hpp"

#include "cli/console.hpp"

/// How a trained model gets to its file, whatever stands there or fails.
namespace stackae::cli {

/// A model that is where a training will write its own.
struct StandingModel {
    std::string data;       ///< data_identity() of what it was trained on; empty: it cannot be read
    std::string text;       ///< what it was trained on and its stack, or why it cannot be read
    bool complete = false;  ///< its training was not interrupted
};
/// Nothing where there is no file, or an empty one.
[[nodiscard]] std::optional<StandingModel> standing_model(const std::string& path);

/// Where a model went.
struct KeptModel {
    std::string path;
    bool beside = false;     ///< of a training that ended early: the complete model that stands is spared
    bool elsewhere = false;  ///< its file could not be written
};

/// Saves a model at `output`; one of a training that ended early, where a complete model stands there, as
/// `NAME.partial.stackae` beside it. Where that cannot be written it is saved in the first of
/// spare_places() that can, which is said with how to move it. Throws IoError where none can.
[[nodiscard]] KeptModel keep_model(Console& console, const Model& model, const std::string& output);

/// What a training that ended early left, and where: `kept 1 of 2 layers in shop.stackae`.
[[nodiscard]] std::string kept_text(const Model& model, const KeptModel& kept, const std::string& output);
/// The outcome: `interrupted; ` and kept_text(), or `wrote shop.stackae: 1 layer, 440 parameters`.
[[nodiscard]] std::string outcome_text(const Model& model, const KeptModel& kept, const std::string& output);

/// Paths of files that are not there yet, `NAME.kept.stackae` (or `NAME.kept-2.stackae`, …): in the folder of
/// `path` unless that is a device, in the current folder, in `home`, and in the folder for temporary files.
[[nodiscard]] std::vector<std::string> spare_places(const std::string& path, const std::string& home,
                                                    const std::string& temporary);

}  // namespace stackae::cli

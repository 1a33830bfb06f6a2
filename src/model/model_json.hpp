#pragma once

#include <nlohmann/json.hpp>

#include "stackae/model.hpp"

#include "base/fields.hpp"

/// What a model's file and `--json` write alike.
namespace stackae {

/// A row for each field but mean and deviation, which are tensors, and channels_json().
[[nodiscard]] base::FieldTable table_of(Preprocessing& preprocessing);
/// The same of preprocessing that stays as it is: nothing may be set by its rows.
[[nodiscard]] base::FieldTable fields_of(const Preprocessing& preprocessing);
[[nodiscard]] base::FieldTable table_of(StageEpoch& epoch);
[[nodiscard]] base::FieldTable table_of(DepthAccuracy& accuracy);
/// Without mean and deviation; `standardized` says whether there are any. With `own_channels` where they are
/// such.
[[nodiscard]] nlohmann::json json_of(const Preprocessing& preprocessing);
/// Whether channels are measured or have ranges of their own, which readers before version 6 do not know.
[[nodiscard]] bool has_own_channels(const Preprocessing& preprocessing);
/// What is said of such channels.
[[nodiscard]] nlohmann::json channels_json(const Preprocessing& preprocessing);
[[nodiscard]] nlohmann::json json_of(const Shape& shape);
[[nodiscard]] nlohmann::json json_of(StageEpoch epoch);
[[nodiscard]] nlohmann::json json_of(DepthAccuracy accuracy);
[[nodiscard]] base::FieldTable table_of(ReconstructionErrors& errors);
[[nodiscard]] nlohmann::json json_of(ReconstructionErrors errors);
[[nodiscard]] nlohmann::json json_of(const std::vector<DepthAccuracy>& accuracies);

}  // namespace stackae

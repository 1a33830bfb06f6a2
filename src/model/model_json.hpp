#pragma once

#include <nlohmann/json.hpp>

#include "stackae/model.hpp"

#include "base/fields.hpp"

/// What a model's file and `--json` write alike.
namespace stackae {

[[nodiscard]] base::FieldTable table_of(StageEpoch& epoch);
[[nodiscard]] base::FieldTable table_of(DepthAccuracy& accuracy);
/// Without mean and deviation; `standardized` says whether there are any.
[[nodiscard]] nlohmann::json json_of(const Preprocessing& preprocessing);
[[nodiscard]] nlohmann::json json_of(const Shape& shape);
[[nodiscard]] nlohmann::json json_of(const StageEpoch& epoch);
[[nodiscard]] nlohmann::json json_of(const std::vector<DepthAccuracy>& accuracies);

}  // namespace stackae

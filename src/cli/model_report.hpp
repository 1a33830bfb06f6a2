#pragma once

#include <string>

#include "stackae/json.hpp"
#include "stackae/model.hpp"

/// What is told of a model, by `stackae info` and after training.
namespace stackae::cli {

/// What a row is that it was learnt from: "picture", "user" or "item".
[[nodiscard]] std::string row_of(const Model& model);
[[nodiscard]] std::string model_text(const Model& model, const std::string& path);
[[nodiscard]] JsonObject model_json(const Model& model, const std::string& path);
/// At which depth codes tell the classes of the pictures apart best, of a model with
/// TrainingRecord::accuracies: what was measured, a table of it, and which layer is recommended. The last
/// line has no end.
[[nodiscard]] std::string depth_report(const Model& model);

}  // namespace stackae::cli

#pragma once

#include <string>

#include "stackae/json.hpp"
#include "stackae/model.hpp"

/// What `stackae info` tells of a model.
namespace stackae::cli {

[[nodiscard]] std::string model_text(const Model& model, const std::string& path);
[[nodiscard]] JsonObject model_json(const Model& model, const std::string& path);

}  // namespace stackae::cli

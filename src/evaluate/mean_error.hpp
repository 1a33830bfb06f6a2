#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "stackae/evaluate_ranking.hpp"

namespace stackae::evaluation {

[[nodiscard]] MeanError mean_error(std::span<const double> values);

/// Under a key, and the standard error under the same with `_se`.
inline void put(nlohmann::json& object, const std::string& key, const MeanError& figure) {
    object[key] = figure.mean;  // nlohmann prints NaN as null
    object[key + "_se"] = figure.error;
}

}  // namespace stackae::evaluation

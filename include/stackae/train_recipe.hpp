#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "stackae/preprocessing.hpp"
#include "stackae/train_config.hpp"

namespace stackae {

/// What is to be learnt, as a form or another language names it: `stackae train` without a command line.
struct TrainRecipe {
    std::string preset = "auto";                      ///< or a preset's name
    std::string stack = {};                           ///< its text; empty: the preset's
    std::optional<std::int64_t> components = {};      ///< values of the code, as ShortForms::components
    double budget_seconds = 900.0;                    ///< of auto, as ChooseOptions has it
    std::map<std::string, std::string> options = {};  ///< of TrainConfig, by their names
};

/// The configuration that a recipe makes of another. Throws InvalidArgument.
[[nodiscard]] TrainConfig apply(const TrainRecipe& recipe, const TrainConfig& base);

/// The configuration for so many pictures. auto chooses a stack that suits them, see choose_stack(), and
/// values that a small set asks for where the recipe does not say them, see fit_to_small_set(). Throws
/// InvalidArgument.
[[nodiscard]] TrainConfig config_of(const TrainRecipe& recipe, std::int64_t pictures,
                                    const Preprocessing& preprocessing, const RunOptions& run);

}  // namespace stackae

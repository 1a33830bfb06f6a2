#pragma once

#include <cstdint>
#include <string>

#include "stackae/evaluate_ranking.hpp"
#include "stackae/train.hpp"

#include "cli/console.hpp"

/// A stack for a table, chosen and learnt, as `train` and `evaluate --fit` do it.
namespace stackae::cli {

struct TableStack {
    TrainConfig config;  ///< preset: "auto"
    std::string reason;  ///< a line without an end
};

/// The linear denoising autoencoder with its usual settings.
[[nodiscard]] TrainConfig usual_stack(std::uint64_t seed);
/// The linear denoising autoencoder with the settings that recommend best to users who are held out. Throws
/// Interrupted.
[[nodiscard]] TableStack choose_stack(Console& console, const Interactions& table, const RunOptions& run,
                                      std::uint64_t seed);
/// Learns a table and ranks by it.
[[nodiscard]] Scorer fit_scorer(const Interactions& table, const TrainConfig& config, const RunOptions& run);
/// Ranks by a model.
[[nodiscard]] Scorer scorer_of(Model model, int threads);

}  // namespace stackae::cli

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "stackae/evaluate_ranking.hpp"
#include "stackae/evaluate_ratings.hpp"
#include "stackae/interactions_file.hpp"
#include "stackae/train.hpp"
#include "stackae/train_recipe.hpp"

/// A stack for a table, chosen and learnt, as `stackae train` and `evaluate --fit` do it.
namespace stackae {

struct TableStack {
    TrainConfig config;  ///< preset: "auto"
    std::string reason;  ///< a line without an end
};

/// How a stack learns a table where nothing else is said: the usual values, nobody held out, no fine-tuning.
/// preset: in place of that, where it names one.
[[nodiscard]] TrainConfig table_base(const std::string& preset);
/// Without rows held out, or patience, where all is learnt in closed form: nothing would be measured on them.
[[nodiscard]] TrainConfig suited(TrainConfig config, const TrainPlan& plan);

/// The linear denoising autoencoder with its usual settings.
[[nodiscard]] TrainConfig usual_stack(std::uint64_t seed);
/// Throws InvalidArgument where there is not memory for that; it names a stack that takes less, if one does.
void check_memory(const Interactions& table, const TrainConfig& config, const RunOptions& run);
/// The factorised linear autoencoder, with as many values an item as the memory has room for; nothing where
/// it has room for the linear denoising one. Throws InvalidArgument where it has room for neither.
[[nodiscard]] std::optional<TableStack> large_table_stack(const Interactions& table, const RunOptions& run,
                                                          std::uint64_t seed, TableRow rows);
/// That one where there is need of it; else the linear denoising autoencoder with the settings that recommend
/// best to users who are held out, or where items are the rows, to which users who are held out are no rows,
/// with its usual ones. observer: of every stack that is tried, which throws where it is to stop; on_tried:
/// told of their number, may throw. Throws InvalidArgument.
[[nodiscard]] TableStack choose_table_stack(const Interactions& table, const RunOptions& run,
                                            std::uint64_t seed, TableRow rows, TrainObserver& observer,
                                            const std::function<void(std::int64_t tried)>& on_tried);
/// The configuration for a table. auto chooses a stack as above. Throws InvalidArgument, also where there is
/// not memory for it.
[[nodiscard]] TrainConfig config_of(const TrainRecipe& recipe, const Interactions& table,
                                    const RunOptions& run, TrainObserver& observer,
                                    const std::function<void(std::int64_t tried)>& on_tried);
/// What becomes of a table's values where no option says it: ratings are as they are.
[[nodiscard]] ValueMode suited_value(const TrainConfig& config);
/// Whether it learns ratings, which can be predicted.
[[nodiscard]] bool learns_ratings(const TrainConfig& config);
/// Learns a table and predicts its ratings, or does so by a model.
[[nodiscard]] Predictor fit_predictor(const Interactions& table, const TrainConfig& config,
                                      const RunOptions& run, TrainObserver& observer);
[[nodiscard]] Predictor predictor_of(Model model, int threads);
/// Learns a table and ranks by it.
[[nodiscard]] Scorer fit_scorer(const Interactions& table, const TrainConfig& config, const RunOptions& run,
                                TrainObserver& observer);
/// Ranks by a model.
[[nodiscard]] Scorer scorer_of(Model model, int threads);

}  // namespace stackae

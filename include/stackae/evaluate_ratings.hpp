#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stackae/evaluate_ranking.hpp"
#include "stackae/interactions.hpp"
#include "stackae/json.hpp"

/// How well ratings are predicted: some are held out, and a model has to say what they are by the others.
namespace stackae {

/// Says what ratings will be, one value each. A user or an item of −1 was not seen in training.
using Predictor = std::function<std::vector<float>(std::span<const Rating> asked)>;
/// Learns from a table. All its users and items have their numbers, also those without a rating in it.
using FitPredictor = std::function<Predictor(const Interactions& train)>;

/// A table cut by ratings.
struct RatingSplit {
    Interactions train;  ///< with all users and items of the table
    std::vector<Rating> test;
};

/// Holds out a tenth of the entries (rounded, at least one) at random. A function of the table, the seed and
/// the split's number. Throws InvalidArgument where there are less than two.
[[nodiscard]] RatingSplit split_ratings(const Interactions& table, std::uint64_t seed, int split = 0);
/// Ratings to measure on that were given apart.
struct GivenRatings {
    std::vector<Rating> ratings;
    std::int64_t known = 0;  ///< left out: `train` has a rating of that user and item
};

/// The entries of `test`, whose users and items are matched with those of `train` by their ids; −1 where
/// there is none.
[[nodiscard]] GivenRatings matched_ratings(const Interactions& train, const Interactions& test);

/// Every rating is the mean of those learnt from.
[[nodiscard]] Predictor mean_predictor(const Interactions& train);
/// μ + b_i + b_u, with b_i = Σ_u (r − μ) / (25 + n_i) and b_u = Σ_i (r − μ − b_i) / (10 + n_u): how much
/// higher an item and a user rate than the mean μ (Koren 2010).
[[nodiscard]] Predictor bias_predictor(const Interactions& train);

/// Errors of predicted ratings.
struct RatingErrors {
    std::int64_t ratings = 0;
    MeanError rmse;  ///< √(Σ (predicted − held)² / n); its error, by the delta method, is the mean square's ÷
                     ///< 2 RMSE
    MeanError mae;  ///< Σ |predicted − held| / n
};

/// Throws InvalidArgument where there are not as many predictions as ratings, NotFinite where one is no
/// number.
[[nodiscard]] RatingErrors measure_ratings(std::span<const float> predicted, std::span<const float> held);

/// A model beside the baselines, on the same ratings, those of several splits taken together.
struct RatingEvaluation {
    int splits = 1;
    std::int64_t unseen = 0;  ///< ratings whose user or item was not seen in training
    std::int64_t known = 0;   ///< GivenRatings::known
    std::optional<RatingErrors> model;
    RatingErrors mean;
    RatingErrors biases;

    /// "not better than the biases of users and items on this table", where the model's RMSE is not below
    /// theirs by more than its standard error. Of a single rating nothing is said.
    [[nodiscard]] std::vector<std::string> remarks() const;
};

/// Splits by split_ratings(), learns and measures `splits` times. Without `fit` there are baselines alone.
[[nodiscard]] RatingEvaluation evaluate_ratings(const Interactions& table, const FitPredictor& fit,
                                                int splits, std::uint64_t seed);
/// On given parts, see matched_ratings().
[[nodiscard]] RatingEvaluation evaluate_ratings(const Interactions& train, const GivenRatings& test,
                                                const FitPredictor& fit);

/// `ratings`, `rmse` and `mae`, each with its standard error (`rmse_se`).
[[nodiscard]] JsonObject to_json(const RatingErrors& errors);
/// Those of `model`, and of `mean` and `biases` under `baselines`; `splits`, `unseen`, `known` and `remarks`.
[[nodiscard]] JsonObject to_json(const RatingEvaluation& evaluation);

}  // namespace stackae

#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stackae/interactions.hpp"
#include "stackae/json.hpp"
#include "stackae/tensor.hpp"

/// How good recommendations are: users that a model has never seen are folded in with most of their items,
/// and it has to name the others.
namespace stackae {

/// Gives users scores for all items by what is known of them: rows `first` up to `first` + `count` of
/// `known`, whose items are those that were learnt from. Returns count × items; higher is better, minus
/// infinity is never recommended. Called on one thread, with OpenMP set to as many as it may use; a row's
/// scores must not depend on the other rows.
using Scorer = std::function<Tensor(const Interactions& known, std::int64_t first, std::int64_t count)>;

/// Users to measure on. Of each some items are known, others (at least one) are to be found.
struct HeldUsers {
    Interactions known;                              ///< users × the training part's items
    std::vector<std::vector<std::int32_t>> targets;  ///< of each user: items that are not known, rising
    std::int64_t left_out_users = 0;  ///< that had nothing known or no target among the training part's items
    std::int64_t left_out_entries = 0;  ///< of the users that are here, with items unseen in training
};

/// A table cut by users: "strong generalisation" (Marlin 2004; Liang, Krishnan, Hoffman & Jebara 2018).
struct RankingSplit {
    Interactions train;    ///< to learn from; its items are those that one of its users has
    HeldUsers validation;  ///< to choose settings by
    HeldUsers test;        ///< to measure on
};

/// Holds out users at random. Of those with 5 items or more a tenth (rounded, at least one) is for testing
/// and another for choosing settings; all others are learnt from. Of a held user's n items, max(1, ⌊n / 5⌋)
/// drawn at random are targets, and the others known. Items that no user of the training part has are dropped
/// from both; a user left without targets or without known items is left out. Users and items stay in the
/// table's order. A function of the table, the seed and the split's number. Throws InvalidArgument where
/// there are less than two users with 5 items, or no others to learn from.
[[nodiscard]] RankingSplit split_users(const Interactions& table, std::uint64_t seed, int split = 0);

/// Given parts, in the way of LightGCN's tables (He et al. 2020): a test user's row of `train` is known, its
/// row of `test` are the targets. Users and items are matched by their ids; left out are users without a row
/// in one of them, items that are not in `train` and those that the user's row of it has. Users stay in the
/// order of `train`.
[[nodiscard]] HeldUsers held_by_file(const Interactions& train, const Interactions& test);

/// Those users of a table with 5 items or more who are not in `train`, each folded in and held out as
/// split_users() does it: for a model of `train`. Left out are users with fewer items, too.
[[nodiscard]] HeldUsers hold_unseen(const Interactions& train, const Interactions& table, std::uint64_t seed);

/// A mean over users (or ratings), NaN where there are none, and its standard error, their sample standard
/// deviation ÷ √n; NaN of less than two.
struct MeanError {
    double mean = std::numeric_limits<double>::quiet_NaN();
    double error = std::numeric_limits<double>::quiet_NaN();
};

/// A user's figures, in [0, 1]. Items are ranked by falling score, of equal ones the first in the table's
/// order before the others, and known ones are left out. With hits(k) targets among the first k and t targets
/// in all:
struct UserRanking {
    double recall_20 = 0.0;  ///< hits(20) / min(20, t), as Liang et al. (2018) have it
    double recall_50 = 0.0;  ///< hits(50) / min(50, t)
    /// DCG(100) / IDCG(100) (Järvelin & Kekäläinen 2002) with relevance 0 or 1: DCG(k) = Σ 1 / log₂(r + 1)
    /// over the ranks r ≤ k, from 1, at which there are targets; IDCG(k) is that of targets at all ranks up
    /// to min(k, t).
    double ndcg_100 = 0.0;
    double recall_20_all_targets = 0.0;  ///< hits(20) / t, as LightGCN has it
    double ndcg_20 = 0.0;                ///< DCG(20) / IDCG(20)

    friend bool operator==(const UserRanking&, const UserRanking&) = default;
};

/// How well the held users' targets were ranked.
struct Ranking {
    std::vector<UserRanking> users;  ///< in the order of HeldUsers
    /// Share of the items that are among the first 20 of some user; NaN without items or users.
    double coverage_20 = std::numeric_limits<double>::quiet_NaN();

    [[nodiscard]] MeanError mean(double UserRanking::*figure) const;
};

struct RankingOptions {
    /// Bytes that the scores of a batch of users may take; one user's are always held. From 32 MiB on it is
    /// slower: the C library asks the system for each batch's memory anew.
    std::int64_t batch_memory = std::int64_t{16} << 20U;
    int threads = 0;  ///< 0: one a core; results are the same at any number
};

/// Ranks all items for all users, exactly: nothing is sampled (Krichene & Rendle 2020). Throws
/// InvalidArgument where the scorer's answer is not count × items, NotFinite where a score is not a number.
[[nodiscard]] Ranking measure_ranking(const Scorer& scorer, const HeldUsers& users,
                                      const RankingOptions& options = {});

/// Mean over users of a's figure minus b's of the same user, both measured on the same users. Throws
/// InvalidArgument where they are not as many.
[[nodiscard]] MeanError mean_difference(const Ranking& a, const Ranking& b, double UserRanking::*figure);

/// Everyone's score of an item is the number of users who have it.
[[nodiscard]] Scorer popularity_scorer(const Interactions& train);

/// Item-based nearest neighbours (Sarwar, Karypis, Konstan & Riedl 2001): the score of item i is Σ x_j s_ij
/// over the user's known items j among the k items that are most similar to i, with s_ij = x_i · x_j / (‖x_i‖
/// ‖x_j‖) the cosine between columns of the table; of equally similar items the first ones count. Takes 8 k
/// bytes an item at most, twice as much and 8 bytes an entry of the table while it learns. Throws
/// InvalidArgument where k < 1.
[[nodiscard]] Scorer item_knn_scorer(const Interactions& train, std::int64_t k, int threads = 0);
/// The k of 10, 20, 50, 100 and 200 with the highest NDCG@100 of the validation users; the lowest of equal
/// ones.
[[nodiscard]] std::int64_t choose_item_knn(const Interactions& train, const HeldUsers& validation,
                                           const RankingOptions& options = {});

/// EASE, the linear autoencoder without self-similarity (Steck 2019): scores x B, with P = (XᵀX + λ I)⁻¹,
/// B_ij = −P_ij / P_jj and B_jj = 0. Takes 4 bytes for each pair of items, and more while it learns. Throws
/// InvalidArgument where λ is not above 0 or not finite.
[[nodiscard]] Scorer ease_scorer(const Interactions& train, double lambda, int threads = 0);
/// The λ of 30, 100, 200, 400, 800 and 1600 with the highest NDCG@100 of the validation users; the lowest of
/// equal ones. Of more than 8,000 items the most frequent ones stand for all. Takes ease_bytes() at most.
[[nodiscard]] double choose_ease(const Interactions& train, const HeldUsers& validation,
                                 const RankingOptions& options = {});
/// Bytes that ease_scorer() and choose_ease() take at most for so many items, beside 8 an entry of the table.
[[nodiscard]] double ease_bytes(std::int64_t items);

/// Learns from `train`. What has to be chosen is chosen by learning from `tuning` and measuring on
/// `validation`, whose items are those of `tuning`; that may be `train` itself.
using FitScorer =
    std::function<Scorer(const Interactions& train, const Interactions& tuning, const HeldUsers& validation)>;

struct RankingEvaluationOptions {
    int splits = 1;
    std::uint64_t seed = 0;
    bool ease = true;  ///< EASE among the baselines
    /// Bytes that EASE may take, see resolve_memory(); where ease_bytes() are more it is left out.
    std::int64_t memory = 0;
    RankingOptions ranking = {};
};

/// A model beside the baselines, on the same users. Users of several splits are taken together: standard
/// errors are over all of them, as if they were drawn anew each time. coverage_20 is the mean over splits.
struct RankingEvaluation {
    int splits = 1;
    std::int64_t users = 0;             ///< measured on, of all splits
    std::int64_t left_out_users = 0;    ///< HeldUsers::left_out_users of the test parts
    std::int64_t left_out_entries = 0;  ///< likewise
    std::optional<Ranking> model;       ///< where one was given
    Ranking popularity;
    Ranking item_knn;
    std::optional<Ranking> ease;
    std::vector<std::int64_t> item_knn_k;  ///< as chosen in each split
    std::vector<double> ease_lambda;       ///< likewise
    std::string ease_left_out;             ///< why EASE was not measured, where it was asked for

    /// Sentences for people: "not better than popularity on this table" where the model's NDCG@100 is not
    /// above popularity's by more than a standard error of the difference (of the same users), likewise
    /// item-kNN, neither of a single user; and ease_left_out.
    [[nodiscard]] std::vector<std::string> remarks() const;
};

/// Splits by split_users(), learns and measures `splits` times. Without `fit` there are baselines alone.
/// Throws InvalidArgument where no user is left to measure on, and what `fit` and split_users() throw.
[[nodiscard]] RankingEvaluation evaluate_ranking(const Interactions& table, const FitScorer& fit,
                                                 const RankingEvaluationOptions& options);
/// On given parts, see held_by_file(). Settings are chosen in the split of `train` by split_users(), then all
/// of `train` is learnt from. RankingEvaluationOptions::splits has to be 1.
[[nodiscard]] RankingEvaluation evaluate_ranking(const Interactions& train, const HeldUsers& test,
                                                 const FitScorer& fit,
                                                 const RankingEvaluationOptions& options);

/// Of what was measured: `recall_20`, `recall_50`, `ndcg_100`, `recall_20_all_targets` and `ndcg_20`, each
/// with its standard error (`recall_20_se`), and `coverage_20`, under `model` and under `popularity`,
/// `item_knn` and `ease` of `baselines`; null for what was not measured. `users`, `splits`, `remarks` and
/// what was left out.
[[nodiscard]] JsonObject to_json(const RankingEvaluation& evaluation);

}  // namespace stackae

#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "stackae/evaluate_ranking.hpp"
#include "stackae/interactions.hpp"

namespace stackae {

/// Learns a table with a stack, by its text, and ranks by what was learnt.
using FitStack = std::function<Scorer(const Interactions& table, const std::string& stack)>;

struct ChooseTableOptions {
    std::uint64_t seed = 0;
    RankingOptions ranking = {};
    /// Told after each stack that was tried. May throw.
    std::function<void(std::int64_t tried)> on_tried = [](std::int64_t /*tried*/) {};
};

struct TableStackChoice {
    std::string stack;
    std::int64_t tried =
        0;  ///< stacks; 0: the table has too few users to hold any out, and this is the default
    std::int64_t users = 0;  ///< that were measured on
    std::int64_t items = 0;  ///< of the table that was learnt from
    MeanError ndcg_100 = {};
};

/// The linear denoising autoencoder, `edlae`, with the settings that recommend best to users who are held out
/// (split_users()), by NDCG@100. Each setting is moved along a grid as long as that helps, one after the
/// other, until none does. On the most frequent 8,000 items at most. The same at any number of threads.
[[nodiscard]] TableStackChoice choose_table_stack(const Interactions& table, const FitStack& fit,
                                                  const ChooseTableOptions& options = {});

}  // namespace stackae

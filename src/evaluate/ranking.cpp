#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate_ranking.hpp"

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "base/threads.hpp"
#include "evaluate/mean_error.hpp"
#include "search/top_k.hpp"

namespace stackae {
namespace {

using base::at;

constexpr std::int64_t longest = 100;  // ranks that a figure looks at
constexpr std::int64_t covered = 20;   // ranks that count as recommended

/// By rank, from 1.
using ByRank = std::array<double, longest + 1>;

/// 1 / log₂(r + 1).
ByRank rank_gains() {
    ByRank gains{};
    for (std::size_t rank = 1; rank < gains.size(); ++rank) {
        gains[rank] = 1.0 / std::log2(static_cast<double>(rank) + 1.0);
    }
    return gains;
}

/// Ranks items for one user after another; one a thread.
class Ranker {
public:
    Ranker() { std::partial_sum(gains_.begin(), gains_.end(), ideal_.begin()); }

    /// Scores of known items are spoilt. Gives the items that are ranked first, `longest` at most.
    std::span<const search::Scored<float>> rank(std::span<float> scores,
                                                std::span<const std::int32_t> known) {
        for (const std::int32_t item : known) {
            scores[at(item)] = -std::numeric_limits<float>::infinity();
        }
        best_.reset(longest);
        for (std::size_t item = 0; item < scores.size(); ++item) {
            if (-scores[item] < best_.worst()) {
                best_.push(-scores[item], static_cast<std::int64_t>(item));
            }
        }
        ranked_ = best_.settle();
        std::sort(ranked_.begin(), ranked_.end());
        return ranked_;
    }

    [[nodiscard]] UserRanking measure(std::span<const std::int32_t> targets) const {
        UserRanking figures;
        double hits = 0.0;
        double gain = 0.0;
        const std::int64_t t = std::ssize(targets);
        for (std::int64_t rank = 1; rank <= longest; ++rank) {
            if (rank <= std::ssize(ranked_)) {
                const auto item = static_cast<std::int32_t>(ranked_[at(rank - 1)].row);
                if (std::binary_search(targets.begin(), targets.end(), item)) {
                    hits += 1.0;
                    gain += gains_[at(rank)];
                }
            }
            if (rank == 20) {
                figures.recall_20 = hits / static_cast<double>(std::min(rank, t));
                figures.recall_20_all_targets = hits / static_cast<double>(t);
                figures.ndcg_20 = gain / ideal_[at(std::min(rank, t))];
            } else if (rank == 50) {
                figures.recall_50 = hits / static_cast<double>(std::min(rank, t));
            }
        }
        figures.ndcg_100 = gain / ideal_[at(std::min(longest, t))];
        return figures;
    }

private:
    search::TopK best_;
    std::vector<search::Scored<float>> ranked_;
    ByRank gains_ = rank_gains();
    ByRank ideal_{};  // of targets at all ranks up to this
};

void check_scores(const Tensor& scores, std::int64_t users, std::int64_t items) {
    if (scores.rows() != users || scores.size() != users * items) {
        throw InvalidArgument(fmt::format("ranking: scores of {} x {} found, {} users x {} items expected",
                                          scores.rows(), scores.columns(), users, items));
    }
}

void check_numbers(std::span<const float> scores, std::int64_t user) {
    bool odd = false;
    for (const float score : scores) {
        odd |= std::isnan(score);
    }
    if (odd) {
        throw NotFinite("ranking: scores that are not numbers", user);
    }
}

/// Marks the items that are recommended to someone.
class Coverage {
public:
    explicit Coverage(std::int64_t items) : seen_(at(items)) {}

    void add(std::span<const std::int32_t> recommended) {
        for (const std::int32_t item : recommended) {
            seen_[at(item)] = 1;
        }
    }
    [[nodiscard]] double share() const {
        return static_cast<double>(std::accumulate(seen_.begin(), seen_.end(), std::int64_t{0})) /
               static_cast<double>(seen_.size());
    }

private:
    std::vector<std::uint8_t> seen_;
};

}  // namespace

MeanError evaluation::mean_error(std::span<const double> values) {
    MeanError result;
    const auto n = static_cast<double>(values.size());
    if (!values.empty()) {
        result.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    }
    if (values.size() > 1) {
        const double squares = std::accumulate(values.begin(), values.end(), 0.0, [&](double sum, double x) {
            return sum + (x - result.mean) * (x - result.mean);
        });
        result.error = std::sqrt(squares / (n - 1.0) / n);
    }
    return result;
}

MeanError Ranking::mean(double UserRanking::*figure) const {
    std::vector<double> values;
    std::transform(users.begin(), users.end(), std::back_inserter(values),
                   [&](const UserRanking& user) { return user.*figure; });
    return evaluation::mean_error(values);
}

MeanError mean_difference(const Ranking& a, const Ranking& b, double UserRanking::*figure) {
    if (a.users.size() != b.users.size()) {
        throw InvalidArgument(
            fmt::format("ranking: figures of {} users found, {} expected, those of the other", b.users.size(),
                        a.users.size()));
    }
    std::vector<double> values;
    std::transform(a.users.begin(), a.users.end(), b.users.begin(), std::back_inserter(values),
                   [&](const UserRanking& x, const UserRanking& y) { return x.*figure - y.*figure; });
    return evaluation::mean_error(values);
}

Ranking measure_ranking(const Scorer& scorer, const HeldUsers& users, const RankingOptions& options) {
    const int threads = base::resolve_threads(options.threads);
    const base::ThreadScope scope(threads);
    const std::int64_t n = users.known.user_count();
    const std::int64_t items = users.known.item_count();
    const std::int64_t row_bytes =
        std::max<std::int64_t>(items, 1) * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t batch = std::max<std::int64_t>(1, options.batch_memory / row_bytes);
    Ranking ranking;
    ranking.users.resize(at(n));
    Coverage coverage(items);
    for (std::int64_t first = 0; first < n; first += batch) {
        const std::int64_t count = std::min(batch, n - first);
        Tensor scores = scorer(users.known, first, count);
        check_scores(scores, count, items);
        std::vector<std::vector<std::int32_t>> recommended(at(count));
        base::parallel_for(count, threads, [&] {
            return [&, ranker = Ranker()](std::int64_t i) mutable {
                const std::int64_t user = first + i;
                check_numbers(scores.row(i), user);
                const auto ranked = ranker.rank(scores.row(i), users.known.items_of(user));
                ranking.users[at(user)] = ranker.measure(users.targets[at(user)]);
                for (const auto& place : ranked.first(std::min(ranked.size(), at(covered)))) {
                    recommended[at(i)].push_back(static_cast<std::int32_t>(place.row));
                }
            };
        });
        for (const auto& some : recommended) {
            coverage.add(some);
        }
    }
    if (n > 0) {
        ranking.coverage_20 = coverage.share();
    }
    return ranking;
}

}  // namespace stackae

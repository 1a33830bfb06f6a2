#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate_ranking.hpp"

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "base/threads.hpp"
#include "evaluate/item_selection.hpp"
#include "evaluate/ranking_split.hpp"
#include "linalg/positive_definite.hpp"
#include "linalg/sparse_gram.hpp"
#include "linalg/sparse_product.hpp"

namespace stackae {
namespace {

using base::at;

constexpr std::array<std::int64_t, 5> neighbour_grid{10, 20, 50, 100, 200};
constexpr std::array<double, 6> lambda_grid{30.0, 100.0, 200.0, 400.0, 800.0, 1600.0};
constexpr std::int64_t max_tuning_items = 8'000;
constexpr std::int64_t items_at_once = 8;  // whose neighbours a thread looks for

/// A known item's part of an item's score.
struct Neighbour {
    std::int32_t item;
    float similarity;
};

/// Of equal ones the first item.
bool more_similar(const Neighbour& a, const Neighbour& b) {
    return a.similarity > b.similarity || (a.similarity == b.similarity && a.item < b.item);
}

/// Of each item those that are most similar, by falling similarity.
using Neighbours = std::vector<std::vector<Neighbour>>;

/// The neighbours of an item, by its row of XᵀX and the norms of the columns.
std::vector<Neighbour> most_similar(std::int64_t item, std::span<const double> products,
                                    std::span<const double> norms, std::int64_t k,
                                    std::vector<Neighbour>& all) {
    all.clear();
    for (std::size_t j = 0; j < products.size(); ++j) {
        if (products[j] > 0.0 && j != at(item)) {
            all.push_back({static_cast<std::int32_t>(j),
                           static_cast<float>(products[j] / (norms[at(item)] * norms[j]))});
        }
    }
    const auto end = all.begin() + std::min(k, std::ssize(all));
    std::partial_sort(all.begin(), end, all.end(), more_similar);
    return {all.begin(), end};
}

Neighbours find_neighbours(const Interactions& train, std::int64_t k, int threads) {
    const std::int64_t n = train.item_count();
    const linalg::SparseGram gram(train.offsets, train.columns, train.values, {}, n);
    std::vector<double> norms(at(n));
    for (std::size_t i = 0; i < train.columns.size(); ++i) {
        norms[at(train.columns[i])] += double{train.values[i]} * double{train.values[i]};
    }
    std::transform(norms.begin(), norms.end(), norms.begin(),
                   [](double square) { return std::sqrt(square); });
    Neighbours neighbours(at(n));
    base::parallel_for((n + items_at_once - 1) / items_at_once, threads, [&] {
        return [&, products = std::vector<double>(at(n)),
                all = std::vector<Neighbour>()](std::int64_t block) mutable {
            const std::int64_t end = std::min(n, (block + 1) * items_at_once);
            for (std::int64_t item = block * items_at_once; item < end; ++item) {
                std::fill(products.begin(), products.end(), 0.0);
                gram.add_row(item, products);
                neighbours[at(item)] = most_similar(item, products, norms, k, all);
            }
        };
    });
    return neighbours;
}

/// Of each known item the items that it is one of the k neighbours of, CSR.
struct NeighbourTable {
    NeighbourTable(const Neighbours& neighbours, std::int64_t k) : starts(neighbours.size() + 1) {
        const auto first = [&](const std::vector<Neighbour>& all) {
            return std::span(all).first(std::min(all.size(), at(k)));
        };
        for (const auto& all : neighbours) {
            for (const Neighbour& neighbour : first(all)) {
                ++starts[at(neighbour.item) + 1];
            }
        }
        std::partial_sum(starts.begin(), starts.end(), starts.begin());
        entries.resize(starts.back());
        std::vector<std::size_t> next(starts.begin(), starts.end() - 1);
        for (std::size_t item = 0; item < neighbours.size(); ++item) {
            for (const Neighbour& neighbour : first(neighbours[item])) {
                entries[next[at(neighbour.item)]++] = {static_cast<std::int32_t>(item), neighbour.similarity};
            }
        }
    }

    /// scores += the user's row of X S.
    void add_scores(std::span<const std::int32_t> known, std::span<const float> values,
                    std::span<float> scores) const {
        for (std::size_t i = 0; i < known.size(); ++i) {
            for (std::size_t e = starts[at(known[i])]; e < starts[at(known[i]) + 1]; ++e) {
                scores[at(entries[e].item)] += values[i] * entries[e].similarity;
            }
        }
    }

    std::vector<std::size_t> starts;
    std::vector<Neighbour> entries;
};

// Scorers are copied with their function: what is large is shared between the copies.

Scorer neighbour_scorer(const Neighbours& neighbours, std::int64_t k) {
    return [table = std::make_shared<const NeighbourTable>(neighbours, k)](
               const Interactions& known, std::int64_t first, std::int64_t count) {
        Tensor scores({count, known.item_count()});
        base::parallel_ranges(count, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                table->add_scores(known.items_of(first + i), known.values_of(first + i), scores.row(i));
            }
        });
        return scores;
    };
}

Tensor gram_of(const Interactions& table, int threads) {
    const std::int64_t n = table.item_count();
    Tensor gram({n, n});
    linalg::add_sparse_gram(table.offsets, table.columns, table.values, {}, n, gram, threads);
    return gram;
}

/// Makes B of XᵀX, in its place.
Scorer ease_of(Tensor gram, double lambda, int threads) {
    const std::int64_t n = gram.rows();
    for (std::int64_t i = 0; i < n; ++i) {
        gram.row(i)[at(i)] += static_cast<float>(lambda);
    }
    linalg::invert_positive_definite(gram, threads);
    std::vector<float> scale;
    for (std::int64_t j = 0; j < n; ++j) {
        scale.push_back(-1.0F / gram.row(j)[at(j)]);
    }
    const base::ThreadScope scope(threads);
    base::parallel_ranges(n, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const auto row = gram.row(i);
            std::transform(row.begin(), row.end(), scale.begin(), row.begin(), std::multiplies<>{});
            row[at(i)] = 0.0F;
        }
    });
    return [weights = std::make_shared<const Tensor>(std::move(gram))](
               const Interactions& known, std::int64_t first, std::int64_t count) {
        return linalg::sparse_times_dense(std::span(known.offsets).subspan(at(first), at(count + 1)),
                                          known.columns, known.values, *weights);
    };
}

/// The value whose scorer has the highest NDCG@100, the first of equal ones; `otherwise` where there is
/// nobody to choose by.
template <class Grid, class Fit>
auto choose(const Grid& grid, typename Grid::value_type otherwise, const HeldUsers& validation,
            const RankingOptions& options, const Fit& fit) {
    auto chosen = otherwise;
    double best = -std::numeric_limits<double>::infinity();
    for (const auto value : grid) {
        const double figure =
            measure_ranking(fit(value), validation, options).mean(&UserRanking::ndcg_100).mean;
        if (figure > best) {
            best = figure;
            chosen = value;
        }
    }
    return chosen;
}

}  // namespace

Scorer popularity_scorer(const Interactions& train) {
    const std::vector<std::int64_t> counts = item_counts(train);
    return [popularity = std::vector<float>(counts.begin(), counts.end())](
               const Interactions& known, std::int64_t /*first*/, std::int64_t count) {
        Tensor scores({count, known.item_count()});
        for (std::int64_t i = 0; i < count; ++i) {
            std::copy(popularity.begin(), popularity.end(), scores.row(i).begin());
        }
        return scores;
    };
}

Scorer item_knn_scorer(const Interactions& train, std::int64_t k, int threads) {
    if (k < 1) {
        throw InvalidArgument(fmt::format("item-kNN: {} neighbours found, at least 1 expected", k));
    }
    return neighbour_scorer(find_neighbours(train, k, base::resolve_threads(threads)), k);
}

std::int64_t choose_item_knn(const Interactions& train, const HeldUsers& validation,
                             const RankingOptions& options) {
    const Neighbours neighbours =
        find_neighbours(train, neighbour_grid.back(), base::resolve_threads(options.threads));
    return choose(neighbour_grid, std::int64_t{100}, validation, options,
                  [&](std::int64_t k) { return neighbour_scorer(neighbours, k); });
}

Scorer ease_scorer(const Interactions& train, double lambda, int threads) {
    if (!(lambda > 0.0) || !std::isfinite(lambda)) {
        throw InvalidArgument(fmt::format("EASE: lambda of {} found, a number above 0 expected", lambda));
    }
    const int team = base::resolve_threads(threads);
    return ease_of(gram_of(train, team), lambda, team);
}

double choose_ease(const Interactions& train, const HeldUsers& validation, const RankingOptions& options) {
    if (train.item_count() > max_tuning_items) {
        const auto frequent = evaluation::most_frequent_items(train, max_tuning_items);
        return choose_ease(evaluation::keep(train, frequent), evaluation::keep(validation, frequent),
                           options);
    }
    const int threads = base::resolve_threads(options.threads);
    const Tensor gram = gram_of(train, threads);
    return choose(lambda_grid, 200.0, validation, options,
                  [&](double lambda) { return ease_of(gram, lambda, threads); });
}

double ease_bytes(std::int64_t items) {
    const auto bytes = [](std::int64_t n, double matrices) {
        const auto values = static_cast<double>(n) * static_cast<double>(n);
        return static_cast<double>(sizeof(float)) *
               (matrices * values + linalg::PositiveDefiniteInverse::working_floats(n));
    };
    return std::max(bytes(items, 1.0), bytes(std::min(items, max_tuning_items), 2.0));
}

}  // namespace stackae

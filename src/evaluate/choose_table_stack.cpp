#include "stackae/choose_table_stack.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <vector>

#include "stackae/error.hpp"

#include "evaluate/item_selection.hpp"

namespace stackae {
namespace {

constexpr std::int64_t max_items = 8000;
constexpr std::int64_t max_tried = 40;

/// Values that a field of `edlae` may take, and the one that is begun with.
struct Grid {
    const char* field;
    std::vector<double> values;
    std::size_t start;
};

const std::vector<Grid>& grids() {
    static const std::vector<Grid> all{
        {"l2", {2, 5, 10, 20, 50, 100, 200, 500, 1000}, 4},
        {"dropout", {0.1, 0.2, 0.33, 0.5, 0.67, 0.8}, 3},
        {"item_power", {-0.1, 0.0, 0.1, 0.2, 0.3, 0.4, 0.5}, 3},
        {"user_power", {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, 2},
    };
    return all;
}

using Place = std::vector<std::size_t>;  ///< in each of the grids

std::string text_of(const Place& place) {
    std::string text = "edlae";
    for (std::size_t i = 0; i < place.size(); ++i) {
        text += fmt::format(":{}={}", grids()[i].field, grids()[i].values[place[i]]);
    }
    return text;
}

class Search {
public:
    Search(const Interactions& train, const HeldUsers& users, const FitStack& fit,
           const ChooseTableOptions& options)
        : train_(train), users_(users), fit_(fit), options_(options) {
        for (const Grid& grid : grids()) {
            best_.push_back(grid.start);
        }
    }

    TableStackChoice run() {
        measure(best_);
        bool moved = true;
        while (moved && std::ssize(measured_) < max_tried) {
            moved = false;
            for (std::size_t i = 0; i < best_.size(); ++i) {
                moved = climb(i, 1) || climb(i, -1) || moved;
            }
        }
        return {text_of(best_), std::ssize(measured_), std::ssize(users_.targets), train_.item_count(),
                measured_.at(best_)};
    }

private:
    /// Whether steps that way along one grid helped.
    bool climb(std::size_t i, int step) {
        bool moved = false;
        for (Place next = best_; std::ssize(measured_) < max_tried; next = best_) {
            const auto to = static_cast<std::int64_t>(next[i]) + step;
            if (to < 0 || to >= std::ssize(grids()[i].values)) {
                break;
            }
            next[i] = static_cast<std::size_t>(to);
            if (!(measure(next) > measured_.at(best_).mean)) {
                break;
            }
            best_ = next;
            moved = true;
        }
        return moved;
    }
    double measure(const Place& place) {
        const auto found = measured_.find(place);
        if (found != measured_.end()) {
            return found->second.mean;
        }
        const Ranking ranking = measure_ranking(fit_(train_, text_of(place)), users_, options_.ranking);
        const MeanError ndcg = ranking.mean(&UserRanking::ndcg_100);
        measured_.emplace(place, ndcg);
        options_.on_tried(std::ssize(measured_));
        return ndcg.mean;
    }

    const Interactions& train_;
    const HeldUsers& users_;
    const FitStack& fit_;
    const ChooseTableOptions& options_;
    Place best_;
    std::map<Place, MeanError> measured_;
};

/// The table's users split, on its most frequent items; nothing where there are too few.
std::optional<RankingSplit> split_for_choice(const Interactions& table, std::uint64_t seed) {
    const Interactions frequent =
        table.item_count() <= max_items
            ? table
            : evaluation::keep(table, evaluation::most_frequent_items(table, max_items));
    try {
        RankingSplit split = split_users(frequent, seed);
        return split.validation.targets.empty() ? std::nullopt : std::optional(std::move(split));
    } catch (const InvalidArgument&) {
        return std::nullopt;
    }
}

}  // namespace

TableStackChoice choose_table_stack(const Interactions& table, const FitStack& fit,
                                    const ChooseTableOptions& options) {
    const std::optional<RankingSplit> split = split_for_choice(table, options.seed);
    if (!split) {
        TableStackChoice choice;
        choice.stack = "edlae";
        choice.items = table.item_count();
        return choice;
    }
    return Search(split->train, split->validation, fit, options).run();
}

}  // namespace stackae

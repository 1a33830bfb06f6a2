#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <numeric>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/neighbours.hpp"

#include "base/enum_names.hpp"
#include "base/rows.hpp"
#include "search/local_scale.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<Metric> = base::names_of<Metric>("metric", {{Metric::l2, "l2"},
                                                                            {Metric::cosine, "cosine"}});
template const char* name(Metric);
template Metric parse(std::string_view);

template <>
constexpr auto base::enum_names<Vote> = base::names_of<Vote>("vote", {{Vote::weighted, "weighted"},
                                                                      {Vote::majority, "majority"}});
template const char* name(Vote);
template Vote parse(std::string_view);

namespace {

using base::at;

constexpr double power = 8.0;
constexpr double least_scale = 1e-3;  ///< beside the mean of those that vote

struct Count {
    std::int64_t label = 0;
    double weight = 0.0;
};

/// In the order in which labels come up, nearest first.
void add_vote(std::vector<Count>& counts, std::int64_t label, double weight) {
    const auto same = [label](const Count& count) { return count.label == label; };
    const auto place = std::find_if(counts.begin(), counts.end(), same);
    if (place == counts.end()) {
        counts.push_back({label, weight});
    } else {
        place->weight += weight;
    }
}

/// Neighbours of a query; those that are missing come last.
std::int64_t count_found(const Neighbours& neighbours, std::int64_t query) {
    const auto begin = neighbours.rows.begin() + query * neighbours.k;
    return std::find_if(begin, begin + neighbours.k, [](std::int64_t row) { return row < 0; }) - begin;
}

/// What each of a query's neighbours counts for, beside the one that counts most, in order.
void weigh(const Neighbours& neighbours, std::int64_t query, const std::vector<float>& scales,
           std::vector<double>& weights) {
    const std::int64_t begin = query * neighbours.k;
    const auto count = std::ssize(weights);
    const auto first = scales.begin() + begin;
    const double mean = std::accumulate(first, first + count, 0.0) / static_cast<double>(count);
    double most = -std::numeric_limits<double>::infinity();
    for (std::int64_t j = 0; j < count; ++j) {
        const double scale = mean > 0.0 ? std::max(double{first[j]} / mean, least_scale) : 1.0;
        weights[at(j)] = std::log(scale / search::squared(neighbours, begin + j));
        most = std::max(most, weights[at(j)]);
    }
    for (double& weight : weights) {
        weight = weight == most ? 1.0 : std::exp(power * (weight - most));
    }
}

}  // namespace

std::vector<std::int64_t> vote(const Neighbours& neighbours, const std::vector<std::int64_t>& labels,
                               const std::vector<float>& scales) {
    std::vector<std::int64_t> winners(at(neighbours.queries), -1);
    std::vector<Count> counts;
    std::vector<double> weights;
    const auto known = std::ssize(labels);
    if (!scales.empty() && scales.size() != neighbours.rows.size()) {
        throw InvalidArgument(
            fmt::format("vote: {} scales found for {} neighbours", scales.size(), neighbours.rows.size()));
    }
    for (std::int64_t query = 0; query < neighbours.queries; ++query) {
        const auto rows = neighbours.rows.begin() + query * neighbours.k;
        const std::int64_t found = count_found(neighbours, query);
        const auto unknown =
            std::find_if(rows, rows + found, [known](std::int64_t row) { return row >= known; });
        if (unknown != rows + found) {
            throw InvalidArgument(
                fmt::format("vote: {} labels found, but a neighbour in row {}", known, *unknown));
        }
        weights.assign(at(found), 1.0);
        if (!scales.empty()) {
            weigh(neighbours, query, scales, weights);
        }
        counts.clear();
        for (std::int64_t j = 0; j < found; ++j) {
            add_vote(counts, labels[at(rows[j])], weights[at(j)]);
        }
        // The first of equals: the one whose nearest comes first.
        const auto most = std::max_element(
            counts.begin(), counts.end(), [](const Count& a, const Count& b) { return a.weight < b.weight; });
        if (most != counts.end()) {
            winners[at(query)] = most->label;
        }
    }
    return winners;
}

}  // namespace stackae

#include <algorithm>
#include <fmt/format.h>
#include <string>

#include "stackae/error.hpp"
#include "stackae/neighbours.hpp"

#include "base/enum_names.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<Metric> = base::names_of<Metric>("metric", {{Metric::l2, "l2"},
                                                                            {Metric::cosine, "cosine"}});
template const char* name(Metric);
template Metric parse(std::string_view);

namespace {

struct Count {
    std::int64_t label = 0;
    std::int64_t votes = 0;
};

/// In the order in which labels come up, nearest first.
void add_vote(std::vector<Count>& counts, std::int64_t label) {
    const auto same = [label](const Count& count) { return count.label == label; };
    const auto place = std::find_if(counts.begin(), counts.end(), same);
    if (place == counts.end()) {
        counts.push_back({label, 1});
    } else {
        ++place->votes;
    }
}

}  // namespace

std::vector<std::int64_t> vote(const Neighbours& neighbours, const std::vector<std::int64_t>& labels) {
    std::vector<std::int64_t> winners(static_cast<std::size_t>(neighbours.queries), -1);
    std::vector<Count> counts;
    for (std::size_t query = 0; query < winners.size(); ++query) {
        counts.clear();
        const auto k = static_cast<std::size_t>(neighbours.k);
        for (std::size_t j = query * k; j < (query + 1) * k; ++j) {
            const std::int64_t row = neighbours.rows[j];
            if (row >= static_cast<std::int64_t>(labels.size())) {
                throw InvalidArgument(
                    fmt::format("vote: {} labels found, but a neighbour in row {}", labels.size(), row));
            }
            if (row >= 0) {
                add_vote(counts, labels[static_cast<std::size_t>(row)]);
            }
        }
        // The first of equals: the one whose nearest comes first.
        const auto most = std::max_element(counts.begin(), counts.end(),
                                           [](const Count& a, const Count& b) { return a.votes < b.votes; });
        if (most != counts.end()) {
            winners[query] = most->label;
        }
    }
    return winners;
}

}  // namespace stackae

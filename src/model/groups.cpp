#include "model/groups.hpp"

#include <algorithm>
#include <tuple>

namespace stackae {
namespace {

/// How many rows of each class.
std::map<std::int64_t, double> count_classes(std::span<const std::int64_t> labels,
                                             const std::vector<std::int64_t>& rows) {
    std::map<std::int64_t, double> counts;
    for (const std::int64_t row : rows) {
        counts[labels[static_cast<std::size_t>(row)]] += 1.0;
    }
    return counts;
}

struct Part {
    std::map<std::int64_t, double> counts;
    std::int64_t rows = 0;
};

/// By how much Σ (share of a class)² of a part grows where a group is added.
double growth(const Part& part, const std::map<std::int64_t, double>& group,
              const std::map<std::int64_t, double>& all) {
    double sum = 0.0;
    for (const auto& [label, count] : group) {
        const auto there = part.counts.find(label);
        const double before = there == part.counts.end() ? 0.0 : there->second;
        const double total = all.at(label);
        sum += count * (2.0 * before + count) / (total * total);
    }
    return sum;
}

}  // namespace

std::vector<std::vector<std::int64_t>> rows_by_group(std::span<const std::int64_t> groups) {
    std::map<std::int64_t, std::size_t> places;
    std::vector<std::vector<std::int64_t>> rows;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        const auto [place, is_new] = places.try_emplace(groups[i], rows.size());
        if (is_new) {
            rows.emplace_back();
        }
        rows[place->second].push_back(static_cast<std::int64_t>(i));
    }
    return rows;
}

std::vector<std::int64_t> deal_groups(std::span<const std::int64_t> labels,
                                      std::span<const std::int64_t> groups, std::int64_t parts,
                                      const base::Random& random) {
    std::vector<std::vector<std::int64_t>> by_group = rows_by_group(groups);
    base::shuffle(by_group, random);
    std::map<std::int64_t, double> all;
    for (const std::int64_t label : labels) {
        all[label] += 1.0;
    }
    std::vector<Part> made(static_cast<std::size_t>(parts));
    std::vector<std::int64_t> part_of(groups.size());
    for (const std::vector<std::int64_t>& rows : by_group) {
        const std::map<std::int64_t, double> group = count_classes(labels, rows);
        const auto best = std::min_element(made.begin(), made.end(), [&](const Part& a, const Part& b) {
            return std::tuple(growth(a, group, all), a.rows) < std::tuple(growth(b, group, all), b.rows);
        });
        for (const auto& [label, count] : group) {
            best->counts[label] += count;
        }
        best->rows += std::ssize(rows);
        for (const std::int64_t row : rows) {
            part_of[static_cast<std::size_t>(row)] = best - made.begin();
        }
    }
    return part_of;
}

}  // namespace stackae

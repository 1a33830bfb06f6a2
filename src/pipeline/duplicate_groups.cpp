#include "pipeline/duplicate_groups.hpp"

#include <algorithm>
#include <set>

namespace stackae::pipeline {
namespace {

constexpr double least_shown = 0.8;
constexpr double shows_more = 0.1;  ///< by which one is part of the other

}  // namespace

std::vector<CopyGroup> group_copies(const CopyLinks& links,
                                    const std::function<bool(std::int64_t, std::int64_t)>& better) {
    std::vector<std::int64_t> order;
    for (const auto& [row, copies] : links) {
        order.push_back(row);
    }
    std::sort(order.begin(), order.end(), better);
    std::set<std::int64_t> left(order.begin(), order.end());
    std::vector<CopyGroup> groups;
    for (const std::int64_t row : order) {
        while (left.contains(row)) {
            // One of which this is a part goes first, and one of which that is a part before it.
            std::int64_t kept = row;
            std::set<std::int64_t> passed{kept};
            for (bool more = true; more;) {
                more = false;
                std::int64_t whole = kept;
                for (const auto& [other, to_other] : links.at(kept)) {
                    const bool is_part = links.at(other).at(kept).shown > to_other.shown + shows_more;
                    if (is_part && left.contains(other) && !passed.contains(other) &&
                        (whole == kept || better(other, whole))) {
                        whole = other;
                    }
                }
                if (whole != kept) {
                    kept = whole;
                    passed.insert(kept);
                    more = true;
                }
            }
            CopyGroup group{kept, {}};
            left.erase(kept);
            for (const auto& [other, to_other] : links.at(kept)) {
                if (left.contains(other) && to_other.shown >= least_shown) {
                    group.copies.push_back(other);
                    left.erase(other);
                }
            }
            groups.push_back(std::move(group));
        }
    }
    return groups;
}

std::vector<CopyGroup> group_by_reference(const CopyLinks& links,
                                          const std::function<bool(std::int64_t)>& is_reference) {
    std::map<std::int64_t, CopyGroup> groups;
    for (const auto& [row, copies] : links) {
        if (is_reference(row)) {
            groups[row].kept = row;
            continue;
        }
        const std::pair<const std::int64_t, CopyLink>* nearest = nullptr;
        for (const auto& link : copies) {
            if (is_reference(link.first) && links.at(link.first).at(row).shown >= least_shown &&
                (nearest == nullptr || link.second.distance < nearest->second.distance)) {
                nearest = &link;
            }
        }
        if (nearest != nullptr) {
            CopyGroup& group = groups[nearest->first];
            group.kept = nearest->first;
            group.copies.push_back(row);
        }
    }
    std::vector<CopyGroup> all;
    for (auto& [row, group] : groups) {
        all.push_back(std::move(group));
    }
    return all;
}

}  // namespace stackae::pipeline

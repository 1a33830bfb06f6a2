#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "base/rows.hpp"

namespace stackae::pipeline {

/// Numbers from 0 on that are joined to sets (union-find: Galler & Fischer 1964).
class DisjointSets {
public:
    explicit DisjointSets(std::int64_t size = 0) : parents_(base::at(size)) {
        std::iota(parents_.begin(), parents_.end(), std::int64_t{0});
    }

    void join(std::int64_t a, std::int64_t b) {
        const auto [low, high] = std::minmax({root(a), root(b)});
        parents_[base::at(high)] = low;
    }
    /// Sets of two and more, by their lowest numbers, each in rising order.
    [[nodiscard]] std::vector<std::vector<std::int64_t>> sets() {
        std::map<std::int64_t, std::vector<std::int64_t>> by_root;
        for (std::int64_t i = 0; i < std::ssize(parents_); ++i) {
            by_root[root(i)].push_back(i);
        }
        std::vector<std::vector<std::int64_t>> all;
        for (auto& [root, set] : by_root) {
            if (set.size() > 1) {
                all.push_back(std::move(set));
            }
        }
        return all;
    }

private:
    std::int64_t root(std::int64_t i) {
        while (parents_[base::at(i)] != i) {
            i = parents_[base::at(i)] = parents_[base::at(parents_[base::at(i)])];
        }
        return i;
    }

    std::vector<std::int64_t> parents_;
};

}  // namespace stackae::pipeline

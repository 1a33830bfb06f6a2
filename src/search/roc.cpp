#include "search/roc.hpp"

#include <algorithm>
#include <vector>

namespace stackae::search {

double auroc(std::span<const double> good, std::span<const double> odd) {
    if (good.empty() || odd.empty()) {
        return 0.5;
    }
    std::vector<double> sorted(good.begin(), good.end());
    std::sort(sorted.begin(), sorted.end());
    double wins = 0.0;
    for (const double score : odd) {
        const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), score);
        wins += 0.5 * static_cast<double>((low - sorted.begin()) + (high - sorted.begin()));
    }
    return wins / (static_cast<double>(good.size()) * static_cast<double>(odd.size()));
}

}  // namespace stackae::search

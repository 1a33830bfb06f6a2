#include "search/match_threshold.hpp"

#include <algorithm>
#include <cmath>

namespace stackae::search {
namespace {

constexpr std::size_t fewest = 20;
constexpr double most_similar = 1.0 - 1e-6;
constexpr double least_scale = 0.01;  ///< where nearly all come out alike

double quantile(std::vector<double>& values, double share) {
    const auto at =
        values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), at, values.end());
    return *at;
}

}  // namespace

std::optional<FalseMatches> FalseMatches::fit(std::vector<double> best, std::int64_t others) {
    if (best.size() < fewest || others < 1) {
        return std::nullopt;
    }
    for (double& value : best) {
        value = std::atanh(std::clamp(value, 0.0, most_similar));
    }
    // Gumbel: quantile(q) = location - scale · ln(-ln q).
    const double middle = quantile(best, 0.5);
    const double lower = quantile(best, 0.25);
    const double at_middle = -std::log(std::log(2.0));
    const double at_lower = -std::log(std::log(4.0));
    FalseMatches matches;
    matches.scale_ = std::max(least_scale, (middle - lower) / (at_middle - at_lower));
    matches.location_ = middle - matches.scale_ * at_middle;
    matches.others_ = static_cast<double>(others);
    return matches;
}

double FalseMatches::similarity_at(double share) const {
    // Far out, the share of pictures with any pair above z is exp(-(z - location) / scale).
    return std::tanh(location_ - scale_ * std::log(share * others_));
}

double FalseMatches::share_from(double similarity) const {
    const double z = std::atanh(std::clamp(similarity, -most_similar, most_similar));
    return std::clamp(std::exp(-(z - location_) / scale_) / others_, 1e-12, 1.0);
}

}  // namespace stackae::search

#include "search/anomaly_rule.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <numeric>

#include "stackae/error.hpp"

#include "base/enum_names.hpp"
#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "base/threads.hpp"
#include "search/anomaly_distances.hpp"
#include "search/roc.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<AnomalyMethod> =
    base::names_of<AnomalyMethod>("method", {{AnomalyMethod::memory, "memory"},
                                             {AnomalyMethod::gaussian, "gaussian"},
                                             {AnomalyMethod::position_gaussian, "position_gaussian"},
                                             {AnomalyMethod::reconstruction, "reconstruction"}});
template const char* name(AnomalyMethod);
template AnomalyMethod parse(std::string_view);

std::string to_text(const AnomalyRule& rule) {
    std::string text;
    for (const AnomalyMethod method : rule.methods) {
        text += fmt::format("{}{}", text.empty() ? "" : " + ", name(method));
    }
    return fmt::format("{}{}, {}", text, rule.by_position ? ", position by position" : "",
                       rule.share <= 0.0   ? std::string("the oddest position")
                       : rule.share >= 1.0 ? std::string("the mean of all positions")
                                           : fmt::format("the mean of the oddest {:g} % of the positions",
                                                         100.0 * rule.share));
}

namespace search {
namespace {

using base::at;

constexpr std::array<double, 6> shares{0.0, 0.003, 0.01, 0.05, 0.2, 1.0};
/// What is known of a position counts what is known of all as so many pictures.
constexpr double pictures_of_prior = 10.0;

/// Means and deviations of one method's distances at every position.
struct Moments {
    std::vector<double> means;
    std::vector<double> deviations;
};

Moments moments(const Tensor& good, std::int64_t method, std::int64_t positions, const Tensor& region,
                bool by_position) {
    std::vector<double> sums(at(positions));
    std::vector<double> squares(at(positions));
    for (std::int64_t i = 0; i < good.rows(); ++i) {
        const float* row = good.row(i).data() + method * positions;
        for (std::int64_t p = 0; p < positions; ++p) {
            sums[at(p)] += double{row[p]};
            squares[at(p)] += double{row[p]} * double{row[p]};
        }
    }
    double count = 0.0;
    double sum = 0.0;
    double square = 0.0;
    const auto n = static_cast<double>(good.rows());
    for (std::int64_t p = 0; p < positions; ++p) {
        if (region.data()[p] > 0.0F) {
            count += n;
            sum += sums[at(p)];
            square += squares[at(p)];
        }
    }
    const double mean = sum / count;
    const double variance = std::max(square / count - mean * mean, 1e-12 * std::max(1.0, mean * mean));
    Moments out{std::vector<double>(at(positions), mean),
                std::vector<double>(at(positions), std::sqrt(variance))};
    if (by_position) {
        for (std::size_t p = 0; p < sums.size(); ++p) {
            const double all = n + pictures_of_prior;
            const double here = (sums[p] + pictures_of_prior * mean) / all;
            const double spread =
                (squares[p] - 2.0 * here * sums[p] + n * here * here + pictures_of_prior * variance) / all;
            out.means[p] = here;
            out.deviations[p] = std::sqrt(std::max(spread, 1e-2 * variance));
        }
    }
    return out;
}

/// Scores of pictures by a rule whose means and deviations the memory has.
std::vector<double> scores(const Tensor& distances, const PatchMemory& memory, int threads) {
    std::vector<double> out(at(distances.rows()));
    base::parallel_for(distances.rows(), threads, [&] {
        return [&](std::int64_t i) {
            out[at(i)] = anomaly_score(anomaly_map(distances.row(i), memory), memory);
        };
    });
    return out;
}

std::map<std::string, std::vector<double>> by_kind(const std::vector<double>& scores,
                                                   const std::vector<std::string>& kinds) {
    std::map<std::string, std::vector<double>> parts;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        parts[kinds[i]].push_back(scores[i]);
    }
    return parts;
}

std::vector<std::vector<AnomalyMethod>> subsets(const std::vector<AnomalyMethod>& of) {
    std::vector<std::vector<AnomalyMethod>> all;
    for (unsigned bits = 1; bits < 1U << of.size(); ++bits) {
        std::vector<AnomalyMethod> some;
        for (std::size_t i = 0; i < of.size(); ++i) {
            if ((bits >> i & 1U) != 0) {
                some.push_back(of[i]);
            }
        }
        all.push_back(std::move(some));
    }
    return all;
}

}  // namespace

void fit_distances(const Tensor& good, bool by_position, PatchMemory& memory) {
    const std::int64_t positions = memory.positions();
    memory.distance_means = Tensor({static_cast<std::int64_t>(anomaly_methods), positions});
    memory.distance_deviations = Tensor({static_cast<std::int64_t>(anomaly_methods), positions});
    for (std::int64_t m = 0; m < static_cast<std::int64_t>(anomaly_methods); ++m) {
        const Moments fitted = moments(good, m, positions, memory.region, by_position);
        const auto to_float = [](double value) { return static_cast<float>(value); };
        std::transform(fitted.means.begin(), fitted.means.end(), memory.distance_means.row(m).begin(),
                       to_float);
        std::transform(fitted.deviations.begin(), fitted.deviations.end(),
                       memory.distance_deviations.row(m).begin(), to_float);
    }
}

Tensor anomaly_map(std::span<const float> distances, const PatchMemory& memory) {
    const std::int64_t positions = memory.positions();
    Tensor map({memory.height, memory.width});
    for (const AnomalyMethod method : memory.rule.methods) {
        const auto m = static_cast<std::int64_t>(method);
        const float* means = memory.distance_means.row(m).data();
        const float* deviations = memory.distance_deviations.row(m).data();
        const float* row = distances.data() + m * positions;
        for (std::int64_t p = 0; p < positions; ++p) {
            map.data()[p] += (row[p] - means[p]) / deviations[p];
        }
    }
    return map;
}

double anomaly_score(const Tensor& map, const PatchMemory& memory) {
    std::vector<float> values;
    values.reserve(at(map.size()));
    for (std::int64_t p = 0; p < map.size(); ++p) {
        if (memory.region.data()[p] > 0.0F) {
            values.push_back(map.data()[p]);
        }
    }
    return mean_of_largest(values, memory.rule.share);
}

void choose_rule(const Tensor& good, const PlantedDistances& planted,
                 const std::vector<AnomalyMethod>& allowed, int threads, PatchMemory& memory) {
    const int team = base::resolve_threads(threads);
    double best = -1.0;
    AnomalyRule chosen;
    const std::vector<std::vector<AnomalyMethod>> all = subsets(allowed);
    for (const bool by_position : {false, true}) {
        fit_distances(good, by_position, memory);
        for (const std::vector<AnomalyMethod>& methods : all) {
            for (const double share : shares) {
                memory.rule = {methods, by_position, share};
                const std::vector<double> good_scores = scores(good, memory, team);
                double sum = 0.0;
                const auto parts = by_kind(scores(planted.distances, memory, team), planted.kinds);
                for (const auto& [kind, odd] : parts) {
                    sum += auroc(good_scores, odd);
                }
                const double mean = sum / static_cast<double>(parts.size());
                if (mean > best) {
                    best = mean;
                    chosen = memory.rule;
                }
            }
        }
    }
    memory.rule = chosen;
    fit_distances(good, chosen.by_position, memory);
    memory.good_scores = scores(good, memory, team);
    memory.planted.clear();
    for (const auto& [kind, odd] : by_kind(scores(planted.distances, memory, team), planted.kinds)) {
        memory.planted.push_back({kind, std::ssize(odd), auroc(memory.good_scores, odd)});
    }
    std::sort(memory.good_scores.begin(), memory.good_scores.end());
}

}  // namespace search
}  // namespace stackae

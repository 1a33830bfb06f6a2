#include "search/anomaly_rule.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

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
    return fmt::format("{}{}, {}{}", text, rule.by_position ? ", position by position" : "",
                       rule.share <= 0.0   ? std::string("the oddest position")
                       : rule.share >= 1.0 ? std::string("the mean of all positions")
                                           : fmt::format("the mean of the oddest {:g} % of the positions",
                                                         100.0 * rule.share),
                       rule.tile > 0 ? fmt::format(" of a tile of {0} x {0} positions", rule.tile) : "");
}

namespace search {
namespace {

using base::at;

constexpr std::array<double, 6> shares{0.0, 0.003, 0.01, 0.05, 0.2, 1.0};
/// Of the oddest good pictures, with their paths.
constexpr std::size_t told_good_pictures = 3;
/// What is known of a position counts what is known of all as so many pictures.
constexpr double pictures_of_prior = 10.0;

/// Means and deviations of one method's distances at every position.
struct Moments {
    std::vector<double> means;
    std::vector<double> deviations;
};

Moments moments(const std::vector<const Tensor*>& parts, std::int64_t method, std::int64_t positions,
                const Tensor& region, bool by_position) {
    std::vector<double> sums(at(positions));
    std::vector<double> squares(at(positions));
    double n = 0.0;
    for (const Tensor* const good : parts) {
        n += static_cast<double>(good->rows());
        for (std::int64_t i = 0; i < good->rows(); ++i) {
            const float* row = good->row(i).data() + method * positions;
            for (std::int64_t p = 0; p < positions; ++p) {
                sums[at(p)] += double{row[p]};
                squares[at(p)] += double{row[p]} * double{row[p]};
            }
        }
    }
    double count = 0.0;
    double sum = 0.0;
    double square = 0.0;
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

/// Where along a side the tiles begin that cover it, spread evenly.
struct TileStarts {
    TileStarts(std::int64_t positions, std::int64_t tile)
        : whole(positions),
          side(tile > 0 ? std::min(tile, positions) : positions),
          count((positions + side - 1) / side) {}
    [[nodiscard]] std::int64_t start(std::int64_t i) const {
        return count > 1 ? i * (whole - side) / (count - 1) : 0;
    }
    std::int64_t whole;
    std::int64_t side;
    std::int64_t count;
};

/// tiles: scored_tiles().
double anomaly_score(const Tensor& map, const PatchMemory& memory, const std::vector<ScoredTile>& tiles) {
    double oddest = -std::numeric_limits<double>::infinity();
    std::vector<float> values;
    for (const ScoredTile& tile : tiles) {
        values.clear();
        for (std::int64_t y = tile.top; y < tile.top + tile.height; ++y) {
            for (std::int64_t x = tile.left; x < tile.left + tile.width; ++x) {
                const std::int64_t p = y * memory.width + x;
                if (memory.region.data()[p] > 0.0F) {
                    values.push_back(map.data()[p]);
                }
            }
        }
        oddest = std::max(oddest, mean_of_largest(values, memory.rule.share));
    }
    return oddest;
}

/// Scores of pictures by a rule whose means and deviations the memory has.
std::vector<double> scores(const Tensor& distances, const PatchMemory& memory, int threads) {
    std::vector<double> out(at(distances.rows()));
    const std::vector<ScoredTile> tiles = scored_tiles(memory);
    base::parallel_for(distances.rows(), threads, [&] {
        return [&](std::int64_t i) {
            out[at(i)] = anomaly_score(anomaly_map(distances.row(i), memory), memory, tiles);
        };
    });
    return out;
}

/// Means and deviations of distances without one part, and of all.
class PartMoments {
public:
    PartMoments(const LeftOut& left_out, bool by_position, const PatchMemory& memory) {
        for (std::size_t without = 0; without <= left_out.good.size(); ++without) {
            std::vector<const Tensor*> others;
            for (std::size_t part = 0; part < left_out.good.size(); ++part) {
                if (part != without) {
                    others.push_back(&left_out.good[part]);
                }
            }
            PatchMemory fitted;
            fitted.height = memory.height;
            fitted.width = memory.width;
            fitted.region = memory.region;
            fit_distances(others, by_position, fitted);
            means_.push_back(std::move(fitted.distance_means));
            deviations_.push_back(std::move(fitted.distance_deviations));
        }
    }
    /// The last one is that of all.
    void set(std::size_t without, PatchMemory& memory) const {
        memory.distance_means = means_[without];
        memory.distance_deviations = deviations_[without];
    }

private:
    std::vector<Tensor> means_;
    std::vector<Tensor> deviations_;
};

/// Scores of left-out pictures by the memory's rule, good ones and, by their kinds, planted ones.
struct LeftOutScores {
    std::vector<double> good;
    std::map<std::string, std::vector<double>> planted;

    [[nodiscard]] double mean_auroc() const {
        double sum = 0.0;
        for (const auto& [kind, odd] : planted) {
            sum += auroc(good, odd);
        }
        return sum / static_cast<double>(planted.size());
    }
};

LeftOutScores score(const LeftOut& left_out, const PartMoments& moments, int threads, PatchMemory& memory) {
    LeftOutScores out;
    for (std::size_t part = 0; part < left_out.good.size(); ++part) {
        moments.set(part, memory);
        const std::vector<double> good = scores(left_out.good[part], memory, threads);
        out.good.insert(out.good.end(), good.begin(), good.end());
        const std::vector<double> planted = scores(left_out.planted[part], memory, threads);
        for (std::size_t i = 0; i < planted.size(); ++i) {
            out.planted[left_out.kinds[part][i]].push_back(planted[i]);
        }
    }
    return out;
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

void fit_distances(const std::vector<const Tensor*>& good, bool by_position, PatchMemory& memory) {
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
            map.data()[p] += memory.region.data()[p] * (row[p] - means[p]) / deviations[p];
        }
    }
    return map;
}

std::vector<ScoredTile> scored_tiles(const PatchMemory& memory) {
    constexpr std::int64_t least_part = 4;
    const TileStarts down(memory.height, memory.rule.tile);
    const TileStarts across(memory.width, memory.rule.tile);
    std::vector<ScoredTile> tiles;
    std::int64_t fullest = 0;
    for (std::int64_t i = 0; i < down.count * across.count; ++i) {
        ScoredTile tile{down.start(i / across.count), across.start(i % across.count), down.side, across.side};
        for (std::int64_t y = tile.top; y < tile.top + tile.height; ++y) {
            const auto row = memory.region.values().subspan(at(y * memory.width + tile.left), at(tile.width));
            tile.positions +=
                std::count_if(row.begin(), row.end(), [](float counts) { return counts > 0.0F; });
        }
        fullest = std::max(fullest, tile.positions);
        tiles.push_back(tile);
    }
    std::erase_if(tiles, [&](const ScoredTile& tile) {
        return tile.positions == 0 || least_part * tile.positions < fullest;
    });
    return tiles;
}

double anomaly_score(const Tensor& map, const PatchMemory& memory) {
    return anomaly_score(map, memory, scored_tiles(memory));
}

void choose_rule(const LeftOut& left_out, const std::vector<AnomalyMethod>& allowed, int threads,
                 PatchMemory& memory) {
    const int team = base::resolve_threads(threads);
    const std::array<PartMoments, 2> moments{PartMoments(left_out, false, memory),
                                             PartMoments(left_out, true, memory)};
    const std::int64_t tile = memory.rule.tile;
    double best = -1.0;
    AnomalyRule chosen;
    for (const bool by_position : {false, true}) {
        for (const std::vector<AnomalyMethod>& methods : subsets(allowed)) {
            for (const double share : shares) {
                memory.rule = {methods, by_position, share, tile};
                const double mean = score(left_out, moments[by_position ? 1 : 0], team, memory).mean_auroc();
                if (mean > best) {
                    best = mean;
                    chosen = memory.rule;
                }
            }
        }
    }
    memory.rule = chosen;
    const PartMoments& settled = moments[chosen.by_position ? 1 : 0];
    LeftOutScores scored = score(left_out, settled, team, memory);
    settled.set(left_out.good.size(), memory);
    memory.planted.clear();
    for (const auto& [kind, odd] : scored.planted) {
        memory.planted.push_back({kind, std::ssize(odd), auroc(scored.good, odd)});
    }
    std::vector<GoodPicture> good;
    for (const std::vector<std::string>& part : left_out.paths) {
        for (const std::string& path : part) {
            good.push_back({path, scored.good[good.size()]});
        }
    }
    const auto told = std::min(good.size(), told_good_pictures);
    std::partial_sort(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(told), good.end(),
                      [](const GoodPicture& a, const GoodPicture& b) { return a.score > b.score; });
    good.resize(told);
    memory.oddest_good = std::move(good);
    memory.good_scores = std::move(scored.good);
    std::sort(memory.good_scores.begin(), memory.good_scores.end());
}

}  // namespace search
}  // namespace stackae

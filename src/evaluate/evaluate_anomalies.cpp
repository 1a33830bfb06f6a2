#include "stackae/evaluate_anomalies.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <numeric>
#include <utility>

#include "stackae/error.hpp"

#include "base/rows.hpp"
#include "search/roc.hpp"

namespace stackae {
namespace {

namespace fs = std::filesystem;
using base::at;

constexpr std::int64_t pictures_at_once = 8;
constexpr std::size_t roc_points = 101;
/// Share of false pixels up to which the per-region overlap is averaged, and in how many steps.
constexpr double pro_limit = 0.3;
constexpr std::size_t pro_steps = 300;
/// Into which pixels' scores are counted.
constexpr std::size_t bins = 1U << 16U;
constexpr float in_mask = 0.5F;

struct ScoredPictures {
    std::vector<std::int64_t> indices;
    std::vector<AnomalyScore> scores;
    std::vector<SkippedPicture> skipped;

    [[nodiscard]] std::vector<double> values(double AnomalyScore::*what) const {
        std::vector<double> out;
        std::transform(scores.begin(), scores.end(), std::back_inserter(out),
                       [what](const AnomalyScore& score) { return score.*what; });
        return out;
    }
};

ScoredPictures score_all(AnomalyScorer& scorer, const PatchMemory& memory, const ImageDataset& pictures,
                         int threads) {
    ScoredPictures all;
    PictureReader reader(pictures, memory.preprocessing,
                         {.batch_size = pictures_at_once, .threads = threads});
    for (PictureBatch batch; reader.next(batch);) {
        all.skipped.insert(all.skipped.end(), batch.skipped.begin(), batch.skipped.end());
        if (batch.pictures.rows() == 0) {
            continue;
        }
        std::vector<AnomalyScore> found = scorer.score(batch.pictures);
        std::move(found.begin(), found.end(), std::back_inserter(all.scores));
        all.indices.insert(all.indices.end(), batch.indices.begin(), batch.indices.end());
    }
    if (all.scores.empty()) {
        throw InvalidArgument(fmt::format("{}: not one picture can be read", pictures.path()));
    }
    return all;
}

/// The mask of a picture in a folder of such; empty: there is none.
std::string mask_of(const ImageDataset& pictures, std::int64_t i, const std::string& masks) {
    const fs::path file = pictures.file(i);
    const fs::path relative =
        fs::is_directory(pictures.path()) ? fs::relative(file, pictures.path()) : file.filename();
    const fs::path stem = fs::path(masks) / relative.parent_path() / relative.stem();
    for (const char* ending : {"", "_mask"}) {
        for (const fs::path& suffix :
             {relative.extension(), fs::path(".png"), fs::path(".bmp"), fs::path(".tif"), fs::path(".jpg")}) {
            const std::string path = stem.string() + ending + suffix.string();
            if (fs::exists(path)) {
                return path;
            }
        }
    }
    return {};
}

std::vector<float> read_mask(const std::string& path, const PatchMemory& memory,
                             const PictureLimits& limits) {
    Preprocessing gray;
    gray.height = memory.preprocessing.height;
    gray.width = memory.preprocessing.width;
    gray.resize = memory.preprocessing.resize;
    const ImageDataset file = ImageDataset::open(path, limits);
    PictureReader reader(file, gray, {});
    PictureBatch batch;
    if (!reader.next(batch) || batch.pictures.rows() != 1) {
        throw InvalidArgument(
            fmt::format("{}: a mask that cannot be read: {}", path,
                        batch.skipped.empty() ? "no picture" : batch.skipped.front().reason));
    }
    return {batch.pictures.values().begin(), batch.pictures.values().end()};
}

/// Pixels of each connected region (of eight neighbours) of a mask.
std::vector<std::vector<std::int64_t>> regions(const std::vector<float>& mask, std::int64_t height,
                                               std::int64_t width) {
    std::vector<std::vector<std::int64_t>> found;
    std::vector<char> seen(mask.size());
    for (std::int64_t first = 0; first < height * width; ++first) {
        if (seen[at(first)] != 0 || mask[at(first)] < in_mask) {
            continue;
        }
        std::vector<std::int64_t> region{first};
        seen[at(first)] = 1;
        for (std::size_t next = 0; next < region.size(); ++next) {
            const std::int64_t y = region[next] / width;
            const std::int64_t x = region[next] % width;
            for (std::int64_t v = std::max<std::int64_t>(0, y - 1); v <= std::min(height - 1, y + 1); ++v) {
                for (std::int64_t u = std::max<std::int64_t>(0, x - 1); u <= std::min(width - 1, x + 1);
                     ++u) {
                    const std::int64_t p = v * width + u;
                    if (seen[at(p)] == 0 && mask[at(p)] >= in_mask) {
                        seen[at(p)] = 1;
                        region.push_back(p);
                    }
                }
            }
        }
        found.push_back(std::move(region));
    }
    return found;
}

/// Pixels' scores, counted in bins between the least and the largest.
class PixelScores {
public:
    PixelScores(float low, float high)
        : low_(low),
          scale_(static_cast<float>(bins - 1) / std::max(high - low, 1e-30F)),
          good_(bins),
          odd_(bins) {}

    [[nodiscard]] std::size_t bin(float score) const {
        return static_cast<std::size_t>(
            std::clamp((score - low_) * scale_, 0.0F, static_cast<float>(bins - 1)));
    }
    void add(float score, bool odd) { (odd ? odd_ : good_)[bin(score)] += 1.0; }

    [[nodiscard]] double auroc() const {
        double below = 0.0;
        double wins = 0.0;
        for (std::size_t b = 0; b < bins; ++b) {
            wins += odd_[b] * (below + 0.5 * good_[b]);
            below += good_[b];
        }
        return wins / (below * std::accumulate(odd_.begin(), odd_.end(), 0.0));
    }
    /// Share of good pixels from each bin on.
    [[nodiscard]] std::vector<double> false_share() const {
        std::vector<double> share(good_);
        for (std::size_t b = bins - 1; b-- > 0;) {
            share[b] += share[b + 1];
        }
        const double all = share.front();
        for (double& value : share) {
            value /= all;
        }
        return share;
    }

private:
    float low_;
    float scale_;
    std::vector<double> good_;
    std::vector<double> odd_;
};

/// The mean overlap with regions, averaged over thresholds by the share of false pixels.
double per_region_overlap(const PixelScores& pixels,
                          const std::vector<std::vector<std::size_t>>& region_bins) {
    const std::vector<double> share = pixels.false_share();
    double sum = 0.0;
    std::size_t bin = bins - 1;
    for (std::size_t step = 1; step <= pro_steps; ++step) {
        const double allowed = pro_limit * static_cast<double>(step) / static_cast<double>(pro_steps);
        while (bin > 0 && share[bin - 1] <= allowed) {
            --bin;
        }
        double overlap = 0.0;
        for (const std::vector<std::size_t>& region : region_bins) {
            const auto above = region.end() - std::lower_bound(region.begin(), region.end(), bin);
            overlap += static_cast<double>(above) / static_cast<double>(region.size());
        }
        sum += overlap / static_cast<double>(region_bins.size());
    }
    return sum / static_cast<double>(pro_steps);
}

void evaluate_pixels(const PatchMemory& memory, const ImageDataset& odd_pictures, const ScoredPictures& good,
                     const ScoredPictures& odd, const AnomalyEvaluationOptions& options,
                     AnomalyEvaluation& evaluation) {
    const std::int64_t height = memory.preprocessing.height;
    const std::int64_t width = memory.preprocessing.width;
    float low = good.scores.front().map.data()[0];
    float high = low;
    for (const ScoredPictures* part : {&good, &odd}) {
        for (const AnomalyScore& score : part->scores) {
            const auto [least, largest] =
                std::minmax_element(score.map.values().begin(), score.map.values().end());
            low = std::min(low, *least);
            high = std::max(high, *largest);
        }
    }
    PixelScores pixels(low, high);
    std::vector<std::vector<std::size_t>> region_bins;
    for (std::size_t i = 0; i < odd.scores.size(); ++i) {
        const std::string path = mask_of(odd_pictures, odd.indices[i], options.masks);
        if (path.empty()) {
            continue;
        }
        ++evaluation.masks;
        const std::vector<float> mask = read_mask(path, memory, options.limits);
        const Tensor map = enlarge_map(odd.scores[i].map, height, width);
        for (std::size_t p = 0; p < mask.size(); ++p) {
            pixels.add(map.data()[p], mask[p] >= in_mask);
        }
        for (const std::vector<std::int64_t>& region : regions(mask, height, width)) {
            std::vector<std::size_t> of_region;
            std::transform(region.begin(), region.end(), std::back_inserter(of_region),
                           [&](std::int64_t p) { return pixels.bin(map.data()[p]); });
            std::sort(of_region.begin(), of_region.end());
            region_bins.push_back(std::move(of_region));
        }
    }
    if (region_bins.empty()) {
        throw InvalidArgument(
            fmt::format("{}: no mask with a bright pixel of an odd picture of {} found, a picture of the "
                        "same name that is bright "
                        "where it is odd expected",
                        options.masks, odd_pictures.path()));
    }
    for (const AnomalyScore& score : good.scores) {
        const Tensor map = enlarge_map(score.map, height, width);
        for (const float value : map.values()) {
            pixels.add(value, false);
        }
    }
    evaluation.pixel_auroc = pixels.auroc();
    evaluation.pro = per_region_overlap(pixels, region_bins);
}

std::vector<RocPoint> roc_of(std::vector<double> good, std::vector<double> odd) {
    std::sort(good.begin(), good.end());
    std::sort(odd.begin(), odd.end());
    const auto above = [](const std::vector<double>& scores, double threshold) {
        return static_cast<double>(scores.end() - std::upper_bound(scores.begin(), scores.end(), threshold)) /
               static_cast<double>(scores.size());
    };
    std::vector<RocPoint> points;
    for (std::size_t i = 0; i < roc_points; ++i) {
        const std::size_t rank = (good.size() - 1) * (roc_points - 1 - i) / (roc_points - 1);
        const double threshold = good[rank];
        if (points.empty() || threshold < points.back().threshold) {
            points.push_back({threshold, above(good, threshold), above(odd, threshold)});
        }
    }
    return points;
}

}  // namespace

AnomalyEvaluation evaluate_anomalies(const PatchMemory& memory, const ImageDataset& good,
                                     const ImageDataset& odd, const AnomalyEvaluationOptions& options) {
    AnomalyScorer scorer(memory, options.threads);
    ScoredPictures of_good = score_all(scorer, memory, good, options.threads);
    ScoredPictures of_odd = score_all(scorer, memory, odd, options.threads);
    AnomalyEvaluation evaluation;
    evaluation.good = std::ssize(of_good.scores);
    evaluation.odd = std::ssize(of_odd.scores);
    const std::vector<double> good_scores = of_good.values(&AnomalyScore::score);
    const std::vector<double> odd_scores = of_odd.values(&AnomalyScore::score);
    evaluation.auroc = search::auroc(good_scores, odd_scores);
    evaluation.reconstruction_auroc = search::auroc(of_good.values(&AnomalyScore::reconstruction),
                                                    of_odd.values(&AnomalyScore::reconstruction));
    std::map<std::string, std::vector<double>> by_label;
    for (std::size_t i = 0; i < odd_scores.size(); ++i) {
        if (const std::optional<std::string> label = odd.entry(of_odd.indices[i]).label) {
            by_label[*label].push_back(odd_scores[i]);
        }
    }
    for (const auto& [label, scores] : by_label) {
        evaluation.kinds.push_back({label, std::ssize(scores), search::auroc(good_scores, scores)});
    }
    evaluation.roc = roc_of(good_scores, odd_scores);
    if (!options.masks.empty()) {
        evaluate_pixels(memory, odd, of_good, of_odd, options, evaluation);
    }
    evaluation.skipped_good = std::move(of_good.skipped);
    evaluation.skipped_odd = std::move(of_odd.skipped);
    return evaluation;
}

JsonObject to_json(const AnomalyEvaluation& evaluation) {
    JsonObject object;
    object.set("good", evaluation.good)
        .set("odd", evaluation.odd)
        .set("auroc", evaluation.auroc)
        .set("reconstruction_auroc", evaluation.reconstruction_auroc)
        .set("masks", evaluation.masks);
    evaluation.pixel_auroc ? object.set("pixel_auroc", *evaluation.pixel_auroc)
                           : object.set("pixel_auroc", nullptr);
    evaluation.pro ? object.set("pro", *evaluation.pro) : object.set("pro", nullptr);
    std::vector<JsonObject> kinds;
    for (const AnomalyEvaluation::Kind& kind : evaluation.kinds) {
        kinds.push_back(
            JsonObject().set("label", kind.label).set("pictures", kind.pictures).set("auroc", kind.auroc));
    }
    std::vector<JsonObject> roc;
    for (const RocPoint& point : evaluation.roc) {
        roc.push_back(JsonObject()
                          .set("threshold", point.threshold)
                          .set("false_alarms", point.false_alarms)
                          .set("found", point.found));
    }
    return object.set("kinds", kinds).set("roc", roc);
}

}  // namespace stackae

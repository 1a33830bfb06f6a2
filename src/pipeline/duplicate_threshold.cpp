#include "pipeline/duplicate_threshold.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <utility>

#include "stackae/enum_names.hpp"
#include "stackae/error.hpp"
#include "stackae/image_dataset.hpp"
#include "stackae/resources.hpp"

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "base/rows.hpp"
#include "data/image/altered_copy.hpp"
#include "search/match_threshold.hpp"

namespace stackae::pipeline {
namespace {

using base::at;
using search::PictureMatch;
using search::Thumbnails;

constexpr std::int64_t max_compared = 10'000;  ///< pictures that planted copies are compared with
constexpr int planted_side = 256;
constexpr double usual_similarity = 0.8;  ///< where there are too few pictures to calibrate
constexpr double least_similarity = 0.7;  ///< less is more alike than different at best
constexpr double most_cosine = 0.75;      ///< between descriptors, that is asked of candidates
constexpr std::int64_t few_copies =
    200;  ///< that are found: with fewer, what they have in common tells little
constexpr double gap_below_copies = 0.25;
constexpr double few_similarities = 100.0;  ///< tell nothing
constexpr std::int64_t others_laid = 12;    ///< of each copy that is planted, as it is and by other views
constexpr double may_miss = 0.005;  ///< share of planted copies that a stricter threshold may miss more

/// Whether pictures are either copies or different, and hardly any in between, as photographs are: then
/// copies that are there already can be told before there is a threshold. Digits, or scans of one form, are
/// alike by all degrees.
bool copies_stand_apart(const std::vector<std::vector<double>>& found) {
    double low = 0.0;
    double between = 0.0;
    double high = 0.0;
    for (const std::vector<double>& similarities : found) {
        for (const double value : similarities) {
            (value < 0.4 ? low : value >= 0.75 ? high : between) += value < 0.4 || value >= 0.5 ? 1.0 : 0.0;
        }
    }
    return between <= 0.15 * std::min(low, high) && std::min(low, high) >= few_similarities;
}

/// The largest similarity with a different picture. found: with pictures other than the original, of which
/// some may be copies of it too: where copies stand apart, there is a gap below them.
double largest_of_different(std::vector<double> found, bool stand_apart) {
    std::sort(found.begin(), found.end(), std::greater<>());
    double largest = found.empty() ? -1.0 : found.front();
    double widest = gap_below_copies;
    for (std::size_t i = 0; stand_apart && i + 1 < found.size() && found[i] >= least_similarity; ++i) {
        if (const double gap = found[i] - found[i + 1]; gap > widest) {
            widest = gap;
            largest = found[i + 1];
        }
    }
    return largest;
}

/// Similarities of planted copies, of one kind of matches, and the threshold that comes of them.
struct Similarities {
    explicit Similarities(std::size_t copies) : own(copies, -1.0), others(copies) {}

    /// With another picture; below 0: they were not laid onto each other, or not to be.
    void add(std::int64_t copy, double similarity) {
        if (similarity >= 0.0) {
            others[at(copy)].push_back(similarity);
        }
    }
    /// compared: pictures that each copy was compared with beside its own original.
    void settle(std::int64_t compared, const DuplicateOptions& options);

    std::vector<double> own;                  ///< with the original, -1: none
    std::vector<std::vector<double>> others;  ///< with other pictures
    double least = usual_similarity;
    double false_pairs = std::numeric_limits<double>::quiet_NaN();
};

void Similarities::settle(std::int64_t compared, const DuplicateOptions& options) {
    std::vector<double> best;
    const bool stand_apart = copies_stand_apart(others);
    std::transform(
        others.begin(), others.end(), std::back_inserter(best),
        [&](const std::vector<double>& found) { return largest_of_different(found, stand_apart); });
    const auto false_matches = search::FalseMatches::fit(std::move(best), compared);
    if (options.threshold) {
        least = 1.0 - *options.threshold;
    } else if (false_matches) {
        least = std::max(least_similarity, false_matches->similarity_at(options.false_pairs / 2.0));
        // How much stricter it may be for next to nothing.
        std::vector<double> found;
        std::copy_if(own.begin(), own.end(), std::back_inserter(found),
                     [&](double value) { return value >= least; });
        const auto missed = static_cast<std::size_t>(may_miss * static_cast<double>(found.size()));
        if (!found.empty()) {
            const auto strictest = found.begin() + static_cast<std::ptrdiff_t>(missed);
            std::nth_element(found.begin(), strictest, found.end());
            least = (least + *strictest) / 2.0;
        }
    }
    if (false_matches) {
        false_pairs = false_matches->share_from(least);
    }
}

/// Copies of some pictures, and which each is of.
struct Planted {
    Thumbnails copies;
    std::vector<std::int64_t> originals;
    std::vector<data::Alteration> alterations;
};

Planted plant(const std::vector<std::int64_t>& rows, const std::vector<ImageEntry>& all,
              const DuplicateOptions& options) {
    using data::Alteration;
    std::vector<Alteration> alterations{Alteration::jpeg,   Alteration::half,     Alteration::crop,
                                        Alteration::blur,   Alteration::brighter, Alteration::darker,
                                        Alteration::border, Alteration::text,     Alteration::turn};
    if (options.mirror) {
        alterations.push_back(Alteration::mirror);
    }
    if (options.rotate90) {
        alterations.push_back(Alteration::rotate90);
    }
    std::vector<ImageEntry> entries;
    for (const std::int64_t row : rows) {
        entries.push_back(all[at(row)]);
    }
    const ImageDataset pictures =
        ImageDataset::from_entries("duplicates", std::move(entries), options.limits);
    const Preprocessing preprocessing = gray_square(planted_side);
    PictureReader reader(pictures, preprocessing, {.batch_size = 16, .threads = options.threads});
    PictureBatch batch;
    Planted planted;
    std::int64_t done = 0;
    while (reader.next(batch)) {
        if (options.on_progress) {
            done += std::ssize(batch.indices) + std::ssize(batch.skipped);
            options.on_progress("copies to be planted", done, std::ssize(rows));
        }
        const std::int64_t count = std::ssize(batch.indices) * std::ssize(alterations);
        Tensor copies({count, Thumbnails::size});
        base::parallel_for(count, resolve_threads(options.threads), [&] {
            return [&](std::int64_t i) {
                const std::int64_t of = i / std::ssize(alterations);
                const Alteration alteration = alterations[at(i % std::ssize(alterations))];
                const base::Random random(options.seed, base::RandomStream::planted,
                                          static_cast<std::uint32_t>(batch.indices[at(of)]),
                                          static_cast<std::uint32_t>(alteration));
                const std::vector<float> copy =
                    data::altered_copy(batch.pictures.row(of), planted_side, alteration, random,
                                       static_cast<int>(Thumbnails::side));
                std::copy(copy.begin(), copy.end(), copies.row(i).begin());
            };
        });
        planted.copies.append(copies);
        for (std::int64_t i = 0; i < count; ++i) {
            planted.originals.push_back(rows[at(batch.indices[at(i / std::ssize(alterations))])]);
            planted.alterations.push_back(alterations[at(i % std::ssize(alterations))]);
        }
    }
    return planted;
}

}  // namespace

void check(const DuplicateOptions& options) {
    if (!(options.false_pairs > 0.0 && options.false_pairs < 1.0)) {
        throw InvalidArgument(fmt::format("duplicates: false_pairs: {} found, above 0 and below 1 expected",
                                          options.false_pairs));
    }
    if (options.threshold && !(*options.threshold >= 0.0 && *options.threshold <= 1.0)) {
        throw InvalidArgument(
            fmt::format("duplicates: threshold: {} found, 0 to 1 expected", *options.threshold));
    }
    if (options.planted_pictures < 1) {
        throw InvalidArgument(fmt::format("duplicates: planted_pictures: {} found, at least 1 expected",
                                          options.planted_pictures));
    }
}

Preprocessing gray_square(int side) {
    Preprocessing preprocessing;
    preprocessing.height = preprocessing.width = side;
    preprocessing.resize = ResizeMode::squash;
    preprocessing.background = 1.0F;
    return preprocessing;
}

CopyThresholds copy_thresholds(const Thumbnails& pictures, const std::vector<ImageEntry>& entries,
                               const search::MatchOptions& matching, const DuplicateOptions& options) {
    const std::int64_t count = pictures.count();
    const std::vector<std::int64_t> compared = base::spread_rows(count, max_compared);
    const Planted planted = plant(base::spread_rows(compared, options.planted_pictures), entries, options);
    Thumbnails others;
    for (const std::int64_t row : compared) {
        others.append(pictures.row(row));
    }
    search::MatchOptions every = matching;
    every.least_cosine = 0.0;
    every.most = others_laid;
    const std::vector<PictureMatch> matches = search::match_between(planted.copies, others, every);
    const std::size_t copies = planted.originals.size();
    Similarities near(copies);
    Similarities transformed(copies);
    for (const PictureMatch& match : matches) {
        const std::int64_t other = compared[at(match.other)];
        if (other != planted.originals[at(match.one)]) {
            near.add(match.one, match.near);
            transformed.add(match.one, match.transformed);
        } else if (match.cosine >= matching.least_cosine) {
            near.own[at(match.one)] = match.near;
            transformed.own[at(match.one)] = match.transformed;
        }
    }
    near.settle(std::ssize(compared) - 1, options);
    transformed.settle(std::ssize(compared) - 1, options);
    CopyThresholds found{
        near.least, transformed.least, matching.least_cosine, near.false_pairs + transformed.false_pairs, {}};
    std::vector<double> cosines;  // of copies that are found
    for (const PictureMatch& match : matches) {
        if (compared[at(match.other)] == planted.originals[at(match.one)] && found.are_copies(match) &&
            match.cosine >= matching.least_cosine) {
            cosines.push_back(match.cosine);
        }
    }
    if (std::ssize(cosines) >= few_copies) {
        std::sort(cosines.begin(), cosines.end());
        const auto missed = static_cast<std::size_t>(may_miss * static_cast<double>(cosines.size()));
        found.cosine = std::min(most_cosine, cosines[missed]);
    }
    std::map<data::Alteration, PlantedCopies> rates;
    for (std::size_t i = 0; i < copies; ++i) {
        PlantedCopies& rate = rates[planted.alterations[i]];
        rate.kind = name(planted.alterations[i]);
        ++rate.planted;
        rate.found += near.own[i] >= found.near || transformed.own[i] >= found.transformed ? 1 : 0;
    }
    for (auto& [alteration, rate] : rates) {
        found.planted.push_back(std::move(rate));
    }
    return found;
}

}  // namespace stackae::pipeline

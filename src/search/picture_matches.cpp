#include "search/picture_matches.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "stackae/neighbours.hpp"

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "search/inverted_file.hpp"

namespace stackae::search {
namespace {

constexpr double in_place_within = 0.05;  ///< shares of the side
constexpr std::size_t laid_at_once = 4096;
constexpr std::size_t views_a_pair =
    2;  ///< that two pictures are laid onto each other by, beside as they are
constexpr std::int64_t query_rows = 8192;
constexpr std::size_t max_held = 2'000'000;  ///< candidates, before the likeliest of them are taken
constexpr std::int64_t max_exact = 20'000;   ///< pictures; among more, next to all neighbours are found

/// A view of one picture that is like another picture.
struct Candidate {
    std::int64_t one;
    std::int64_t other;
    float cosine;
    std::uint16_t view;
    bool of_other;  ///< the view is the second picture's
};

bool by_pair(const Candidate& a, const Candidate& b) {
    return std::tuple(a.one, a.other, -a.cosine, a.view, a.of_other) <
           std::tuple(b.one, b.other, -b.cosine, b.view, b.of_other);
}

/// Descriptors of a set as they are looked among, those of pictures of one colour left out.
class Described {
public:
    Described(const Thumbnails& pictures, Window frame, int threads) {
        const Tensor all = describe(pictures, 0, pictures.count(), window(frame));
        for (std::int64_t i = 0; i < all.rows(); ++i) {
            if (base::squared_norm(all.row(i)) > 0.0) {
                rows.push_back(i);
            }
        }
        if (std::ssize(rows) > max_exact) {
            inverted_.emplace(base::gather_rows(all, rows), threads);
        } else if (!rows.empty()) {
            exact_.emplace(base::gather_rows(all, rows), Metric::cosine, threads);
        }
    }

    [[nodiscard]] Neighbours search(const Tensor& queries, std::int64_t k, double least_cosine) {
        return inverted_ ? inverted_->search(queries, k, least_cosine) : exact_->search(queries, k);
    }

    std::vector<std::int64_t> rows;

private:
    std::optional<NeighbourIndex> exact_;
    std::optional<InvertedFile> inverted_;
};

/// Looks for candidates, view by view.
class CandidateSearch {
public:
    CandidateSearch(const MatchOptions& options, std::int64_t parts, bool one_set)
        : options_(options), parts_(parts), one_set_(one_set) {}

    /// Pictures of which a view is like one of `others`. of_other: see Candidate.
    void add(const Thumbnails& viewed, const Thumbnails& others, bool of_other);
    /// The likeliest as MatchOptions has it, by pairs, each with its likeliest views.
    std::vector<Candidate> take();

private:
    void keep(const Neighbours& found, std::span<const std::int64_t> queries, const Described& among,
              std::size_t view, bool of_other);

    const MatchOptions& options_;
    std::int64_t parts_;
    bool one_set_;
    std::int64_t done_ = 0;
    std::vector<Candidate> found_;
    std::size_t held_ = max_held;  ///< before the likeliest are taken
};

void CandidateSearch::add(const Thumbnails& viewed, const Thumbnails& others, bool of_other) {
    std::unique_ptr<Described> among;
    for (std::size_t v = 0; v < options_.views.size(); ++v) {
        const View& view = options_.views[v];
        if (v == 0 || options_.views[v - 1].window != view.window) {  // views of a window follow one another
            among.reset();
            among = std::make_unique<Described>(others, view.window, options_.threads);
        }
        for (std::int64_t first = 0; !among->rows.empty() && first < viewed.count(); first += query_rows) {
            const std::int64_t count = std::min(query_rows, viewed.count() - first);
            const Tensor views = describe(viewed, first, count, view.map);
            std::vector<std::int64_t> rows;
            for (std::int64_t i = 0; i < count; ++i) {
                if (base::squared_norm(views.row(i)) > 0.0) {
                    rows.push_back(i);
                }
            }
            if (rows.empty()) {
                continue;
            }
            const Neighbours found = among->search(
                base::gather_rows(views, rows), options_.nearest + (one_set_ ? 1 : 0), options_.least_cosine);
            for (std::int64_t& row : rows) {
                row += first;
            }
            keep(found, rows, *among, v, of_other);
            if (found_.size() > held_) {
                found_ = take();
                held_ = std::max(held_, 2 * found_.size());
            }
        }
        if (options_.on_progress) {
            options_.on_progress(++done_, parts_);
        }
    }
}

void CandidateSearch::keep(const Neighbours& found, std::span<const std::int64_t> queries,
                           const Described& among, std::size_t view, bool of_other) {
    for (std::size_t i = 0; i < found.rows.size(); ++i) {
        const auto cosine = 1.0F - found.distances[i];
        if (found.rows[i] < 0 || double{cosine} < options_.least_cosine) {
            continue;
        }
        std::int64_t one = queries[i / base::at(found.k)];
        std::int64_t other = among.rows[base::at(found.rows[i])];
        if (one_set_ && one == other) {
            continue;
        }
        const bool swapped = of_other || (one_set_ && one > other);
        if (swapped) {
            std::swap(one, other);
        }
        found_.push_back({one, other, cosine, static_cast<std::uint16_t>(view), swapped});
    }
}

/// Appends, of each picture's pairs, the likeliest `most` of either kind. end: the picture of a pair.
void keep_likeliest(std::vector<Candidate> candidates, std::int64_t Candidate::*end,
                    const std::vector<View>& views, std::int64_t most, std::vector<Candidate>& kept) {
    std::int64_t Candidate::*const far = end == &Candidate::one ? &Candidate::other : &Candidate::one;
    const auto kind = [&](const Candidate& candidate) {
        return std::pair(candidate.*end, views[candidate.view].plain);
    };
    std::stable_sort(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
        return std::pair(kind(a), -a.cosine) < std::pair(kind(b), -b.cosine);
    });
    std::vector<std::int64_t> others;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const Candidate& candidate = candidates[i];
        if (i == 0 || kind(candidates[i - 1]) != kind(candidate)) {
            others.clear();
        }
        if (std::find(others.begin(), others.end(), candidate.*far) == others.end()) {
            if (std::ssize(others) == most) {
                continue;
            }
            others.push_back(candidate.*far);
        }
        kept.push_back(candidate);
    }
}

/// As MatchOptions has it; of one set, of each picture wherever it stands in its pairs.
std::vector<Candidate> likeliest(const std::vector<Candidate>& candidates, const MatchOptions& options,
                                 bool one_set) {
    if (options.most == 0) {
        return candidates;
    }
    std::vector<Candidate> kept;
    keep_likeliest(candidates, &Candidate::one, options.views, options.most, kept);
    if (one_set) {
        keep_likeliest(candidates, &Candidate::other, options.views, options.most, kept);
    }
    std::sort(kept.begin(), kept.end(), by_pair);
    kept.erase(
        std::unique(kept.begin(), kept.end(),
                    [](const Candidate& a, const Candidate& b) { return !by_pair(a, b) && !by_pair(b, a); }),
        kept.end());
    return kept;
}

std::vector<Candidate> CandidateSearch::take() {
    std::sort(found_.begin(), found_.end(), by_pair);
    std::vector<Candidate> kept;
    std::size_t views = 0;
    bool plain = false;
    const Candidate* before = nullptr;
    for (const Candidate& candidate : found_) {
        if (before == nullptr || before->one != candidate.one || before->other != candidate.other) {
            views = 0;
            plain = false;
        }
        before = &candidate;
        if (options_.views[candidate.view].plain ? !std::exchange(plain, true) : views++ < views_a_pair) {
            kept.push_back(candidate);
        }
    }
    found_.clear();
    return likeliest(kept, options_, one_set_);
}

/// Two pictures to be laid onto each other.
struct Laying {
    std::int64_t one;
    std::int64_t other;
    double cosine;
    bool plain;     ///< as they are
    bool of_other;  ///< the second onto the first
    Affine start;   ///< points of the picture that is laid onto to points of the other
};

PictureMatch lay(Aligner& aligner, const Laying& pair, const Thumbnails& ones, const Thumbnails& others) {
    const auto one = ones.row(pair.one);
    const auto other = others.row(pair.other);
    const auto& [picture, onto] = pair.of_other ? std::pair(other, one) : std::pair(one, other);
    const Alignment found = pair.plain ? aligner.align_in_place(picture, onto, in_place_within)
                                       : aligner.align(picture, onto, pair.start);
    PictureMatch match;
    match.one = pair.one;
    match.other = pair.other;
    match.cosine = pair.cosine;
    if (found.map.displacement() <= in_place_within) {
        match.near = found.similarity;
    } else {
        match.transformed = found.similarity;
        match.map = pair.of_other ? found.map.inverse() : found.map;
    }
    return match;
}

/// Calls sink(match) of each of `count` pairs, in their order. laying(i): what pair i is.
template <class LayingOf, class Sink>
void lay_all(std::size_t count, const Thumbnails& ones, const Thumbnails& others, const MatchOptions& options,
             const LayingOf& laying, const Sink& sink) {
    std::vector<PictureMatch> laid(std::min(laid_at_once, count));
    for (std::size_t first = 0; first < count; first += laid_at_once) {
        const std::size_t now = std::min(laid_at_once, count - first);
        base::parallel_for(static_cast<std::int64_t>(now), options.threads, [&] {
            return [&, aligner = Aligner()](std::int64_t i) mutable {
                laid[base::at(i)] = lay(aligner, laying(first + base::at(i)), ones, others);
            };
        });
        std::for_each_n(laid.begin(), now, sink);
        if (options.on_progress) {
            options.on_progress(static_cast<std::int64_t>(first + now), static_cast<std::int64_t>(count));
        }
    }
}

std::vector<PictureMatch> check(const std::vector<Candidate>& candidates, const Thumbnails& ones,
                                const Thumbnails& others, const MatchOptions& options) {
    const auto laying = [&](std::size_t i) {
        const Candidate& candidate = candidates[i];
        const View& view = options.views[candidate.view];
        return Laying{candidate.one, candidate.other,    double{candidate.cosine},
                      view.plain,    candidate.of_other, view.map.after(window(view.window).inverse())};
    };
    // Each pair once.
    std::vector<PictureMatch> best;
    const auto drop_untold = [&] {
        if (!best.empty() && options.tell && !options.tell(best.back())) {
            best.pop_back();
        }
    };
    std::optional<std::pair<std::int64_t, std::int64_t>> pair;  // the last one of best
    lay_all(candidates.size(), ones, others, options, laying, [&](const PictureMatch& match) {
        if (pair != std::pair(match.one, match.other)) {
            drop_untold();
            pair.emplace(match.one, match.other);
            best.push_back(match);
            return;
        }
        PictureMatch& before = best.back();
        before.near = std::max(before.near, match.near);
        if (match.transformed > before.transformed) {
            before.transformed = match.transformed;
            before.map = match.map;
        }
        before.cosine = std::max(before.cosine, match.cosine);
    });
    drop_untold();
    return best;
}

}  // namespace

std::vector<PictureMatch> match_within(const Thumbnails& pictures, const MatchOptions& options) {
    const base::ThreadScope threads(options.threads);
    CandidateSearch search(options, std::ssize(options.views), true);
    search.add(pictures, pictures, false);
    return check(search.take(), pictures, pictures, options);
}

std::vector<PictureMatch> match_between(const Thumbnails& ones, const Thumbnails& others,
                                        const MatchOptions& options) {
    const base::ThreadScope threads(options.threads);
    CandidateSearch search(options, 2 * std::ssize(options.views), false);
    search.add(ones, others, false);
    search.add(others, ones, true);
    return check(search.take(), ones, others, options);
}

std::vector<PictureMatch> match_pairs(const Thumbnails& pictures, const std::vector<PictureMatch>& pairs,
                                      const MatchOptions& options) {
    std::vector<PictureMatch> told;
    const auto laying = [&](std::size_t i) {
        // Onto the one of which more lies on the other.
        const PictureMatch& pair = pairs[i];
        const Affine back = pair.map.inverse();
        const bool of_other = back.overlap() > pair.map.overlap();
        return Laying{pair.one, pair.other, pair.cosine, false, of_other, of_other ? back : pair.map};
    };
    lay_all(pairs.size(), pictures, pictures, options, laying, [&](const PictureMatch& match) {
        if (!options.tell || options.tell(match)) {
            told.push_back(match);
        }
    });
    return told;
}

}  // namespace stackae::search

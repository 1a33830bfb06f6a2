#include "stackae/recommend_all.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/hash.hpp"
#include "pipeline/recommend_checkpoint.hpp"

namespace stackae {
namespace {

using pipeline::RecommendCheckpoint;

/// What recommendations depend on.
pipeline::SegmentFolder::Run run_of(const Model& model, const Interactions& users,
                                    const RecommendOptions& recommend) {
    base::Hash allowed;
    for (const bool each : recommend.allowed) {
        allowed.add(std::int64_t{each ? 1 : 0});
    }
    const std::string known = data_identity(model.table);
    // Of a user of whom nothing is known it depends on the model's own table as well.
    return {{"model", model.identity()},
            {"table", known},
            {"users", &users == &model.table ? known : data_identity(users)},
            {"top", std::to_string(recommend.top)},
            {"include-known", recommend.include_known ? "yes" : "no"},
            {"items to choose from", recommend.allowed.empty() ? "all" : allowed.hex()},
            {"explain", std::to_string(recommend.explain)}};
}

/// Gives the sink what was kept. Returns the user to go on with; nothing where the observer said stop.
std::optional<std::int64_t> replay(RecommendCheckpoint& checkpoint, std::int64_t users,
                                   RecommendObserver& observer, const RecommendSink& sink) {
    std::int64_t next = 0;
    while (const auto segment = checkpoint.read(next)) {
        if (observer.stop()) {
            return std::nullopt;
        }
        for (const Recommendations& found : segment->found) {
            sink(next++, found);
        }
    }
    if (next > 0) {
        observer.on_resumed(next, users);
    }
    return next;
}

/// From user `first` on.
bool recommend_rest(Recommender& recommender, const Interactions& users, std::int64_t first,
                    RecommendObserver& observer, const RecommendSink& sink,
                    std::optional<RecommendCheckpoint>& checkpoint) {
    const std::int64_t all = users.user_count();
    for (std::int64_t done = first; done < all;) {
        if (observer.stop()) {
            return false;
        }
        const std::int64_t count = std::min(recommender.batch_size(), all - done);
        const std::vector<Recommendations> found = recommender.recommend(users, done, count);
        for (const Recommendations& each : found) {
            sink(done++, each);
        }
        if (checkpoint) {
            checkpoint->add(found);
        }
        observer.on_recommended(done, all);
    }
    return !observer.stop();
}

}  // namespace

bool recommend_all(const Model& model, const Interactions& users, const RecommendOptions& recommend,
                   const RecommendAllOptions& options, RecommendObserver& observer,
                   const RecommendSink& sink) {
    Recommender recommender(model, recommend);
    std::optional<RecommendCheckpoint> checkpoint;
    std::int64_t first = 0;
    if (!options.checkpoint.empty()) {
        checkpoint.emplace(options, run_of(model, users, recommend), users.item_count(), observer);
        if (options.resume) {
            const auto next = replay(*checkpoint, users.user_count(), observer, sink);
            if (!next) {
                return false;
            }
            first = *next;
        }
        checkpoint->begin(first);
    }
    try {
        const bool all = recommend_rest(recommender, users, first, observer, sink, checkpoint);
        if (checkpoint && !all) {
            checkpoint->stop(options.resume);
        }
        return all;
    } catch (...) {
        if (checkpoint) {
            checkpoint->stop(options.resume);
        }
        throw;
    }
}

}  // namespace stackae

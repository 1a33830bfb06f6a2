#include "stackae/score_inputs.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "stackae/resources.hpp"

#include "base/memory.hpp"
#include "pipeline/picture_checkpoint.hpp"

namespace stackae {
namespace {

using pipeline::PictureCheckpoint;
using pipeline::scores_kind;

constexpr std::int64_t most_at_once = 8;  ///< pictures, which are large
constexpr std::int64_t columns = 2;       ///< kept of a picture: score and reconstruction error
constexpr std::int64_t most_waiting = std::int64_t{1} << 20U;

PictureCheckpoint::Work work_of(const ScoreRequest& request) {
    return {scores_kind, columns, [&request]() -> pipeline::SegmentFolder::Run {
                return {{"memory", request.memory.identity()}, {"maps", request.maps}};
            }};
}

/// Calls sink(batch, scores) of a kept batch.
CodeSink scores_to(const ScoreSink& sink) {
    return [&sink](const InputBatch& batch, const Tensor& kept) {
        std::vector<AnomalyScore> scores;
        for (std::int64_t i = 0; i < kept.rows(); ++i) {
            scores.push_back({kept.row(i)[0], kept.row(i)[1], {}});
        }
        sink(batch, scores);
    };
}

/// What is kept of scores, by which they are rounded too.
Tensor round_scores(std::vector<AnomalyScore>& scores) {
    Tensor kept({std::ssize(scores), columns});
    for (std::int64_t i = 0; i < kept.rows(); ++i) {
        AnomalyScore& score = scores[static_cast<std::size_t>(i)];
        kept.row(i)[0] = static_cast<float>(score.score);
        kept.row(i)[1] = static_cast<float>(score.reconstruction);
        score.score = kept.row(i)[0];
        score.reconstruction = kept.row(i)[1];
    }
    return kept;
}

/// From picture `first` on.
bool score_rest(const ScoreRequest& request, const PipelineOptions& options, std::int64_t first,
                std::int64_t batch_size, Manifest& manifest, const ScoreSink& sink,
                std::optional<PictureCheckpoint>& checkpoint) {
    std::optional<AnomalyScorer> own;
    AnomalyScorer& scorer =
        request.scorer != nullptr ? *request.scorer : own.emplace(request.memory, options.threads);
    InputReader reader(request.inputs, request.memory.preprocessing,
                       {.batch_size = batch_size,
                        .threads = options.threads,
                        .memory = base::reading_memory(options.memory),
                        .first = first},
                       manifest);
    for (InputBatch batch; reader.next(batch); batch = {}) {
        if (manifest.observer().stop()) {
            return false;
        }
        std::vector<AnomalyScore> scores =
            batch.entries.empty() ? std::vector<AnomalyScore>() : scorer.score(batch.pictures);
        Tensor kept = round_scores(scores);
        if (!scores.empty()) {
            sink(batch, scores);
        }
        if (checkpoint) {
            checkpoint->add(batch, std::move(kept));
        }
    }
    return !manifest.observer().stop();
}

}  // namespace

bool score_inputs(const ScoreRequest& request, const PipelineOptions& options, Manifest& manifest,
                  const ScoreSink& sink) {
    const std::int64_t batch_size = std::min(options.batch_size, most_at_once);
    std::optional<PictureCheckpoint> checkpoint;
    std::int64_t first = 0;
    if (!options.checkpoint.empty()) {
        checkpoint.emplace(options, most_waiting, request.inputs, work_of(request), manifest.observer());
        if (options.resume) {
            const pipeline::Resumed resumed = checkpoint->replay(manifest, scores_to(sink));
            if (resumed.stopped) {
                return false;
            }
            first = resumed.first;
        }
        checkpoint->begin(first, batch_size);
    }
    return pipeline::run_kept(checkpoint, options, [&] {
        return score_rest(request, options, first, batch_size, manifest, sink, checkpoint);
    });
}

bool has_score_checkpoint(const std::string& folder) {
    return pipeline::has_segments(folder, scores_kind);
}

bool remove_score_checkpoint(const std::string& folder) {
    return pipeline::remove_segment_folder(folder, scores_kind);
}

ScoringProgress load_scoring_progress(const std::string& folder) {
    const pipeline::KeptRows kept = pipeline::read_kept_rows(folder, scores_kind, "memory");
    return {kept.pictures, kept.by};
}

}  // namespace stackae

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "stackae/inputs.hpp"
#include "stackae/patch_memory.hpp"
#include "stackae/pipeline.hpp"

namespace stackae {

/// Pictures to be scored, and by what. Both must outlive the call.
struct ScoreRequest {
    const Inputs& inputs;
    const PatchMemory& memory;
    /// What the sink makes of the maps, such as where it draws them and how: a run that goes on has none for
    /// what was kept, and so must make the same of them.
    std::string maps = {};
    AnomalyScorer* scorer = nullptr;  ///< of that memory, where one is kept; else one is made
};

/// Pictures that were read and their scores, rounded to float. Where these come from a checkpoint there are
/// neither pictures nor maps.
using ScoreSink = std::function<void(const InputBatch& batch, const std::vector<AnomalyScore>& scores)>;

/// Reads all inputs, scores them, and hands batch after batch to the sink, in the inputs' order. Every
/// picture is entered into the manifest, which is left for the caller to finish(); its observer is told of
/// progress. False where the observer said stop: the sink has not been given all pictures then. Throws as
/// AnomalyScorer, and whatever the sink or the observer throws.
///
/// With a checkpoint that is gone on with, all is as encode_inputs() has it, its errors too; it keeps scores.
bool score_inputs(const ScoreRequest& request, const PipelineOptions& options, Manifest& manifest,
                  const ScoreSink& sink);

/// Whether scores are kept in this folder.
[[nodiscard]] bool has_score_checkpoint(const std::string& folder);
/// How far they have come.
struct ScoringProgress {
    std::int64_t pictures = 0;  ///< of its inputs, from the first one on, those that were skipped included
    std::string memory;         ///< its identity
};
/// Reads the checkpoint in a folder. Throws IoError, or CorruptFile naming the file and what is wrong with
/// it.
[[nodiscard]] ScoringProgress load_scoring_progress(const std::string& folder);
/// Once the output is safe; nothing where there is no such folder. False where the folder stays, since other
/// files are in it, or another run has it. Throws IoError where scores stay.
bool remove_score_checkpoint(const std::string& folder);

}  // namespace stackae

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stackae/recommend_all.hpp"

#include "pipeline/segment_folder.hpp"

namespace stackae::pipeline {

/// What was recommended to some users in a row.
struct RecommendSegment {
    std::int64_t first = 0;  ///< user
    std::int64_t end = 0;    ///< the next segment's first
    std::vector<Recommendations> found;
};

/// Keeps what was recommended so far in a folder, and gives it back to a run that goes on. A disk that is
/// full costs the checkpoint, not the run.
class RecommendCheckpoint {
public:
    RecommendCheckpoint(const RecommendAllOptions& options, SegmentFolder::Run run, std::int64_t items,
                        RecommendObserver& observer);

    /// What was kept of the users from `first` on; nothing where it ends. Throws as SegmentFolder::read().
    [[nodiscard]] std::optional<RecommendSegment> read(std::int64_t first);
    /// From here on segments are written that begin with this user.
    void begin(std::int64_t first) { first_ = end_ = first; }
    /// The next users in order; writes where it is time.
    void add(const std::vector<Recommendations>& found);
    /// Writes what waits, where that is more than a moment's work, or `always`.
    void stop(bool always);

private:
    void write();

    SegmentFolder folder_;
    SegmentFolder::Run run_;
    std::int64_t items_;
    RecommendObserver& observer_;
    std::string waiting_;
    std::int64_t first_ = 0;  ///< user, of what waits
    std::int64_t end_ = 0;
};

/// Throws CorruptFile where the file is no segment of users from `first` on and of so many items.
[[nodiscard]] RecommendSegment read_recommend_segment(const base::Safetensors& file, std::int64_t first,
                                                      std::int64_t items);

}  // namespace stackae::pipeline

#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/checkpoint_timer.hpp"
#include "base/file_io.hpp"
#include "base/safetensors.hpp"

namespace stackae::pipeline {

/// A checkpoint of long work on a row of things: a folder with a row of files, each of which is written whole
/// and holds what was made of the things from one number to another. One run at a time has the folder.
class SegmentFolder {
public:
    /// What is kept.
    struct Kind {
        const char* name;         ///< of its files
        int version;              ///< of its files
        std::string_view ending;  ///< of their names
    };
    /// What the work depends on, by the names that messages have for it, in the order in which it is
    /// compared.
    using Run = std::vector<std::pair<std::string, std::string>>;

    /// folder: need not be there. every: seconds between two segments.
    SegmentFolder(std::string folder, const Kind& kind, double every)
        : folder_(std::move(folder)), kind_(kind), timer_(every) {}

    /// The segment that begins with thing `first`, of work of this run; nothing where there is none. Throws
    /// IoError, also where another run has the folder, CorruptFile, or InvalidArgument that names what
    /// differs where it is of another run, or what is kept there where that is of another kind. A segment has
    /// texts `first` and `end`.
    [[nodiscard]] std::optional<base::Safetensors> read(std::int64_t first, const Run& run);
    /// Writes the segment that begins with thing `first`. The first time, those of things from there on go,
    /// which nobody goes on with. Returns why that failed, such as a full disk, or a folder with segments of
    /// another kind, which stay; then no other is tried.
    [[nodiscard]] std::optional<std::string> write(std::int64_t first, std::int64_t end, const Run& run,
                                                   std::map<std::string, std::string> metadata,
                                                   const base::TensorReferences& tensors);
    /// Whether it is time to write.
    [[nodiscard]] bool is_due() const { return !failed_ && timer_.is_due(); }
    /// Whether anybody would miss what was made since the last segment.
    [[nodiscard]] bool is_worth_keeping() const;
    [[nodiscard]] bool has_failed() const { return failed_; }
    [[nodiscard]] const std::string& path() const { return folder_; }

    /// What a message says of work that was begun otherwise.
    [[noreturn]] void refuse(std::string_view what, std::string_view found, std::string_view kept) const;

private:
    void lock();
    void write_file(std::int64_t first, const std::map<std::string, std::string>& metadata,
                    const base::TensorReferences& tensors);

    std::string folder_;
    Kind kind_;
    base::CheckpointTimer timer_;
    base::Descriptor lock_;  ///< of the folder, once it is read or written
    bool begun_ = false;     ///< to write
    bool failed_ = false;
};

/// Codes of pictures.
inline constexpr SegmentFolder::Kind codes_kind{"codes", 1, ".codes"};
/// Recommendations to users.
inline constexpr SegmentFolder::Kind recommendations_kind{"recommendations", 1, ".recommendations"};
/// Scores of pictures.
inline constexpr SegmentFolder::Kind scores_kind{"scores", 1, ".scores"};
inline constexpr std::array segment_kinds{codes_kind, recommendations_kind, scores_kind};

/// The file of the segment that begins with thing `first`.
[[nodiscard]] std::string segment_file(const std::string& folder, const SegmentFolder::Kind& kind,
                                       std::int64_t first);
/// Whether segments of a kind are in a folder, from the first thing on.
[[nodiscard]] bool has_segments(const std::string& folder, const SegmentFolder::Kind& kind);
/// Removes the segments of a kind, and the folder. False where that stays, since other files are in it or
/// another run has it. Throws IoError where segments stay.
bool remove_segment_folder(const std::string& folder, const SegmentFolder::Kind& kind);

/// A whole number in a segment. Throws CorruptFile where the text is none, or out of [least, most].
[[nodiscard]] std::int64_t segment_number(const std::string& path, const char* what, const std::string& text,
                                          std::int64_t least, std::int64_t most);

}  // namespace stackae::pipeline

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stackae/duplicates.hpp"

namespace stackae::pipeline {

/// All that find_duplicates() finds, and what it says of pictures on the way.
struct FoundDuplicates {
    DuplicateReport report;
    std::vector<InputNote> notes;  ///< indices as those of Duplicate
};

/// Entry of an index into all pictures of the inputs, and then of the reference.
[[nodiscard]] ImageEntry entry_of(const Inputs& inputs, const Inputs* reference, std::int64_t index);

/// Enters all pictures into a manifest as they were when they were read.
void enter_again(const FoundDuplicates& found, const Inputs& inputs, const Inputs* reference,
                 Manifest& manifest);

/// A file that keeps what was found for as long as no picture's file changes in name, size or time, none is
/// added or goes, and the options are the same.
class DuplicateCache {
public:
    /// path: empty for none. Looks at all files.
    DuplicateCache(const std::string& path, const Inputs& inputs, const Inputs* reference,
                   const DuplicateOptions& options);

    /// Nothing where something has changed, or the file cannot be read.
    [[nodiscard]] std::optional<FoundDuplicates> load(const Inputs& inputs, const Inputs* reference) const;
    /// Nothing is kept where a picture comes from no file, or could not be read for a reason that may pass
    /// without a change of its file. Returns why the file could not be written; empty: it was, or need not
    /// be.
    [[nodiscard]] std::string save(const FoundDuplicates& found) const;

private:
    std::string path_;  ///< empty where nothing is kept
    std::string fingerprint_;
};

}  // namespace stackae::pipeline

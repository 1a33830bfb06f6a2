#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stackae/pipeline.hpp"

#include "pipeline/encoder_pool.hpp"
#include "pipeline/segment_folder.hpp"

namespace stackae::pipeline {

/// Codes of a run, from one picture of its inputs to another, with what was said of the pictures.
struct CodeSegment {
    std::int64_t first = 0;        ///< index into all pictures
    std::int64_t end = 0;          ///< the next segment's first
    std::int64_t batch_size = 0;   ///< that they were encoded in
    std::vector<std::string> ids;  ///< size end − first; see EncodeCheckpoint::id()
    std::vector<InputNote> notes;  ///< in the pictures' order
    Tensor codes;                  ///< of the pictures that were not skipped
};

/// By what a file is told from the one that had its name before; as it is here, where there is none.
struct FileStamp {
    std::int64_t size = -1;  ///< bytes
    std::int64_t time = 0;   ///< of the last change, in nanoseconds
};

/// Whether it is of a picture that has no row.
[[nodiscard]] bool is_skipped(const InputNote& note);

/// Keeps the codes that were made so far in a folder, as a row of files each of which is written whole, and
/// gives them back to a run that goes on. One run at a time has the folder. A disk that is full costs the
/// checkpoint, not the run.
class EncodeCheckpoint {
public:
    /// Looks at all files, and so is made before the first one is read: one that changes later is another
    /// file to the run that goes on. folder: need not be there. memory: bytes of codes that may wait to be
    /// written.
    EncodeCheckpoint(std::string folder, double every, std::int64_t memory, const EncodeRequest& request,
                     InputObserver& observer);

    /// What was kept of the pictures from `first` on; nothing where it ends, or where a picture that was
    /// skipped is another file now, which the observer is told. Throws IoError, also where another run has
    /// the folder, CorruptFile, or InvalidArgument that names what differs where it is of another run.
    [[nodiscard]] std::optional<CodeSegment> read(std::int64_t first);
    /// From here on segments are written that begin with this picture.
    void begin(std::int64_t first, std::int64_t batch_size);
    /// The next batch in order; writes where it is time. Its pictures are dropped.
    void add(EncodedBatch batch);
    /// Writes what waits, where that is more than a moment's work, or `always`.
    void stop(bool always);

private:
    void write();
    /// Returns why that failed.
    std::optional<std::string> write_segment();
    /// 16 digits of a picture's name, label and file.
    [[nodiscard]] std::string id(std::int64_t picture) const;
    /// False where a picture has to be tried again. Throws InvalidArgument where another one was encoded.
    [[nodiscard]] bool is_of_these_pictures(const CodeSegment& segment) const;
    /// What the codes depend on, by the names that messages have for it.
    const SegmentFolder::Run& run();

    SegmentFolder folder_;
    std::int64_t memory_;
    const EncodeRequest& request_;
    InputObserver& observer_;
    std::vector<FileStamp> stamps_;  ///< of each picture's file
    SegmentFolder::Run run_;         ///< see run()
    std::vector<EncodedBatch> waiting_;
    std::int64_t waiting_bytes_ = 0;
    std::int64_t first_ = 0;  ///< picture, of what waits
    std::int64_t batch_size_ = 0;
};

}  // namespace stackae::pipeline

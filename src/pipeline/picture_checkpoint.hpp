#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "stackae/inputs.hpp"
#include "stackae/pipeline.hpp"

#include "pipeline/segment_folder.hpp"

namespace stackae::pipeline {

/// What was made of pictures, from one of a run's inputs to another, with what was said of them.
struct PictureSegment {
    std::int64_t first = 0;        ///< index into all pictures
    std::int64_t end = 0;          ///< the next segment's first
    std::int64_t batch_size = 0;   ///< that they were looked at in
    std::vector<std::string> ids;  ///< size end − first; see PictureCheckpoint::id()
    std::vector<InputNote> notes;  ///< in the pictures' order
    Tensor values;                 ///< a row for each picture that was not skipped
};

/// By what a file is told from the one that had its name before; as it is here, where there is none.
struct FileStamp {
    std::int64_t size = -1;  ///< bytes
    std::int64_t time = 0;   ///< of the last change, in nanoseconds
};

/// How far a checkpoint goes.
struct Resumed {
    std::int64_t first = 0;  ///< picture to go on with
    std::optional<std::int64_t> batch_size;
    bool stopped = false;  ///< by the observer
};

/// Keeps rows of numbers that were made of pictures so far in a folder, as a row of files each of which is
/// written whole, and gives them back to a run that goes on. One run at a time has the folder. A disk that is
/// full costs the checkpoint, not the run.
class PictureCheckpoint {
public:
    struct Work {
        SegmentFolder::Kind kind;
        std::int64_t columns = 0;                         ///< of a row
        std::function<SegmentFolder::Run()> run;          ///< asked for once, when it is needed
        std::optional<std::string> label = std::nullopt;  ///< of all pictures, in place of their own
    };

    /// Looks at all files, and so is made before the first one is read: one that changes later is another
    /// file to the run that goes on. options: the folder, which need not be there, and how often. memory:
    /// bytes of rows that may wait to be written. Inputs and observer must outlive it.
    PictureCheckpoint(const PipelineOptions& options, std::int64_t memory, const Inputs& inputs, Work work,
                      InputObserver& observer);

    /// Gives the manifest and the sink what was kept, from the first picture on. It ends, too, where a
    /// picture that was skipped is another file now, which the observer is told. Throws IoError, also where
    /// another run has the folder, CorruptFile, or InvalidArgument that names what differs where it is of
    /// another run.
    [[nodiscard]] Resumed replay(Manifest& manifest, const CodeSink& sink);
    /// From here on segments are written that begin with this picture.
    void begin(std::int64_t first, std::int64_t batch_size);
    /// The next batch in order, and a row for each of its entries; writes where it is time.
    void add(const InputBatch& batch, Tensor values);
    /// Writes what waits, where that is more than a moment's work, or `always`.
    void stop(bool always);

private:
    [[nodiscard]] std::optional<PictureSegment> read(std::int64_t first);
    void write();
    /// Returns why that failed.
    std::optional<std::string> write_segment();
    /// 16 digits of a picture's name, label and file.
    [[nodiscard]] std::string id(std::int64_t picture) const;
    /// False where a picture has to be tried again. Throws InvalidArgument where another one was looked at.
    [[nodiscard]] bool is_of_these_pictures(const PictureSegment& segment) const;
    /// What the rows depend on, by the names that messages have for it.
    const SegmentFolder::Run& run();

    SegmentFolder folder_;
    std::int64_t memory_;
    const Inputs& inputs_;
    Work work_;
    InputObserver& observer_;
    std::vector<FileStamp> stamps_;  ///< of each picture's file
    SegmentFolder::Run run_;         ///< see run()
    /// What waits: of pictures from first_ to end_.
    std::vector<Tensor> values_;
    std::int64_t values_bytes_ = 0;
    std::vector<InputNote> notes_;
    std::int64_t first_ = 0;
    std::int64_t end_ = 0;
    std::int64_t batch_size_ = 0;
};

/// Runs work(), and returns what it does: whether all was done. What waits is kept where it was not or where
/// work() throws, and as PipelineOptions::keep_all has it where it was.
bool run_kept(std::optional<PictureCheckpoint>& checkpoint, const PipelineOptions& options,
              const std::function<bool()>& work);

/// How far kept rows have come.
struct KeptRows {
    std::int64_t pictures = 0;  ///< those that were skipped included
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::string by;  ///< what made them
};
/// by: the name of that in Work::run. Throws IoError, CorruptFile.
[[nodiscard]] KeptRows read_kept_rows(const std::string& folder, const SegmentFolder::Kind& kind,
                                      const std::string& by);

/// Whether a note is of a picture that has no row.
[[nodiscard]] bool is_skipped(const InputNote& note);

}  // namespace stackae::pipeline

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/labels.hpp"
#include "stackae/output_files.hpp"
#include "stackae/preprocessing.hpp"
#include "stackae/tensor.hpp"

namespace stackae {

/// Several inputs, opened: each is whatever ImageDataset::open() takes.
class Inputs {
public:
    /// One input, by the path that it was given by.
    struct Source {
        std::string path;
        std::optional<ImageDataset> pictures;
        PictureStatus status = PictureStatus::ok;  ///< where there are no pictures: why
        std::string reason;                        ///< likewise; one line, without the path
    };

    /// Of several paths, one that cannot be opened is skipped, see Manifest; of a single one, what
    /// ImageDataset::open() throws is thrown.
    explicit Inputs(const std::vector<std::string>& paths, const PictureLimits& limits = {});

    /// One that is open already.
    explicit Inputs(ImageDataset pictures);

    /// Gives all pictures the labels and groups of a file.
    void set_labels(LabelFile& labels);

    /// Pictures of all of them; an input that could not be opened counts as one.
    [[nodiscard]] std::int64_t size() const { return ends_.empty() ? 0 : ends_.back(); }
    /// True when at least one picture has a label.
    [[nodiscard]] bool labelled() const;
    /// The picture, or the input that could not be opened, of an index into all of them, 0 ≤ i < size().
    [[nodiscard]] ImageEntry entry(std::int64_t i) const;
    /// Of all of them; see ImageDataset::notes().
    [[nodiscard]] std::vector<std::string> notes() const;
    /// In the order of the paths.
    [[nodiscard]] const std::vector<Source>& sources() const { return sources_; }

private:
    std::vector<Source> sources_;
    std::vector<std::int64_t> ends_;  ///< of each, the index into all pictures that the next begins with
};

/// Told of what becomes of inputs while they are read, on the caller's thread. Every member has an empty
/// default.
class InputObserver {
public:
    InputObserver() = default;
    InputObserver(const InputObserver&) = delete;
    InputObserver& operator=(const InputObserver&) = delete;
    virtual ~InputObserver() = default;

    /// Pictures read or skipped so far.
    virtual void on_read(std::int64_t /*done*/, std::int64_t /*of*/) {}
    /// What should be said of a picture although it is used, see PictureRemark.
    virtual void on_remark(const ImageEntry& /*entry*/, std::string_view /*text*/) {}
    /// A picture without a row; status and reason as the manifest has them.
    virtual void on_skipped(const ImageEntry& /*entry*/, std::string_view /*status*/,
                            std::string_view /*reason*/) {}
    /// All inputs are accounted for: pictures that became rows, and pictures that were skipped.
    virtual void on_end(std::int64_t /*rows*/, std::int64_t /*skipped*/) {}
    /// Pictures, of so many, whose codes are taken from an earlier run's checkpoint.
    virtual void on_resumed(std::int64_t /*done*/, std::int64_t /*of*/) {}
    /// A checkpoint cannot be written; no other is tried.
    virtual void on_checkpoint_failed(const std::string& /*why*/) {}
    /// Asked again and again; true ends reading before the next pictures.
    virtual bool stop() { return false; }
};

/// Accounts for every input picture, so that a bad one never shifts a row: rows are numbered from 0 and
/// pictures that are skipped are counted; where it has a file, both are written as CSV
/// `path,row,label,status,reason` with a line a picture. status: `ok`, name(PictureStatus), or `unlabelled`.
class Manifest {
public:
    /// Without a file where the path is empty; else the file appears with finish(). The observer must outlive
    /// the manifest. Throws IoError when the file cannot be written.
    explicit Manifest(InputObserver& observer, const std::string& path = {});
    /// The file appears when `files` are committed, together with the output that it tells of.
    Manifest(InputObserver& observer, OutputFiles& files, const std::string& path);

    /// A picture that became the next row, and what should be said of it all the same.
    void used(const ImageEntry& entry, std::string_view remark = {});
    /// A picture without a row.
    void skipped(const ImageEntry& entry, std::string_view status, std::string_view reason);
    /// Every picture of a collection that was read, in order.
    void fill(const ImageDataset& pictures, const std::vector<SkippedPicture>& skipped,
              const std::vector<PictureRemark>& remarks);
    /// Completes the file and calls InputObserver::on_end(). Throws IoError when not one picture was used;
    /// then there is no output, and the file appears by itself.
    void finish();

    [[nodiscard]] std::int64_t rows() const { return rows_; }
    [[nodiscard]] std::int64_t skipped() const { return skipped_; }
    [[nodiscard]] InputObserver& observer() const { return observer_; }

private:
    InputObserver& observer_;
    OutputFiles own_;
    std::optional<OutputFile> file_;  ///< in own_ or in the caller's files
    bool shared_ = false;
    std::int64_t rows_ = 0;
    std::int64_t skipped_ = 0;
};

/// What became of a picture that was skipped, or what should be said of one that was not.
struct InputNote {
    std::int64_t index = 0;  ///< into all pictures of the inputs
    std::string status;      ///< as the manifest has it: `ok` of a remark
    std::string text;
};

/// Pictures of some inputs, prepared.
struct InputBatch {
    Tensor pictures;                    ///< n × preprocessing.size(); none where codes are an earlier run's
    std::vector<ImageEntry> entries;    ///< size n
    std::int64_t end = 0;               ///< where the next batch begins: an index into all pictures
    std::vector<InputNote> notes = {};  ///< on pictures from the batch's beginning to its end, in
                                        ///< their order; after the last batch, on what is left

    /// Of each row the index into all pictures. first: where the batch begins, `end` of the one before.
    [[nodiscard]] std::vector<std::int64_t> indices(std::int64_t first) const;
    /// Puts what is a row for each picture of the batch, such as codes, where it belongs among all.
    void scatter(const Tensor& rows, std::int64_t first, Tensor& all) const;
};

struct InputReaderOptions {
    std::int64_t batch_size = 256;
    int threads = 0;                                 ///< decoding threads; 0: one a core
    std::int64_t memory = std::int64_t{256} << 20U;  ///< bytes of pictures read ahead and in batches
    bool need_label = false;                         ///< pictures without a label are skipped
    std::optional<std::string> label = {};           ///< in place of their own
    std::int64_t first = 0;                          ///< picture of all inputs to begin with
};

/// Reads all inputs in order, in batches that run across them, and enters each picture into the manifest.
/// Inputs, preprocessing and manifest must outlive it.
class InputReader {
public:
    InputReader(const Inputs& inputs, const Preprocessing& preprocessing, const InputReaderOptions& options,
                Manifest& manifest);
    InputReader(const InputReader&) = delete;
    InputReader& operator=(const InputReader&) = delete;
    ~InputReader();

    /// The next batch of 1 to batch_size rows; false at the end, or where the manifest's observer says stop.
    bool next(InputBatch& batch);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stackae

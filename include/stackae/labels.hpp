#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "stackae/image_dataset.hpp"

namespace stackae {

/// Labels and groups of pictures out of a CSV file (also gzipped) with a header: columns `path` (or
/// `filename`), `label` and `group`, at least one of the latter two, in any order and among others, which are
/// passed over. A manifest is such a file too.
///
/// A path is a picture's as the manifest has it, or relative to the file's folder or to that of the input;
/// that of a file with several pictures (pages, rows of an array) stands for all of them that have no line of
/// their own. A field that is empty says nothing. Pictures of one group (a patient, a slide, a batch) are
/// never parted by splits; a picture without one is a group of its own.
class LabelFile {
public:
    /// Reads it. Throws IoError, CorruptFile (gzip), InvalidArgument naming the line, where it is no such
    /// table or names a path twice.
    explicit LabelFile(const std::string& path);
    LabelFile(LabelFile&&) noexcept;
    LabelFile& operator=(LabelFile&&) noexcept;
    ~LabelFile();

    /// The same pictures with the labels and groups of the file; they keep their own labels where the file
    /// has no column of them, and have none where it has one and no line of theirs. Pictures of several
    /// collections may be in one file.
    [[nodiscard]] ImageDataset apply(const ImageDataset& pictures);

    /// Sentences on what was left over so far: pictures without a line, lines without a picture. Throws
    /// InvalidArgument, with a line and a picture, where not one picture was found.
    [[nodiscard]] std::vector<std::string> notes() const;

private:
    struct Table;
    std::unique_ptr<Table> table_;
};

}  // namespace stackae

#pragma once

#include <string>
#include <vector>

#include "data/source.hpp"

namespace stackae::data {

/// A file, or a page of one, that is to be a picture.
struct FileEntry {
    ImageEntry entry;
    std::string failure{};  ///< why it cannot be read, where that is known already; else empty
    PictureStatus status = PictureStatus::unreadable;  ///< of the failure
    std::string file{};                                ///< where it is not entry.path; else empty
    Page page{};                                       ///< as DecodeOptions::page calls it
    std::vector<Page> channel_pages{};                 ///< several: the channels of one picture
    std::vector<std::string> channel_files{};          ///< likewise; `file` is the first of them

    [[nodiscard]] const std::string& path() const { return file.empty() ? entry.path : file; }
};

/// One file a picture, or a page of it, see with_pages(). notes: see ImageDataset::notes().
[[nodiscard]] SourcePointer file_source(std::string path, std::vector<FileEntry> entries,
                                        const PictureLimits& limits, std::vector<std::string> notes = {});

}  // namespace stackae::data

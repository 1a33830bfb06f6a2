#pragma once

#include <string>
#include <vector>

#include "image/source.hpp"

namespace stackae::image {

/// A file that is to be a picture.
struct FileEntry {
    PictureEntry entry;
    std::string failure{};  ///< why it cannot be read, where that is known already; else empty
};

/// One file a picture. notes: see Pictures::notes().
[[nodiscard]] SourcePointer file_source(std::string path, std::vector<FileEntry> entries,
                                        const PictureLimits& limits, std::vector<std::string> notes = {});

}  // namespace stackae::image

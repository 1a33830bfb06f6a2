#pragma once

#include <string>
#include <vector>

#include "stackae/image_dataset.hpp"

#include "data/file_source.hpp"

namespace stackae::data {

/// An entry for each page of the files named, in their order: scan.tif#1, scan.tif#2 and so on where there
/// are several. Looks into files that end in .tif or .tiff, and into the only one whatever its ending, for
/// their pages, with small reads and on several threads. What cannot be looked at is one picture that
/// failed. A path such as scan.tif#2 names a page where there is no such file. A file of one
/// page is one picture; of any, where limits.pages asks for the first alone or for channels.
[[nodiscard]] std::vector<FileEntry> with_pages(std::vector<FileEntry> entries, const PictureLimits& limits);

/// Whether a path is that of a file that is there with the number of a page after it, as in scan.tif#2.
[[nodiscard]] bool names_page(const std::string& path);

}  // namespace stackae::data

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/file_source.hpp"

namespace stackae::data {

/// What the path of a channel's file has in common with those of the picture's other channels: cells/a of
/// cells/a_ch1.png. Of several suffixes that fit the longest counts. Nothing where none fits.
[[nodiscard]] std::optional<std::string> stem_of(const std::string& path,
                                                 const std::vector<std::string>& suffixes);

/// Entries that stand for pictures in place of those that stand for files of their channels: each picture
/// once, where its first file was, with that label. Others stay as they are.
[[nodiscard]] std::vector<FileEntry> stems_of(std::vector<FileEntry> entries,
                                              const std::vector<std::string>& suffixes);

/// The same entries, with the files of their channels, which are looked for beside each other. An entry is
/// named by the stem, or by one of the files. One of which a channel is missing, or is there twice, has
/// failed.
[[nodiscard]] std::vector<FileEntry> with_channel_files(std::vector<FileEntry> entries,
                                                        const std::vector<std::string>& suffixes);

/// Whether a path is the stem of files of which at least one channel is there.
[[nodiscard]] bool names_channels(const std::string& path, const std::vector<std::string>& suffixes);

}  // namespace stackae::data

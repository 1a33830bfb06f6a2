#pragma once

#include <cstdint>
#include <string>
#include <utility>

/// The files that pictures' names (ImageEntry::path) lead to.
namespace stackae::pipeline {

/// The file of a picture's name, and what stands behind it: `scan.tif` and `#2`.
[[nodiscard]] std::pair<std::string, std::string> file_and_place(const std::string& path);

/// The same text for all names that lead to a picture.
[[nodiscard]] std::string resolved(const std::string& path);

/// Bytes of a picture that has a file to itself; else -1.
[[nodiscard]] std::int64_t file_size(const std::string& path);

/// A checksum of a file's bytes. Throws IoError.
[[nodiscard]] std::string file_hash(const std::string& path);

}  // namespace stackae::pipeline

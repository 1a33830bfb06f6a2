#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

/// The files that pictures' names (ImageEntry::path) lead to.
namespace stackae::pipeline {

/// The file of a picture's name, and what stands behind it: `scan.tif` and `#2`.
[[nodiscard]] std::pair<std::string, std::string> file_and_place(const std::string& path);

/// The same text for all names that lead to a picture.
[[nodiscard]] std::string resolved(const std::string& path);

/// Of each of `count` pictures the first one that its name leads to: itself, or one that was named before.
[[nodiscard]] std::vector<std::int64_t> same_pictures(
    std::int64_t count, const std::function<std::string(std::int64_t)>& path_of);

/// Bytes of a picture that has a file to itself; else -1.
[[nodiscard]] std::int64_t file_size(const std::string& path);

/// A checksum of a file's bytes. Throws IoError.
[[nodiscard]] std::uint64_t file_hash(const std::string& path);

}  // namespace stackae::pipeline

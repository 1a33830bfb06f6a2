#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "image/bytes.hpp"

namespace stackae::image {

/// Fills the span with a file's bytes from an offset. Throws where the file ends before.
using ReadAt = std::function<void(std::uint64_t offset, std::span<std::byte> bytes)>;

/// Most pages of a file: as many as libtiff 4.5 can tell apart.
inline constexpr std::size_t most_tiff_pages = 65535;

/// Where the directories of a TIFF's pages lie, found by following their chain with small reads. Reduced
/// copies and masks of a page (NewSubfileType, bits 0 and 2) are no pages, unless there is nothing else. The
/// chain ends at a directory that lies outside of the file or was met before. size: of the file. Empty where
/// the file has no directory that can be read, or is no TIFF. Throws BadPicture (unsupported) beyond
/// most_tiff_pages, and what `read` throws.
[[nodiscard]] std::vector<std::uint64_t> tiff_pages(std::uint64_t size, const ReadAt& read);
[[nodiscard]] std::vector<std::uint64_t> tiff_pages(ByteSpan file);

}  // namespace stackae::image

#pragma once

#include <cstdint>
#include <vector>

#include "data/image/page.hpp"
#include "data/random_access.hpp"

namespace stackae::data {

/// Most pages of a file: as many as libtiff 4.5 can tell apart.
inline constexpr std::size_t most_tiff_pages = 65535;

/// Where a TIFF's pages lie, found by following the chain of their directories with small reads. Reduced
/// copies and masks of a page (NewSubfileType, bits 0 and 2) are no pages, unless there is nothing else. The
/// chain ends at a directory that lies outside of the file or was met before. The slices behind the only
/// directory of a stack by ImageJ are pages too, see tiff_slices(). Empty where the file has no directory
/// that can be read, or is no TIFF. Throws BadPicture (unsupported) beyond most_tiff_pages, IoError.
[[nodiscard]] std::vector<Page> tiff_pages(const RandomAccess& file);

}  // namespace stackae::data

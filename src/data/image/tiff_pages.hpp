#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "data/image/tiff_directory.hpp"

namespace stackae::data {

/// Most pages of a file: as many as libtiff 4.5 can tell apart.
inline constexpr std::size_t max_tiff_pages = 65535;

/// Where a TIFF's pages lie, found by following the chain of their directories with small reads. Reduced
/// copies and masks of a page (NewSubfileType, bits 0 and 2) are no pages, unless there is nothing else. The
/// chain ends at a directory that lies outside of the file or was met before. The slices behind the only
/// directory of a stack by ImageJ are pages too, see tiff_slices(). Empty where the file has no directory
/// that can be read, or is no TIFF. Throws BadPicture (unsupported) beyond max_tiff_pages, IoError.
[[nodiscard]] std::vector<Page> tiff_pages(const RandomAccess& file);

/// The slices of a stack, one after the other behind one directory.
struct TiffSlices {
    std::uint64_t count = 1;
    std::uint64_t bytes = 0;  ///< of each
    bool whole = true;        ///< all lie in the file
};

/// ImageJ writes a directory for the first slice alone where a stack is larger than 4 GiB; its description
/// tells how many there are. Nothing where the directory is another's, has a further one behind it, or its
/// slices cannot lie so: compressed or in several strips. Throws IoError.
[[nodiscard]] std::optional<TiffSlices> tiff_slices(const RandomAccess& file, const TiffDirectory& directory);

/// Whether a TIFF is a camera's raw picture (DNG, NEF, CR2, ARW and the like): their pixels are a sensor's,
/// and what can be read is a thumbnail or a preview. directory: the file's page that is to be read. Throws
/// BadPicture, IoError.
[[nodiscard]] bool is_camera_raw(const RandomAccess& file, const TiffHeader& header,
                                 const TiffDirectory& directory);

}  // namespace stackae::data

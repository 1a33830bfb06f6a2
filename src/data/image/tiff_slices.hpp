#pragma once

#include <cstdint>
#include <optional>

#include "data/image/tiff_directory.hpp"

namespace stackae::data {

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

}  // namespace stackae::data

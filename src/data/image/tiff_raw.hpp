#pragma once

#include "data/image/tiff_directory.hpp"

namespace stackae::data {

/// Whether a TIFF is a camera's raw picture (DNG, NEF, CR2, ARW and the like): their pixels are a sensor's,
/// and what can be read is a thumbnail or a preview. directory: the file's page that is to be read. Throws
/// BadPicture, IoError.
[[nodiscard]] bool is_camera_raw(const RandomAccess& file, const TiffHeader& header,
                                 const TiffDirectory& directory);

}  // namespace stackae::data

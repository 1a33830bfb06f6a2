#pragma once

#include "image/exif.hpp"

namespace stackae::image {

/// Whether a TIFF is a camera's raw picture (DNG, NEF, CR2, ARW and the like): their pixels are a sensor's,
/// and what can be read is a thumbnail or a preview. directory: the file's page that is to be read.
[[nodiscard]] bool is_camera_raw(ByteSpan file, const TiffDirectory& directory);

}  // namespace stackae::image

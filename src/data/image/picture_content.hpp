#pragma once

#include <cstdint>
#include <optional>

#include "stackae/image_dataset.hpp"

namespace stackae::data {

/// What a picture is, once decoded.
struct PictureContent {
    int width = 0;
    int height = 0;
    std::optional<std::uint64_t> pixels;  ///< a checksum of their values, type and size; none: not decoded
};

/// Decodes picture i of a collection as it is. Throws BadPicture.
[[nodiscard]] PictureContent picture_content(const ImageDataset& pictures, std::int64_t i);

}  // namespace stackae::data

#pragma once

#include <string>
#include <vector>

#include "image/decoder.hpp"

namespace stackae::image {

/// Decodes the bytes of a picture file of any format upright. Throws BadPicture: corrupt, too_large,
/// unsupported.
[[nodiscard]] Picture decode(ByteSpan file, const DecodeOptions& options);

/// The bytes of a picture file. Throws BadPicture: missing, unreadable, too_large.
[[nodiscard]] std::vector<std::byte> read_picture_file(const std::string& path, const PictureLimits& limits);

/// Both.
[[nodiscard]] Picture decode_file(const std::string& path, const DecodeOptions& options);
/// More than that is in no picture within the limits.
[[nodiscard]] std::uint64_t most_file_bytes(const PictureLimits& limits);

}  // namespace stackae::image

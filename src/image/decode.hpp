#pragma once

#include <string>
#include <vector>

#include "image/decoder.hpp"

namespace stackae::image {

/// Decodes the bytes of a picture file of any format upright. Throws BadPicture: corrupt, too_large,
/// unsupported.
[[nodiscard]] Picture decode(ByteSpan file, const DecodeOptions& options);

/// The bytes of a picture file; of one that no decoder takes only the first are read. Throws BadPicture:
/// missing, unreadable, too_large, and what decoder_of() throws.
[[nodiscard]] std::vector<std::byte> read_picture_file(const std::string& path, const PictureLimits& limits);

/// Both.
[[nodiscard]] Picture decode_file(const std::string& path, const DecodeOptions& options);
/// A larger file is refused: what a picture within the limits takes decoded, and a margin.
[[nodiscard]] std::uint64_t most_file_bytes(const PictureLimits& limits);
/// Why a file cannot be read: missing or unreadable.
[[nodiscard]] BadPicture bad_file(const std::string& path, const IoError& failure);

}  // namespace stackae::image

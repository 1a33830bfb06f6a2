#pragma once

#include <string>

#include "data/image/decoder.hpp"

namespace stackae::data {

/// Decodes the bytes of a picture file of any format upright. Throws BadPicture: corrupt, too_large,
/// unsupported.
[[nodiscard]] Picture decode(ByteSpan file, const DecodeOptions& options);

/// The same of a file; of one that no decoder takes only the first bytes are read. Throws BadPicture also:
/// missing, unreadable.
[[nodiscard]] Picture decode_file(const std::string& path, const DecodeOptions& options);
/// A larger file is refused where it has to be in memory: what a picture within the limits takes decoded, and
/// a margin.
[[nodiscard]] std::uint64_t max_file_bytes(const PictureLimits& limits);
/// Why a file cannot be read: missing or unreadable.
[[nodiscard]] BadPicture bad_file(const std::string& path, const IoError& failure);

}  // namespace stackae::data

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "stackae/image_dataset.hpp"
#include "stackae/preprocessing.hpp"

#include "data/bytes.hpp"
#include "data/image/picture.hpp"
#include "data/random_access.hpp"

namespace stackae::data {

/// How a picture is wanted.
struct DecodeOptions {
    const PictureLimits& limits;
    const Preprocessing* preprocessing =
        nullptr;  ///< what it will be brought to, so that a large one may come reduced; or null
    Page page{};  ///< of formats that have pages
};

/// One picture format.
struct Decoder {
    std::string_view name;     ///< as messages call it
    std::string_view endings;  ///< of file names, in lower case, parted by spaces
    bool (*recognizes)(ByteSpan file);
    /// The whole file to an upright picture: gray or R, G, B, alpha last. Values of 8 or 16 bits come as they
    /// are, with the white they are counted to; others as floats. Prints nothing; safe from several threads.
    /// Throws BadPicture.
    Picture (*decode)(ByteSpan file, const DecodeOptions& options);
    /// The same of a file of which only what the picture needs is read; null where it has to be in memory.
    /// Throws IoError as well.
    Picture (*decode_in_place)(const RandomAccess& file, const DecodeOptions& options) = nullptr;
};

/// All formats: the one place where they are listed.
[[nodiscard]] std::span<const Decoder> decoders();

/// By the first bytes. Throws BadPicture (corrupt: empty; unsupported, naming what was found).
[[nodiscard]] const Decoder& decoder_of(ByteSpan file);

/// Whether a file of this name is taken for a picture in a folder.
[[nodiscard]] bool is_picture_name(std::string_view name);

/// Throws BadPicture: corrupt where a side is 0, too_large where the pixels, or the bytes they take decoded,
/// go beyond the limits. beside: bytes that are held as well meanwhile. To be called before memory is taken.
void check_size(std::uint64_t width, std::uint64_t height, std::uint64_t bytes_a_pixel,
                const PictureLimits& limits, std::uint64_t beside = 0);

}  // namespace stackae::data

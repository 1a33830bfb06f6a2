#pragma once

#include "image/decoder.hpp"

/// The formats' decoders, as Decoder::decode describes them. decoder.cpp lists them.
namespace stackae::image {

/// By libpng. Every chunk's checksum must fit.
[[nodiscard]] Picture decode_png(ByteSpan file, const DecodeOptions& options);

/// By libjpeg, whose warnings tell a picture that is cut short or damaged. With a recipe, the picture may
/// come at 1/2, 1/4 or 1/8 of its size, at least twice as large as the recipe needs it, and gray where the
/// recipe is gray.
[[nodiscard]] Picture decode_jpeg(ByteSpan file, const DecodeOptions& options);

// By OpenCV.
[[nodiscard]] Picture decode_bmp(ByteSpan file, const DecodeOptions& options);
[[nodiscard]] Picture decode_tiff(ByteSpan file, const DecodeOptions& options);
[[nodiscard]] Picture decode_webp(ByteSpan file, const DecodeOptions& options);
[[nodiscard]] Picture decode_pnm(ByteSpan file, const DecodeOptions& options);

}  // namespace stackae::image

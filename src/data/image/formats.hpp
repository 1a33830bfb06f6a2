#pragma once

#include <cstddef>
#include <opencv2/core.hpp>
#include <vector>

#include "data/image/decoder.hpp"
#include "data/random_access.hpp"

/// The formats' decoders, as Decoder::decode describes them. decoder.cpp lists them.
namespace stackae::data {

/// By libpng. Every chunk's checksum must fit.
[[nodiscard]] Picture decode_png(ByteSpan file, const DecodeOptions& options);

/// By libjpeg, whose warnings tell a picture that is cut short or damaged. Where the preprocessing is given,
/// the picture may come at 1/2, 1/4 or 1/8 of its size, at least twice as large as that needs it, and gray
/// where gray is asked for.
[[nodiscard]] Picture decode_jpeg(ByteSpan file, const DecodeOptions& options);
/// A JPEG file of a picture of gray bytes, quality 1 to 100.
[[nodiscard]] std::vector<std::byte> encode_jpeg(const cv::Mat& gray, int quality);

/// Windows' and OS/2's, of every kind but Huffman 1D. Channels of other than 8 bits come as 16.
[[nodiscard]] Picture decode_bmp(ByteSpan file, const DecodeOptions& options);

/// PBM, PGM and PPM, plain and raw, PAM of gray or RGB with or without alpha, PFM. Of several pictures in a
/// row the first, with a remark.
[[nodiscard]] Picture decode_pnm(ByteSpan file, const DecodeOptions& options);

/// By giflib. The first frame on its screen, which is transparent beside it.
[[nodiscard]] Picture decode_gif(ByteSpan file, const DecodeOptions& options);

/// By OpenJPEG: JP2 and bare code streams.
[[nodiscard]] Picture decode_jpeg2000(ByteSpan file, const DecodeOptions& options);

/// By libavif. The first frame, cut, turned and mirrored as the container says.
[[nodiscard]] Picture decode_avif(ByteSpan file, const DecodeOptions& options);

/// By libheif. The primary picture, cut, turned and mirrored as the container says.
[[nodiscard]] Picture decode_heif(ByteSpan file, const DecodeOptions& options);

/// By libjxl. The first frame.
[[nodiscard]] Picture decode_jpeg_xl(ByteSpan file, const DecodeOptions& options);

/// By libtiff; what the page needs is read. Without a page in the options the first comes, and a remark tells
/// of others. Whole numbers keep their bits; CIELab, LogLuv and YCbCr come as 8 bits of R, G, B.
[[nodiscard]] Picture decode_tiff(const RandomAccess& file, const DecodeOptions& options);

/// By libwebp; the first frame of an animation, on its canvas, by libwebpdemux too.
[[nodiscard]] Picture decode_webp(ByteSpan file, const DecodeOptions& options);

}  // namespace stackae::data

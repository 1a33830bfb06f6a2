#include "data/image/tiff_samples.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <vector>

#include "data/image/decoder.hpp"
#include "data/image/picture.hpp"

namespace stackae::data {
namespace {

bool is_deflate(std::uint16_t compression) {
    return compression == COMPRESSION_DEFLATE || compression == COMPRESSION_ADOBE_DEFLATE;
}

/// A piece that is decoded at once, in pixels of the picture.
struct Piece {
    std::uint32_t index = 0;  ///< as libtiff counts
    cv::Rect place;
    int plane = 0;
};

/// Strips and tiles alike: how a picture is cut.
class Pieces {
public:
    Pieces(const TiffFile& tiff, const TiffLayout& layout, const PictureLimits& limits)
        : tiff_(tiff),
          tiled_(tiff.library().is_tiled(tiff.handle()) != 0),
          plain_(layout.compression == COMPRESSION_NONE),
          deflate_(is_deflate(layout.compression) &&
                   tiff.number<std::uint16_t>(TIFFTAG_FILLORDER, FILLORDER_MSB2LSB) == FILLORDER_MSB2LSB),
          width_(layout.width),
          height_(tiff.number<std::uint32_t>(TIFFTAG_ROWSPERSTRIP, layout.height)) {
        const TiffLibrary& library = tiff.library();
        if (tiled_) {
            width_ = tiff.number<std::uint32_t>(TIFFTAG_TILEWIDTH, 0);
            height_ = tiff.number<std::uint32_t>(TIFFTAG_TILELENGTH, 0);
            check_size(width_, height_, layout.bytes_a_pixel(), limits);  // it may be larger than the picture
        }
        height_ = tiled_ ? height_ : std::min(height_, layout.height);
        if (height_ == 0) {
            corrupt("TIFF of 0 rows a strip");
        }
        row_bytes_ = tiled_ ? library.tile_row_size(tiff.handle()) : library.row_size(tiff.handle());
        const std::uint64_t bits =
            std::uint64_t{width_} * static_cast<unsigned>(layout.samples_together()) * layout.format.bits;
        if (!layout.by_libtiff && row_bytes_ < (bits + 7) / 8) {
            corrupt(fmt::format("TIFF: rows of {} bytes found, {} expected", row_bytes_, (bits + 7) / 8));
        }
        std::uint64_t held = 0;  // a fax is decoded twice
        if (__builtin_mul_overflow(row_bytes_, std::uint64_t{height_} * (layout.is_fax() ? 2 : 1), &held)) {
            held = UINT64_MAX;
        }
        check_size(layout.width, layout.height, layout.bytes_a_pixel(), limits, held);
    }

    /// Of one row; it has the whole piece's width, also where the piece juts out of the picture.
    [[nodiscard]] std::size_t row_bytes() const { return row_bytes_; }
    [[nodiscard]] std::size_t bytes() const { return row_bytes_ * height_; }

    /// Calls `body` with each.
    template <class Body>
    void each(const TiffLayout& layout, const Body& body) const {
        for (int plane = 0; plane < layout.planes(); ++plane) {
            for (std::uint32_t y = 0; y < layout.height; y += std::min(height_, layout.height - y)) {
                for (std::uint32_t x = 0; x < layout.width; x += std::min(width_, layout.width - x)) {
                    const cv::Rect place(static_cast<int>(x), static_cast<int>(y),
                                         static_cast<int>(std::min(width_, layout.width - x)),
                                         static_cast<int>(std::min(height_, layout.height - y)));
                    const auto sample = static_cast<std::uint16_t>(plane);
                    body(Piece{tiled_ ? tiff_.library().tile_index(tiff_.handle(), x, y, 0, sample)
                                      : tiff_.library().strip_index(tiff_.handle(), y, sample),
                               place, plane});
                }
            }
        }
    }

    /// Decodes to `bytes`, which is as long as bytes() says. Throws BadPicture.
    void decode(TiffFile& tiff, const Piece& piece, std::vector<std::byte>& bytes) const {
        const std::size_t rows = tiled_ ? height_ : static_cast<std::size_t>(piece.place.height);
        const auto expected = static_cast<tmsize_t>(rows * row_bytes_);
        tiff.check_data(piece.index, plain_ ? rows * row_bytes_ : 0);
        if (deflate_) {
            tiff.check_deflate(piece.index, this->bytes());
        }
        const auto read = tiled_ ? tiff_.library().read_tile : tiff_.library().read_strip;
        tiff.check(read(tiff.handle(), piece.index, bytes.data(), expected) == expected);
    }

private:
    const TiffFile& tiff_;
    bool tiled_;
    bool plain_;
    bool deflate_;
    std::uint32_t width_;
    std::uint32_t height_;
    std::uint64_t row_bytes_ = 0;
};

/// One row of a piece into the picture, whose pixels have layout.samples values.
void place_row(const TiffLayout& layout, const Piece& piece, const std::byte* from,
               std::vector<std::byte>& scratch, unsigned char* to) {
    const auto count = static_cast<std::size_t>(piece.place.width * layout.samples_together());
    if (!layout.separate) {
        unpack(layout.format, from, count, to);
        return;
    }
    const auto size = static_cast<std::size_t>(CV_ELEM_SIZE1(layout.format.depth()));
    scratch.resize(count * size);
    unpack(layout.format, from, count, scratch.data());
    to += static_cast<std::size_t>(piece.plane) * size;
    for (std::size_t i = 0; i < count; ++i, to += size * layout.samples) {
        std::memcpy(to, scratch.data() + i * size, size);
    }
}

/// Whether two pieces of whole numbers agree; the bits that fill up a row do not matter.
bool have_same_pixels(const TiffLayout& layout, const Piece& piece, std::size_t row_bytes, const std::byte* a,
                      const std::byte* b) {
    const auto count = static_cast<std::size_t>(piece.place.width * layout.samples_together());
    std::vector<std::byte> first(count * static_cast<std::size_t>(CV_ELEM_SIZE1(layout.format.depth())));
    std::vector<std::byte> second(first.size());
    for (int y = 0; y < piece.place.height; ++y, a += row_bytes, b += row_bytes) {
        unpack(layout.format, a, count, first.data());
        unpack(layout.format, b, count, second.data());
        if (first != second) {
            return false;
        }
    }
    return true;
}

}  // namespace

cv::Mat stored_samples(TiffFile& tiff, const TiffLayout& layout, const PictureLimits& limits) {
    const Pieces pieces(tiff, layout, limits);
    cv::Mat stored(static_cast<int>(layout.height), static_cast<int>(layout.width),
                   CV_MAKETYPE(layout.format.depth(), layout.samples));
    std::vector<std::byte> bytes(pieces.bytes());
    std::vector<std::byte> again(layout.is_fax() ? pieces.bytes() : 0);
    std::vector<std::byte> scratch;
    pieces.each(layout, [&](const Piece& piece) {
        pieces.decode(tiff, piece, bytes);
        if (!again.empty()) {
            // libtiff takes an early end of a fax for the whole and leaves the other lines as they were.
            std::transform(bytes.begin(), bytes.end(), again.begin(), [](std::byte b) { return ~b; });
            pieces.decode(tiff, piece, again);
            if (!have_same_pixels(layout, piece, pieces.row_bytes(), bytes.data(), again.data())) {
                corrupt("TIFF: fax data that ends before the picture");
            }
        }
        const std::size_t offset = stored.elemSize() * static_cast<std::size_t>(piece.place.x);
        for (int y = 0; y < piece.place.height; ++y) {
            place_row(layout, piece, bytes.data() + static_cast<std::size_t>(y) * pieces.row_bytes(), scratch,
                      stored.ptr(piece.place.y + y) + offset);
        }
    });
    return stored;
}

cv::Mat samples_by_libtiff(TiffFile& tiff, const TiffLayout& layout, const PictureLimits& limits) {
    const Pieces pieces(tiff, layout, limits);  // checks their size
    TIFFRGBAImage reader{};
    std::array<char, 1024> reason{};
    if (tiff.library().rgba_begin(&reader, tiff.handle(), 1, reason.data()) != 1) {
        tiff.check_input();
        unsupported(fmt::format("TIFF: {}", reason.data()));
    }
    const std::unique_ptr<TIFFRGBAImage, decltype(TIFFRGBAImageEnd)*> end(&reader, tiff.library().rgba_end);
    reader.req_orientation = reader.orientation;  // as stored
    const std::uint64_t plain_bytes = layout.compression == COMPRESSION_NONE ? 1 : 0;
    pieces.each(layout, [&](const Piece& piece) { tiff.check_data(piece.index, plain_bytes); });
    std::vector<std::uint32_t> raster(std::size_t{layout.width} * layout.height);
    tiff.forget();
    tiff.check(tiff.library().rgba_get(&reader, raster.data(), layout.width, layout.height) == 1);
    cv::Mat pixels(static_cast<int>(layout.height), static_cast<int>(layout.width), CV_8UC3);
    for (std::size_t i = 0; i < raster.size(); ++i) {
        pixels.data[3 * i] = static_cast<unsigned char>(TIFFGetR(raster[i]));
        pixels.data[3 * i + 1] = static_cast<unsigned char>(TIFFGetG(raster[i]));
        pixels.data[3 * i + 2] = static_cast<unsigned char>(TIFFGetB(raster[i]));
    }
    return pixels;
}

}  // namespace stackae::data

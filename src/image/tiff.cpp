#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <vector>

#include "image/colours.hpp"
#include "image/decode.hpp"
#include "image/exif.hpp"
#include "image/formats.hpp"
#include "image/samples.hpp"
#include "image/tiff_file.hpp"
#include "image/tiff_pages.hpp"
#include "image/tiff_palette.hpp"
#include "image/tiff_raw.hpp"

namespace stackae::image {
namespace {

enum class Alpha { none, unused, unassociated, associated };

/// What a directory says of its picture.
struct Layout {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint16_t compression = COMPRESSION_NONE;
    std::uint16_t photometric = PHOTOMETRIC_MINISBLACK;
    std::uint16_t samples = 1;
    SampleFormat format;
    Alpha alpha = Alpha::none;
    bool separate = false;  ///< a plane for each sample
    int orientation = 1;
    bool by_libtiff = false;  ///< libtiff brings the colours to 8 bits of R, G, B

    [[nodiscard]] int planes() const { return separate ? samples : 1; }
    [[nodiscard]] int samples_together() const { return separate ? 1 : samples; }
    /// Of the samples as they are stored, and of the picture that is made of them where it is another.
    [[nodiscard]] std::uint64_t bytes_a_pixel() const {
        if (by_libtiff) {
            return 7;
        }
        const auto sample = static_cast<std::uint64_t>(CV_ELEM_SIZE1(format.depth()));
        std::uint64_t made = alpha == Alpha::unused ? samples - 1U : 0U;
        if (photometric == PHOTOMETRIC_SEPARATED) {
            made += (samples - 1U);
        }
        made *= sample;
        if (photometric == PHOTOMETRIC_CIELAB) {
            made += 3 * sizeof(float);
        } else if (photometric == PHOTOMETRIC_PALETTE) {
            made += (samples + 2U) * sizeof(std::uint16_t);
        }
        return samples * sample + made;
    }
};

[[noreturn]] void unsupported(const std::string& reason) {
    throw BadPicture(PictureStatus::unsupported, reason);
}

bool is_fax(std::uint16_t compression) {
    return compression == COMPRESSION_CCITTRLE || compression == COMPRESSION_CCITTRLEW ||
           compression == COMPRESSION_CCITTFAX3 || compression == COMPRESSION_CCITTFAX4;
}

bool is_deflate(std::uint16_t compression) {
    return compression == COMPRESSION_DEFLATE || compression == COMPRESSION_ADOBE_DEFLATE;
}

/// By what is usual where the file does not say.
std::uint16_t photometric_of(const TiffFile& tiff, std::uint16_t samples, std::uint16_t compression) {
    const std::uint16_t usual = samples >= 3          ? PHOTOMETRIC_RGB
                                : is_fax(compression) ? PHOTOMETRIC_MINISWHITE
                                                      : PHOTOMETRIC_MINISBLACK;
    return tiff.number<std::uint16_t>(TIFFTAG_PHOTOMETRIC, usual);
}

/// Colours that libtiff itself converts, always to 8 bits.
bool is_converted_by_libtiff(std::uint16_t photometric) {
    return photometric == PHOTOMETRIC_YCBCR || photometric == PHOTOMETRIC_LOGL ||
           photometric == PHOTOMETRIC_LOGLUV;
}

int colours_of(std::uint16_t photometric) {
    switch (photometric) {
        case PHOTOMETRIC_MINISWHITE:
        case PHOTOMETRIC_MINISBLACK:
        case PHOTOMETRIC_PALETTE:
        case PHOTOMETRIC_LOGL:
            return 1;
        case PHOTOMETRIC_RGB:
        case PHOTOMETRIC_YCBCR:
        case PHOTOMETRIC_CIELAB:
        case PHOTOMETRIC_LOGLUV:
            return 3;
        case PHOTOMETRIC_SEPARATED:
            return 4;
        default:
            unsupported(fmt::format(
                "TIFF of photometric interpretation {} found; gray, RGB, palette, CMYK, YCbCr, CIELab "
                "or LogLuv expected",
                photometric));
    }
}

SampleFormat format_of(const TiffFile& tiff) {
    std::uint16_t bits = 1;
    std::uint16_t kind = SAMPLEFORMAT_UINT;
    tiff.library().get_field_defaulted(tiff.handle(), TIFFTAG_BITSPERSAMPLE, &bits);
    tiff.library().get_field_defaulted(tiff.handle(), TIFFTAG_SAMPLEFORMAT, &kind);
    const bool whole = kind == SAMPLEFORMAT_UINT || kind == SAMPLEFORMAT_VOID;
    const SampleFormat format{whole ? SampleKind::whole : SampleKind::floating, bits};
    if ((!whole && kind != SAMPLEFORMAT_IEEEFP) || !format.is_known()) {
        const char* name = kind == SAMPLEFORMAT_INT      ? "signed whole numbers"
                           : whole                       ? "whole numbers"
                           : kind == SAMPLEFORMAT_IEEEFP ? "floats"
                                                         : "complex numbers";
        unsupported(fmt::format(
            "TIFF of {} of {} bits found; unsigned whole numbers of 1 to 32 bits, or floats of 16, 32 or "
            "64, expected",
            name, bits));
    }
    return format;
}

/// stated: whether the directory itself says what the further samples are.
Alpha alpha_of(const TiffFile& tiff, const Layout& layout, bool stated) {
    const int colours = colours_of(layout.photometric);
    const int further = layout.samples - colours;
    if (further < 0) {
        corrupt(fmt::format("TIFF of {} samples a pixel found; {} expected for its colours", layout.samples,
                            colours));
    }
    const bool bare = layout.by_libtiff || layout.photometric == PHOTOMETRIC_CIELAB;
    if (further > 1 || (further == 1 && bare)) {
        unsupported(fmt::format("TIFF of {} samples a pixel found; {} for its colours{} expected",
                                layout.samples, colours, bare ? "" : ", and one for alpha at most,"));
    }
    if (further == 0) {
        return Alpha::none;
    }
    std::uint16_t count = 0;
    const std::uint16_t* kinds = nullptr;
    if (!stated || tiff.library().get_field(tiff.handle(), TIFFTAG_EXTRASAMPLES, &count, &kinds) != 1 ||
        count == 0) {
        return Alpha::unassociated;
    }
    return kinds[0] == EXTRASAMPLE_ASSOCALPHA   ? Alpha::associated
           : kinds[0] == EXTRASAMPLE_UNASSALPHA ? Alpha::unassociated
                                                : Alpha::unused;
}

Layout layout_of(TiffFile& tiff, bool alpha_stated) {
    Layout layout;
    layout.width = tiff.number<std::uint32_t>(TIFFTAG_IMAGEWIDTH, 0);
    layout.height = tiff.number<std::uint32_t>(TIFFTAG_IMAGELENGTH, 0);
    layout.samples = tiff.number<std::uint16_t>(TIFFTAG_SAMPLESPERPIXEL, 1);
    layout.compression = tiff.number<std::uint16_t>(TIFFTAG_COMPRESSION, COMPRESSION_NONE);
    layout.photometric = photometric_of(tiff, layout.samples, layout.compression);
    layout.separate =
        tiff.number<std::uint16_t>(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE;
    layout.orientation = tiff.number<std::uint16_t>(TIFFTAG_ORIENTATION, 1);
    if (tiff.library().has_codec(layout.compression) == 0) {
        unsupported(
            fmt::format("TIFF of compression {} found, which libtiff is built without", layout.compression));
    }
    if (layout.compression == COMPRESSION_JPEG && layout.photometric == PHOTOMETRIC_YCBCR &&
        !layout.separate) {
        tiff.library().set_field(tiff.handle(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        layout.photometric = PHOTOMETRIC_RGB;
    }
    layout.by_libtiff = is_converted_by_libtiff(layout.photometric);
    if (!layout.by_libtiff) {
        layout.format = format_of(tiff);
    }
    layout.alpha = alpha_of(tiff, layout, alpha_stated);
    if (layout.photometric == PHOTOMETRIC_PALETTE &&
        (layout.format.kind != SampleKind::whole || layout.format.bits > 16)) {
        unsupported(
            fmt::format("TIFF with a palette of {} bits found; 1 to 16 expected", layout.format.bits));
    }
    if (layout.photometric == PHOTOMETRIC_CIELAB &&
        (layout.format.kind != SampleKind::whole || (layout.format.bits != 8 && layout.format.bits != 16))) {
        unsupported(fmt::format("TIFF of CIELab in {} bits found; 8 or 16 expected", layout.format.bits));
    }
    return layout;
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
    Pieces(const TiffFile& tiff, const Layout& layout, const PictureLimits& limits)
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
        if (__builtin_mul_overflow(row_bytes_, std::uint64_t{height_} * (is_fax(layout.compression) ? 2 : 1),
                                   &held)) {
            held = UINT64_MAX;
        }
        check_size(layout.width, layout.height, layout.bytes_a_pixel(), limits, held);
    }

    /// Of one row; it has the whole piece's width, also where the piece juts out of the picture.
    [[nodiscard]] std::size_t row_bytes() const { return row_bytes_; }
    [[nodiscard]] std::size_t bytes() const { return row_bytes_ * height_; }

    /// Calls `body` with each.
    template <class Body>
    void each(const Layout& layout, const Body& body) const {
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
        tiff.check_data(piece.index, plain_ ? rows * row_bytes_ : 1);
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
void place_row(const Layout& layout, const Piece& piece, const std::byte* from,
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
bool have_same_pixels(const Layout& layout, const Piece& piece, std::size_t row_bytes, const std::byte* a,
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

/// All samples as they are stored: height × width × layout.samples.
cv::Mat stored_samples(TiffFile& tiff, const Layout& layout, const PictureLimits& limits) {
    const Pieces pieces(tiff, layout, limits);
    cv::Mat stored(static_cast<int>(layout.height), static_cast<int>(layout.width),
                   CV_MAKETYPE(layout.format.depth(), layout.samples));
    std::vector<std::byte> bytes(pieces.bytes());
    std::vector<std::byte> again(is_fax(layout.compression) ? pieces.bytes() : 0);
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

/// Black is zero. premultiplied: white is what alpha lets of it.
template <class T>
void invert_gray(cv::Mat& pixels, double white, bool premultiplied) {
    const int channels = pixels.channels();
    for (int y = 0; y < pixels.rows; ++y) {
        auto* pixel = pixels.ptr<T>(y);
        for (int x = 0; x < pixels.cols; ++x, pixel += channels) {
            const T most = premultiplied ? pixel[1] : static_cast<T>(white);
            pixel[0] = static_cast<T>(most - std::min(most, pixel[0]));
        }
    }
}

void drop_last_channel(cv::Mat& pixels) {
    const int channels = pixels.channels() - 1;
    cv::Mat kept(pixels.size(), CV_MAKETYPE(pixels.depth(), channels));
    for (int c = 0; c < channels; ++c) {
        const std::array<int, 2> from_to{c, c};
        cv::mixChannels(&pixels, 1, &kept, 1, from_to.data(), 1);
    }
    pixels = kept;
}

/// The chromaticity of white, D50's where the file does not say. libtiff's own conversion is not used: it
/// leaves out the adaptation to the screen's white, which tints the picture.
std::array<float, 2> white_of_lab(const TiffFile& tiff) {
    const float* stated = nullptr;
    if (tiff.library().get_field(tiff.handle(), TIFFTAG_WHITEPOINT, &stated) == 1 && stated[0] > 0.0F &&
        stated[1] > 0.0F && stated[0] + stated[1] < 1.0F) {
        return {stated[0], stated[1]};
    }
    return {0.3457F, 0.3585F};
}

/// Stored samples to gray or R, G, B.
Picture coloured(const TiffFile& tiff, const Layout& layout, cv::Mat stored) {
    Picture picture;
    picture.white = layout.format.white();
    picture.premultiplied = layout.alpha == Alpha::associated;
    if (layout.alpha == Alpha::unused) {
        drop_last_channel(stored);
    }
    if (layout.photometric == PHOTOMETRIC_MINISWHITE) {
        const bool associated = picture.premultiplied;
        stored.depth() == CV_8U    ? invert_gray<std::uint8_t>(stored, picture.white, associated)
        : stored.depth() == CV_16U ? invert_gray<std::uint16_t>(stored, picture.white, associated)
                                   : invert_gray<float>(stored, picture.white, associated);
    } else if (layout.photometric == PHOTOMETRIC_SEPARATED) {
        stored = cmyk_to_rgb(stored, picture.white, false);
    } else if (layout.photometric == PHOTOMETRIC_CIELAB) {
        stored = lab_to_rgb(stored, white_of_lab(tiff));
        picture.white = 1.0;
    } else if (layout.photometric == PHOTOMETRIC_PALETTE) {
        stored = palette_colours(tiff, layout.format.bits, stored, picture.white);
        picture.white = stored.depth() == CV_16U ? 65535.0 : 255.0;
    }
    picture.pixels = stored;
    return picture;
}

/// YCbCr and LogLuv.
Picture converted_by_libtiff(TiffFile& tiff, const Layout& layout, const PictureLimits& limits) {
    const Pieces pieces(tiff, layout, limits);  // checks their size
    TIFFRGBAImage reader{};
    std::array<char, 1024> reason{};
    if (tiff.library().rgba_begin(&reader, tiff.handle(), 1, reason.data()) != 1) {
        unsupported(fmt::format("TIFF: {}", reason.data()));
    }
    const std::unique_ptr<TIFFRGBAImage, decltype(TIFFRGBAImageEnd)*> end(&reader, tiff.library().rgba_end);
    reader.req_orientation = reader.orientation;  // as stored
    pieces.each(layout, [&](const Piece& piece) { tiff.check_data(piece.index, 1); });
    std::vector<std::uint32_t> raster(std::size_t{layout.width} * layout.height);
    tiff.forget();
    tiff.check(tiff.library().rgba_get(&reader, raster.data(), layout.width, layout.height) == 1);
    Picture picture;
    picture.pixels.create(static_cast<int>(layout.height), static_cast<int>(layout.width), CV_8UC3);
    for (std::size_t i = 0; i < raster.size(); ++i) {
        picture.pixels.data[3 * i] = static_cast<unsigned char>(TIFFGetR(raster[i]));
        picture.pixels.data[3 * i + 1] = static_cast<unsigned char>(TIFFGetG(raster[i]));
        picture.pixels.data[3 * i + 2] = static_cast<unsigned char>(TIFFGetB(raster[i]));
    }
    return picture;
}

}  // namespace

Picture decode_tiff(ByteSpan file, const DecodeOptions& options) {
    auto directory = static_cast<std::uint64_t>(options.page);
    std::size_t pages = 1;
    if (directory == 0) {
        const std::vector<std::uint64_t> all = tiff_pages(file);
        if (all.empty()) {
            corrupt("TIFF without a directory: cut short or damaged");
        }
        directory = all.front();
        pages = all.size();
    }
    const TiffDirectory entries(file, directory);
    if (is_camera_raw(file, entries)) {
        unsupported("camera's raw picture found; a developed TIFF expected");
    }
    TiffFile tiff(file, directory, options.limits.max_bytes);
    const Layout layout = layout_of(tiff, !entries.numbers(TIFFTAG_EXTRASAMPLES).empty());
    check_size(layout.width, layout.height, layout.bytes_a_pixel(), options.limits);
    Picture picture = layout.by_libtiff
                          ? converted_by_libtiff(tiff, layout, options.limits)
                          : coloured(tiff, layout, stored_samples(tiff, layout, options.limits));
    turn_upright(picture.pixels, layout.orientation);
    if (pages > 1) {
        picture.remark = fmt::format("the first of {} pages used", pages);
    } else if (entries.next() > file.size()) {
        picture.remark =
            fmt::format("a further page is said to lie at byte {}, beyond the file's end", entries.next());
    }
    return picture;
}

}  // namespace stackae::image

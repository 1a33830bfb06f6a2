#include "data/image/tiff_layout.hpp"

#include <fmt/format.h>

#include "data/image/picture.hpp"

namespace stackae::data {
namespace {

/// By what is usual where the file does not say.
std::uint16_t photometric_of(const TiffFile& tiff, const TiffLayout& layout) {
    const std::uint16_t usual = layout.samples >= 3 ? PHOTOMETRIC_RGB
                                : layout.is_fax()   ? PHOTOMETRIC_MINISWHITE
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
    const bool known = whole || kind == SAMPLEFORMAT_INT || kind == SAMPLEFORMAT_IEEEFP;
    const SampleFormat format{whole                      ? SampleKind::whole
                              : kind == SAMPLEFORMAT_INT ? SampleKind::signed_whole
                                                         : SampleKind::floating,
                              bits};
    if (!known || !format.is_known()) {
        const char* name = kind == SAMPLEFORMAT_INT      ? "signed whole numbers"
                           : whole                       ? "whole numbers"
                           : kind == SAMPLEFORMAT_IEEEFP ? "floats"
                                                         : "complex numbers";
        unsupported(
            fmt::format("TIFF of {} of {} bits found; unsigned whole numbers of 1 to 32 bits, signed ones of "
                        "8, 16 or 32, or "
                        "floats of 16, 32 or 64, expected",
                        name, bits));
    }
    return format;
}

/// stated: whether the directory itself says what the further samples are.
TiffAlpha alpha_of(const TiffFile& tiff, const TiffLayout& layout, bool stated) {
    const int colours = colours_of(layout.photometric);
    const int further = layout.samples - colours;
    if (further < 0) {
        corrupt(fmt::format("TIFF of {} samples a pixel found; {} expected for its colours", layout.samples,
                            colours));
    }
    if (layout.measured) {
        return further > 1 ? TiffAlpha::none : TiffAlpha::unused;
    }
    const bool bare = layout.by_libtiff || layout.photometric == PHOTOMETRIC_CIELAB;
    if (further > 1 || (further == 1 && bare)) {
        unsupported(fmt::format("TIFF of {} samples a pixel found; {} for its colours{} expected",
                                layout.samples, colours, bare ? "" : ", and one for alpha at most,"));
    }
    if (further == 0) {
        return TiffAlpha::none;
    }
    std::uint16_t count = 0;
    const std::uint16_t* kinds = nullptr;
    if (!stated || tiff.library().get_field(tiff.handle(), TIFFTAG_EXTRASAMPLES, &count, &kinds) != 1 ||
        count == 0) {
        return TiffAlpha::unassociated;
    }
    return kinds[0] == EXTRASAMPLE_ASSOCALPHA   ? TiffAlpha::associated
           : kinds[0] == EXTRASAMPLE_UNASSALPHA ? TiffAlpha::unassociated
                                                : TiffAlpha::unused;
}

/// Whether samples are measurements, bands of a satellite say: more of them than gray or R, G, B and one of
/// alpha, or one beside these that the directory says is no alpha.
bool is_measured(const TiffFile& tiff, const TiffLayout& layout, bool alpha_stated) {
    if (layout.photometric != PHOTOMETRIC_MINISBLACK && layout.photometric != PHOTOMETRIC_RGB) {
        return false;
    }
    const int further = layout.samples - colours_of(layout.photometric);
    if (further > 1 && layout.samples > Preprocessing::max_channels) {
        unsupported(fmt::format("TIFF of {} samples a pixel found; {} at most expected", layout.samples,
                                Preprocessing::max_channels));
    }
    std::uint16_t count = 0;
    const std::uint16_t* kinds = nullptr;
    return further > 1 ||
           (further == 1 && alpha_stated &&
            tiff.library().get_field(tiff.handle(), TIFFTAG_EXTRASAMPLES, &count, &kinds) == 1 && count > 0 &&
            kinds[0] != EXTRASAMPLE_ASSOCALPHA && kinds[0] != EXTRASAMPLE_UNASSALPHA);
}

}  // namespace

TiffLayout layout_of(TiffFile& tiff, bool alpha_stated) {
    TiffLayout layout;
    layout.width = tiff.number<std::uint32_t>(TIFFTAG_IMAGEWIDTH, 0);
    layout.height = tiff.number<std::uint32_t>(TIFFTAG_IMAGELENGTH, 0);
    layout.samples = tiff.number<std::uint16_t>(TIFFTAG_SAMPLESPERPIXEL, 1);
    layout.compression = tiff.number<std::uint16_t>(TIFFTAG_COMPRESSION, COMPRESSION_NONE);
    layout.photometric = photometric_of(tiff, layout);
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
    layout.measured = !layout.by_libtiff && is_measured(tiff, layout, alpha_stated);
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

}  // namespace stackae::data

#pragma once

#include <array>
#include <cstdint>
#include <exception>
#include <string>
#include <tiffio.h>
#include <vector>

#include "data/image/tiff_directory.hpp"
#include "data/shared_library.hpp"

namespace stackae::data {

/// libtiff's functions; it is loaded when the first TIFF comes.
struct TiffLibrary {
    SharedLibrary library{STACKAE_tiff_SONAME};
    STACKAE_FUNCTION(options_alloc, TIFFOpenOptionsAlloc);
    STACKAE_FUNCTION(options_free, TIFFOpenOptionsFree);
    STACKAE_FUNCTION(set_max_memory, TIFFOpenOptionsSetMaxSingleMemAlloc);
    STACKAE_FUNCTION(set_error_handler, TIFFOpenOptionsSetErrorHandlerExtR);
    STACKAE_FUNCTION(set_warning_handler, TIFFOpenOptionsSetWarningHandlerExtR);
    STACKAE_FUNCTION(open, TIFFClientOpenExt);
    STACKAE_FUNCTION(close, TIFFClose);
    STACKAE_FUNCTION(has_codec, TIFFIsCODECConfigured);
    STACKAE_FUNCTION(get_field, TIFFGetField);
    STACKAE_FUNCTION(get_field_defaulted, TIFFGetFieldDefaulted);
    STACKAE_FUNCTION(set_field, TIFFSetField);
    STACKAE_FUNCTION(is_tiled, TIFFIsTiled);
    STACKAE_FUNCTION(tile_row_size, TIFFTileRowSize64);
    STACKAE_FUNCTION(tile_index, TIFFComputeTile);
    STACKAE_FUNCTION(read_tile, TIFFReadEncodedTile);
    STACKAE_FUNCTION(row_size, TIFFScanlineSize64);
    STACKAE_FUNCTION(strip_index, TIFFComputeStrip);
    STACKAE_FUNCTION(read_strip, TIFFReadEncodedStrip);
    STACKAE_FUNCTION(piece_offset, TIFFGetStrileOffset);
    STACKAE_FUNCTION(piece_bytes, TIFFGetStrileByteCount);
    STACKAE_FUNCTION(rgba_begin, TIFFRGBAImageBegin);
    STACKAE_FUNCTION(rgba_get, TIFFRGBAImageGet);
    STACKAE_FUNCTION(rgba_end, TIFFRGBAImageEnd);
};

/// One page of a TIFF, of which libtiff reads what the page needs. Whatever libtiff complains of stays here.
/// What reading the file throws is kept while libtiff runs; all that throws BadPicture throws it too.
class TiffFile {
public:
    /// The file has to stay. max_bytes: that libtiff may take at once. Throws BadPicture, IoError.
    TiffFile(const RandomAccess& file, const TiffHeader& header, const Page& page, std::int64_t max_bytes);
    TiffFile(const TiffFile&) = delete;
    TiffFile& operator=(const TiffFile&) = delete;
    ~TiffFile();

    /// For calls of the library's functions.
    [[nodiscard]] TIFF* handle() const { return tiff_; }
    [[nodiscard]] const TiffLibrary& library() const { return library_; }

    /// Numbers of the type that libtiff gives for the tag; the default where there is no such tag.
    template <class Number>
    [[nodiscard]] Number number(std::uint32_t tag, Number otherwise) const {
        Number value = otherwise;
        return library_.get_field(tiff_, tag, &value) == 1 ? value : otherwise;
    }

    /// Throws BadPicture, with libtiff's reason, when `done` is false, or when libtiff complained since the
    /// last call of that of which pixels are lost.
    void check(bool done) const;
    /// Throws what reading the file threw.
    void check_input() const;
    /// Throws BadPicture (corrupt) unless the data of a strip or tile lie in the file. plain_bytes: that they
    /// take at least; 0: they are compressed, and come into memory at once: throws too_large.
    void check_data(std::uint32_t piece, std::uint64_t plain_bytes) const;
    /// Throws BadPicture (corrupt) when Deflate data, which check_data() found in place, do not fit their
    /// checksum, which libtiff never looks at. needed: bytes of a whole strip or tile.
    void check_deflate(std::uint32_t piece, std::uint64_t needed) const;
    /// Forgets what libtiff complained of.
    void forget();

private:
    struct Complaint {
        std::array<char, 256> text{};  ///< of the first; empty: none
        void keep(const char* module, const char* format, va_list arguments);
    };
    /// Where the file ends as libtiff counts.
    [[nodiscard]] std::uint64_t end() const;
    static int on_error(TIFF* tiff, void* self, const char* module, const char* format, va_list arguments);
    static int on_warning(TIFF* tiff, void* self, const char* module, const char* format, va_list arguments);

    const TiffLibrary& library_;
    const RandomAccess& file_;
    std::uint64_t max_bytes_;
    std::vector<std::byte> header_;  ///< as libtiff shall see it; empty: as it is
    std::uint64_t further_ = 0;      ///< bytes from where libtiff takes the data to be to where they are
    std::uint64_t position_ = 0;
    std::exception_ptr failure_;  ///< of reading the file, the first
    Complaint error_;
    Complaint warning_;  ///< one that means lost pixels
    TIFF* tiff_ = nullptr;

    friend struct TiffClient;
};

}  // namespace stackae::data

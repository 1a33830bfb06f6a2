#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <tiffio.h>

#include "data/image/samples.hpp"
#include "data/image/tiff_file.hpp"

namespace stackae::data {

/// What the samples beyond the colours are.
enum class TiffAlpha { none, unused, unassociated, associated };

/// What a directory says of its picture.
struct TiffLayout {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    std::uint16_t compression = COMPRESSION_NONE;
    std::uint16_t photometric = PHOTOMETRIC_MINISBLACK;
    std::uint16_t samples = 1;
    SampleFormat format;
    TiffAlpha alpha = TiffAlpha::none;
    bool measured = false;  ///< samples are measurements; the first may be the colours that `alpha` is beside
    bool separate = false;  ///< a plane for each sample
    int orientation = 1;
    bool by_libtiff = false;  ///< libtiff brings the colours to 8 bits of R, G, B

    [[nodiscard]] bool is_fax() const {
        return compression == COMPRESSION_CCITTRLE || compression == COMPRESSION_CCITTRLEW ||
               compression == COMPRESSION_CCITTFAX3 || compression == COMPRESSION_CCITTFAX4;
    }
    [[nodiscard]] int planes() const { return separate ? samples : 1; }
    [[nodiscard]] int samples_together() const { return separate ? 1 : samples; }
    /// Of the samples as they are stored, and of the picture that is made of them where it is another.
    [[nodiscard]] std::uint64_t bytes_a_pixel() const {
        if (by_libtiff) {
            return 7;
        }
        const auto sample = static_cast<std::uint64_t>(CV_ELEM_SIZE1(format.depth()));
        std::uint64_t made = alpha == TiffAlpha::unused ? samples - 1U : 0U;
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

/// What a directory says, completed by what is usual; libtiff is told to bring YCbCr in JPEG to R, G, B.
/// alpha_stated: whether the directory itself says what the further samples are. Throws BadPicture: corrupt,
/// or unsupported, naming what was found.
[[nodiscard]] TiffLayout layout_of(TiffFile& tiff, bool alpha_stated);

}  // namespace stackae::data

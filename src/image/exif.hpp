#pragma once

#include <cstdint>
#include <vector>

#include "image/bytes.hpp"

namespace stackae::image {

/// An image file directory of a TIFF file (Adobe, TIFF 6.0) or of an EXIF block, which has the same form.
/// Classic and BigTIFF. Numbers are bounded by the file; a wrong one throws BadPicture.
class TiffDirectory {
public:
    /// offset: of the directory; 0 for the first. Throws BadPicture when the header is none of TIFF's or the
    /// directory lies outside of the file.
    explicit TiffDirectory(ByteSpan file, std::uint64_t offset = 0);

    /// All numbers of a tag; empty when there is no such tag.
    [[nodiscard]] std::vector<std::uint64_t> numbers(std::uint16_t tag) const;
    /// The first number of a tag.
    [[nodiscard]] std::uint64_t number(std::uint16_t tag, std::uint64_t otherwise) const;
    /// The offset of the next directory; 0 where there is none.
    [[nodiscard]] std::uint64_t next() const { return next_; }

private:
    struct Entry {
        std::uint16_t tag;
        std::uint16_t type;
        std::uint64_t count;
        std::uint64_t at;  ///< where the entry's value, or the offset of its values, lies
    };

    Bytes bytes_;
    bool big_ = false;
    std::uint64_t next_ = 0;
    std::vector<Entry> entries_;
};

/// The orientation (tag 274) in an EXIF block, with or without the leading "Exif\0\0": 1 to 8. A block
/// that is damaged, or has none, gives 1: it is no reason to lose the picture.
[[nodiscard]] int exif_orientation(ByteSpan block);

/// Turns a picture stored with an orientation of 1 to 8 upright.
void turn_upright(cv::Mat& pixels, int orientation);

}  // namespace stackae::image

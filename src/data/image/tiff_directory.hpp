#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/random_access.hpp"

namespace stackae::data {

/// What a TIFF file (Adobe, TIFF 6.0), classic or BigTIFF, begins with, and an EXIF block, which has the same
/// form.
struct TiffHeader {
    std::vector<std::byte> bytes;  ///< 16, or what there is
    bool big_endian = false;
    bool big = false;         ///< BigTIFF
    std::uint64_t first = 0;  ///< the offset of the first directory

    /// Throws BadPicture (corrupt) where the file begins otherwise, IoError.
    explicit TiffHeader(const RandomAccess& file);
};

/// An image file directory, read with small reads. Numbers are bounded by the file; a wrong one throws
/// BadPicture (corrupt).
class TiffDirectory {
public:
    /// offset: of the directory. The file has to stay. Throws BadPicture (corrupt) where the directory does
    /// not lie in it, IoError.
    TiffDirectory(const RandomAccess& file, const TiffHeader& header, std::uint64_t offset);

    [[nodiscard]] bool empty() const { return count_ == 0; }
    /// The first `most` whole numbers of a tag; empty when there is no such tag. Throws BadPicture, IoError.
    [[nodiscard]] std::vector<std::uint64_t> numbers(std::uint16_t tag, std::uint64_t most = 16) const;
    /// The first number of a tag. Throws the same.
    [[nodiscard]] std::uint64_t number(std::uint16_t tag, std::uint64_t otherwise) const;
    /// The first `most` characters of a tag; empty when there is no such tag. Throws the same.
    [[nodiscard]] std::string text(std::uint16_t tag, std::uint64_t most) const;
    /// The offset of the next directory; 0 where there is none.
    [[nodiscard]] std::uint64_t next() const { return next_; }

private:
    struct Entry {
        std::uint64_t width;  ///< bytes of a value
        std::uint64_t count;
        std::uint64_t at;  ///< where in content_ the values, or their offset, lie
    };

    [[nodiscard]] Bytes content() const { return {content_, big_endian_}; }
    /// The first of a tag whose type has a width.
    [[nodiscard]] std::optional<Entry> find(std::uint16_t tag,
                                            std::uint64_t (*width_of)(std::uint16_t)) const;
    /// The bytes of the first `most` values.
    [[nodiscard]] std::vector<std::byte> values(std::uint16_t tag, const Entry& entry,
                                                std::uint64_t most) const;

    const RandomAccess& file_;
    bool big_endian_;
    bool big_;
    std::uint64_t count_ = 0;  ///< of entries
    std::uint64_t next_ = 0;
    std::vector<std::byte> content_;
};

}  // namespace stackae::data

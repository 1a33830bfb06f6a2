#pragma once

#include <cstdint>
#include <string>

#include "data/bytes.hpp"

namespace stackae::data {

/// Bytes of a PNM file in order; a comment, from # to the line's end, counts as that line's end.
class PnmText {
public:
    PnmText(ByteSpan file, std::uint64_t at) : file_(file), at_(at) {}

    [[nodiscard]] std::uint64_t at() const { return at_; }
    /// The next byte; -1 at the end.
    int next();
    /// The next word, after any white space, and the one byte behind it. Empty at the end. Throws BadPicture
    /// where a word is longer than any has to be.
    std::string word();
    /// A whole number of at most 9 digits, as a word. Throws BadPicture.
    std::uint64_t number();
    /// A line without its end, comments left out.
    std::string line();

private:
    ByteSpan file_;
    std::uint64_t at_;
};

enum class PnmData { bits_text, text, bits, binary, floats };

/// What stands before one picture of a PNM file: PBM, PGM, PPM (plain and raw), PAM or PFM.
struct PnmHeader {
    PnmData data = PnmData::binary;
    std::uint64_t width = 0;
    std::uint64_t height = 0;
    std::uint64_t channels = 1;   ///< stored, 1 to 4
    std::uint64_t max_value = 1;  ///< that stands for white; 1 to 65535
    bool big_endian = true;       ///< of floats
    std::uint64_t data_at = 0;

    /// Of binary data; 0 of text.
    [[nodiscard]] std::uint64_t row_bytes() const;
};

/// Throws BadPicture: corrupt, unsupported.
[[nodiscard]] PnmHeader read_pnm_header(ByteSpan file, std::uint64_t at);

}  // namespace stackae::data

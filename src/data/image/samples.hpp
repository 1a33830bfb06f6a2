#pragma once

#include <cstddef>
#include <cstdint>
#include <opencv2/core.hpp>

namespace stackae::data {

enum class SampleKind { whole, signed_whole, floating };

/// How the values of a packed picture become those of a Picture: whole numbers of 1 to 8 bits are kept in 8,
/// of 9 to 16 in 16; wider ones are scaled by their largest value to floats; floats and whole numbers with a
/// sign become floats, the numbers they are.
struct SampleFormat {
    SampleKind kind = SampleKind::whole;
    unsigned bits = 8;

    /// Whole numbers of 1 to 32 and of 64 bits, with a sign of 8, 16 and 32; floats of 16, 32 and 64.
    [[nodiscard]] bool is_known() const;
    [[nodiscard]] int depth() const;     ///< CV_8U, CV_16U or CV_32F
    [[nodiscard]] double white() const;  ///< the unpacked value that stands for 1
};

/// Unpacks `count` values to `to`, which is of format.depth(). Whole bytes are in the machine's order; other
/// widths are a stream of bits, the highest first.
void unpack(const SampleFormat& format, const std::byte* from, std::size_t count, void* to);

}  // namespace stackae::data

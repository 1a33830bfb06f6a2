#pragma once

#include <cstddef>
#include <cstdint>
#include <opencv2/core.hpp>
#include <span>
#include <string>

#include "data/bytes.hpp"

namespace stackae::data {

/// How the values of an array are stored.
struct ValueType {
    /// b: truth values, u: whole numbers, i: signed ones, f: floats, S and U: text (labels alone)
    char kind = 'u';
    std::uint64_t bytes = 1;
    bool big_endian = false;

    [[nodiscard]] bool is_number() const { return kind != 'S' && kind != 'U'; }
};

/// Pixels of a picture and the value that stands for 1: whole numbers of 8 and 16 bits and truth values stay
/// as they are, 255, 65535 and true standing for 1; all others come as floats, the numbers they are.
struct ArrayPixels {
    cv::Mat pixels;  ///< height × width × channels; 8U, 16U or 32F
    double white;
};

/// raw: the picture's values as they are stored, height × width × channels of them.
[[nodiscard]] ArrayPixels pixels_of(std::span<std::byte> raw, const ValueType& type, int height, int width,
                                    int channels);

/// One value as text: "7", "2.5", "cat". Text is cut at its first zero.
[[nodiscard]] std::string text_of(std::span<std::byte> raw, const ValueType& type);

}  // namespace stackae::data

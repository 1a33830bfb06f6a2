#pragma once

#include <cstddef>
#include <fmt/format.h>
#include <string>
#include <string_view>

namespace stackae::features {

inline constexpr std::size_t npy_header_size = 128;

/// The header of an array in C order, version 1.0, always of the same size, so that the number of rows can be
/// set at the end. Two numbers of 19 digits fit. shape: such as `3, 4`.
[[nodiscard]] inline std::string npy_header(std::string_view type, std::string_view shape) {
    std::string header = "\x93NUMPY";
    constexpr std::size_t prefix = 10;
    header += {'\x01', '\x00', static_cast<char>(npy_header_size - prefix), '\x00'};
    header += fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type, shape);
    header.resize(npy_header_size - 1, ' ');
    header += '\n';
    return header;
}

}  // namespace stackae::features

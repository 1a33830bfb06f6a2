#pragma once

#include <cstdint>
#include <string>

namespace stackae {

/// Of what goes in and out of a layer: a map of height × width × channels floats, row-major, channels last. A
/// row of n numbers is 1 × 1 × n.
struct Shape {
    std::int64_t height = 1;
    std::int64_t width = 1;
    std::int64_t channels = 1;

    /// Number of values.
    [[nodiscard]] std::int64_t size() const { return height * width * channels; }

    friend bool operator==(const Shape&, const Shape&) = default;
};

/// "28 x 28 x 1"; of a row "784 values".
[[nodiscard]] std::string to_text(const Shape& shape);

}  // namespace stackae

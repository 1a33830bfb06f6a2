#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "data/image/picture.hpp"

namespace stackae::data {

using ByteSpan = std::span<const std::byte>;

/// Throws BadPicture (corrupt) unless `count` bytes from `at` lie in a file of `size` bytes.
inline void check_inside(std::uint64_t size, std::uint64_t at, std::uint64_t count) {
    if (at <= size && count <= size - at) {
        return;
    }
    corrupt("cut short: " + std::to_string(size) + " bytes found, " +
            (at > UINT64_MAX - count ? "far more" : "at least " + std::to_string(at + count)) + " needed");
}

/// Numbers out of a file's bytes, each checked against the file's end. Throws BadPicture (corrupt).
class Bytes {
public:
    Bytes(ByteSpan bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

    [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }

    [[nodiscard]] std::uint8_t u8(std::uint64_t at) const { return static_cast<std::uint8_t>(number(at, 1)); }
    [[nodiscard]] std::uint16_t u16(std::uint64_t at) const {
        return static_cast<std::uint16_t>(number(at, 2));
    }
    [[nodiscard]] std::uint32_t u32(std::uint64_t at) const {
        return static_cast<std::uint32_t>(number(at, 4));
    }
    [[nodiscard]] std::uint64_t u64(std::uint64_t at) const { return number(at, 8); }

    /// `count` bytes from `at`.
    [[nodiscard]] ByteSpan part(std::uint64_t at, std::uint64_t count) const {
        check_inside(bytes_.size(), at, count);
        return bytes_.subspan(at, count);
    }
    [[nodiscard]] bool has(std::uint64_t at, std::string_view text) const {
        return at <= bytes_.size() && text.size() <= bytes_.size() - at &&
               std::equal(text.begin(), text.end(), reinterpret_cast<const char*>(bytes_.data()) + at);
    }

private:
    [[nodiscard]] std::uint64_t number(std::uint64_t at, std::uint64_t count) const {
        std::uint64_t value = 0;
        const ByteSpan digits = part(at, count);
        for (std::size_t i = 0; i < count; ++i) {
            value = (value << 8U) | std::to_integer<std::uint64_t>(digits[big_endian_ ? i : count - 1 - i]);
        }
        return value;
    }

    ByteSpan bytes_;
    bool big_endian_;
};

}  // namespace stackae::data

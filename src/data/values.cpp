#include "data/values.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

namespace stackae::data {
namespace {

/// To the byte order of this machine, in place; `bytes` a number.
void swap_bytes(std::span<std::byte> raw, std::size_t bytes) {
    for (std::size_t i = 0; i < raw.size(); i += bytes) {
        std::reverse(raw.begin() + static_cast<std::ptrdiff_t>(i),
                     raw.begin() + static_cast<std::ptrdiff_t>(i + bytes));
    }
}

template <class T>
T number_at(std::span<const std::byte> raw, std::size_t i) {
    T value;
    std::memcpy(&value, raw.data() + i * sizeof(T), sizeof(T));
    return value;
}

/// IEEE 754's half precision.
float half_at(std::span<const std::byte> raw, std::size_t i) {
    const auto bits = number_at<std::uint16_t>(raw, i);
    const int exponent = (bits >> 10U) & 0x1F;
    const int fraction = bits & 0x3FF;
    const float size = exponent == 0x1F ? (fraction == 0 ? INFINITY : NAN)
                       : exponent == 0  ? std::ldexp(static_cast<float>(fraction), -24)
                                        : std::ldexp(static_cast<float>(fraction + 0x400), exponent - 25);
    return (bits & 0x8000U) != 0 ? -size : size;
}

/// Calls body with a function that gives number i of `raw`, whatever its type.
template <class Body>
void with_numbers(std::span<const std::byte> raw, const ValueType& type, const Body& body) {
    const auto of = [&]<class T>(T /*type*/) { body([raw](std::size_t i) { return number_at<T>(raw, i); }); };
    const bool is_signed = type.kind == 'i';
    if (type.kind == 'f') {
        switch (type.bytes) {
            case 2:
                return body([raw](std::size_t i) { return half_at(raw, i); });
            case 4:
                return of(float{});
            default:
                return of(double{});
        }
    }
    switch (type.bytes) {
        case 1:
            return is_signed ? of(std::int8_t{}) : of(std::uint8_t{});
        case 2:
            return is_signed ? of(std::int16_t{}) : of(std::uint16_t{});
        case 4:
            return is_signed ? of(std::int32_t{}) : of(std::uint32_t{});
        default:
            return is_signed ? of(std::int64_t{}) : of(std::uint64_t{});
    }
}

/// UTF-32 to UTF-8; what is no character comes as "?".
void append_utf8(std::string& text, std::uint32_t c) {
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) {
        c = '?';
    }
    unsigned more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;  // bytes of six bits each
    constexpr std::array<std::uint32_t, 4> first{0x00, 0xC0, 0xE0, 0xF0};
    text += static_cast<char>(first[more] | (c >> (6 * more)));
    while (more > 0) {
        text += static_cast<char>(0x80 | ((c >> (6 * --more)) & 0x3FU));
    }
}

}  // namespace

ArrayPixels pixels_of(std::span<std::byte> raw, const ValueType& type, int height, int width, int channels) {
    if (type.big_endian && type.bytes > 1) {
        swap_bytes(raw, static_cast<std::size_t>(type.bytes));
    }
    const auto matrix = [&](int depth) { return cv::Mat(height, width, CV_MAKETYPE(depth, channels)); };
    if ((type.kind == 'u' && type.bytes <= 2) || type.kind == 'b') {
        ArrayPixels result{matrix(type.bytes == 2 ? CV_16U : CV_8U), type.bytes == 2 ? 65535.0 : 255.0};
        std::memcpy(result.pixels.data, raw.data(), raw.size());
        if (type.kind == 'b') {
            std::for_each(result.pixels.data, result.pixels.data + raw.size(),
                          [](uchar& value) { value = value != 0 ? 255 : 0; });
        }
        return result;
    }
    ArrayPixels result{matrix(CV_32F), 1.0};
    auto* out = result.pixels.ptr<float>();
    with_numbers(raw, type, [&](const auto& number) {
        for (std::size_t i = 0; i < raw.size() / type.bytes; ++i) {
            out[i] = static_cast<float>(number(i));
        }
    });
    return result;
}

std::string text_of(std::span<std::byte> raw, const ValueType& type) {
    std::string text;
    if (type.kind == 'S') {
        for (const std::byte c : raw) {
            text += static_cast<char>(c);
        }
        return text.substr(0, text.find('\0'));
    }
    if (type.kind == 'U') {
        const Bytes characters(raw, type.big_endian);
        for (std::uint64_t at = 0; at + 4 <= raw.size() && characters.u32(at) != 0; at += 4) {
            append_utf8(text, characters.u32(at));
        }
        return text;
    }
    if (type.big_endian) {
        swap_bytes(raw, static_cast<std::size_t>(type.bytes));
    }
    with_numbers(raw, type, [&](const auto& number) { text = fmt::format("{}", +number(0)); });
    return text;
}

}  // namespace stackae::data

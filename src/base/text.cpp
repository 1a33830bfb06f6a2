#include "stackae/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <iterator>

namespace stackae {
namespace {

/// Bytes of the UTF-8 sequence that a text begins with; 0 where it begins with none (RFC 3629, section 4).
std::size_t sequence(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const unsigned first = byte(0);
    if (first < 0x80) {
        return 1;
    }
    const std::size_t length = first >= 0xC2 && first < 0xE0   ? 2
                               : first >= 0xE0 && first < 0xF0 ? 3
                               : first >= 0xF0 && first < 0xF5 ? 4
                                                               : 0;
    for (std::size_t i = 1; i < length; ++i) {
        // Neither overlong, nor a surrogate, nor beyond U+10FFFF.
        const unsigned low = i > 1 ? 0x80U : first == 0xE0 ? 0xA0U : first == 0xF0 ? 0x90U : 0x80U;
        const unsigned high = i > 1 ? 0xBFU : first == 0xED ? 0x9FU : first == 0xF4 ? 0x8FU : 0xBFU;
        if (byte(i) < low || byte(i) > high) {
            return 0;
        }
    }
    return length;
}

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = sequence(text);
        if (length == 0) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

std::string to_utf8(std::string_view text) {
    if (is_utf8(text)) {
        return std::string(text);
    }
    std::string result;
    while (!text.empty()) {
        const std::size_t length = text.front() == '\\' ? 0 : sequence(text);
        if (length == 0) {
            result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
        } else {
            result += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return result;
}

std::string from_utf8(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        const char* const digits = text.data() + i + 2;
        const bool escape = text.substr(i, 2) == "\\x" && i + 4 <= text.size() &&
                            std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
        bytes += escape ? static_cast<char>(byte) : text[i];
        i += escape ? 3 : 0;
    }
    // A text that was UTF-8 kept what looks like an escape.
    return to_utf8(bytes) == text ? bytes : std::string(text);
}

std::string lower_case(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return lower;
}

std::string csv_field(std::string_view text) {
    return csv_bytes(to_utf8(text));
}

std::string csv_bytes(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
        return std::string(text);
    }
    std::string quoted = "\"";
    for (const char c : text) {
        quoted.append(c == '"' ? 2 : 1, c);
    }
    return quoted + '"';
}

std::string printable(std::string_view text) {
    std::string out;
    bool lead = false;  // of U+0080 to U+009F, which some terminals obey as they do ESC
    for (const char c : to_utf8(text)) {
        const auto byte = static_cast<unsigned char>(c);
        if (lead && byte >= 0x80 && byte < 0xA0) {
            out.pop_back();
            out += fmt::format("\\u{:04x}", byte);
        } else if (c == '\n' || c == '\t' || c == '\r') {
            out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
        } else if (byte < 0x20 || byte == 0x7f) {
            out += fmt::format("\\x{:02x}", byte);
        } else {
            out += c;
        }
        lead = byte == 0xC2;
    }
    return out;
}

std::string format_count(std::int64_t count) {
    std::string digits = fmt::format("{}", count);
    const std::size_t first = count < 0 ? 1 : 0;
    for (std::size_t i = digits.size(); i > first + 3;) {
        i -= 3;
        digits.insert(i, 1, ',');
    }
    return digits;
}

std::string format_count(std::int64_t count, std::string_view what) {
    return fmt::format("{} {}{}", format_count(count), what, count == 1 ? "" : "s");
}

std::string format_bytes(std::int64_t bytes) {
    static constexpr const char* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024.0 && unit + 1 < std::size(units)) {
        value /= 1024.0;
        ++unit;
    }
    return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string format_duration(double seconds) {
    if (!(seconds >= 0.0) || seconds > 1e9) {
        return "unknown";
    }
    if (seconds < 9.95) {
        return fmt::format("{:.{}f} s", seconds, seconds < 0.995 ? 2 : 1);
    }
    const auto whole = static_cast<std::int64_t>(std::lround(seconds));
    if (whole < 60) {
        return fmt::format("{} s", whole);
    }
    if (whole < 3600) {
        return fmt::format("{}:{:02} min", whole / 60, whole % 60);
    }
    return fmt::format("{}:{:02}:{:02} h", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace stackae

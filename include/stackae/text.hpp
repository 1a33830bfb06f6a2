#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Text for people and for other programs, the same whatever the locale.
namespace stackae {

/// True for UTF-8 by RFC 3629.
[[nodiscard]] bool is_utf8(std::string_view text);

/// UTF-8 as it is. In a text that is none (file names may hold any bytes) every byte that is out of place
/// becomes `\xHH` and every backslash `\x5c`, so that different texts stay different and can be had back.
[[nodiscard]] std::string to_utf8(std::string_view text);
/// What to_utf8() made this of; what only looks like its escapes, in a text that was UTF-8, is taken for
/// them.
[[nodiscard]] std::string from_utf8(std::string_view text);

/// A to Z in lower case, all other bytes as they are.
[[nodiscard]] std::string lower_case(std::string_view text);

/// A field of a CSV file, in UTF-8 by to_utf8(), quoted by RFC 4180: in quotes, its own doubled, where it has
/// a comma, a quote or a line end.
[[nodiscard]] std::string csv_field(std::string_view text);

/// The same with its bytes as they are, in whatever encoding: of ids that other programs compare.
[[nodiscard]] std::string csv_bytes(std::string_view text);

/// On one line of a terminal, in UTF-8 by to_utf8(): control characters become `\n`, `\t`, `\x1b`,
/// `\u009b`, ….
[[nodiscard]] std::string printable(std::string_view text);

/// 1234567 as `1,234,567`.
[[nodiscard]] std::string format_count(std::int64_t count);
/// 1 and "layer" as `1 layer`, 1234 as `1,234 layers`.
[[nodiscard]] std::string format_count(std::int64_t count, std::string_view what);
/// 1536 as `1.5 KiB`.
[[nodiscard]] std::string format_bytes(std::int64_t bytes);
/// Seconds as `0.42 s`, `12 s`, `3:05 min` or `2:03:10 h`; `unknown` where they are no number, negative or
/// above 10⁹.
[[nodiscard]] std::string format_duration(double seconds);

}  // namespace stackae

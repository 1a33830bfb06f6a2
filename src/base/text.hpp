#pragma once

#include <string>
#include <string_view>

namespace stackae::base {

/// True for UTF-8 by RFC 3629.
[[nodiscard]] bool is_utf8(std::string_view text);

/// UTF-8 as it is. In a text that is none (file names may hold any bytes) every byte that is out of place
/// becomes `\xHH` and every backslash `\x5c`, so that different texts stay different and can be had back.
[[nodiscard]] std::string to_utf8(std::string_view text);

/// A to Z in lower case, all other bytes as they are, whatever the locale.
[[nodiscard]] std::string lower_case(std::string_view text);

/// A field of a CSV file, in UTF-8 by to_utf8(), quoted by RFC 4180: in quotes, its own doubled, where it has
/// a comma, a quote or a line end.
[[nodiscard]] std::string csv_field(std::string_view text);

}  // namespace stackae::base

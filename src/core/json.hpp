#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace stackae::core {

/// Parses JSON that is not to be trusted: deeper nesting than `max_depth`, repeated keys, bytes of zero and
/// numbers too large are refused. Throws CorruptFile "{where}: …".
[[nodiscard]] nlohmann::json parse_json(std::string_view text, const std::string& where,
                                        std::size_t max_depth);

/// True for UTF-8 by RFC 3629.
[[nodiscard]] bool is_utf8(std::string_view text);

/// UTF-8 as it is. In a text that is none (file names may hold any bytes) every byte that is out of place
/// becomes `\xHH` and every backslash `\x5c`, so that different texts stay different and can be had back.
[[nodiscard]] std::string to_utf8(std::string_view text);

/// One line of JSON in UTF-8; strings and keys that are not UTF-8 are written as to_utf8() gives them.
[[nodiscard]] std::string print_json(const nlohmann::json& value);

}  // namespace stackae::core

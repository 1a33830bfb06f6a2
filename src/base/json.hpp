#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "stackae/json.hpp"
#include "stackae/text.hpp"

namespace stackae::base {

/// Values and keys of one JSON text that are read at most; they take some 100 bytes each.
inline constexpr std::size_t max_json_values = std::size_t{1} << 20U;

/// Parses JSON that is not to be trusted: deeper nesting than `max_depth`, more values than max_json_values,
/// repeated keys, bytes of zero and numbers too large are refused. Throws CorruptFile "{where}: …".
[[nodiscard]] nlohmann::json parse_json(std::string_view text, const std::string& where,
                                        std::size_t max_depth);

/// One line of JSON in UTF-8; strings and keys that are not UTF-8 are written as to_utf8() gives them.
[[nodiscard]] std::string print_json(const nlohmann::json& value);

/// The same values, key by key.
[[nodiscard]] JsonObject json_object(const nlohmann::json& object);

}  // namespace stackae::base

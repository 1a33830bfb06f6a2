#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// JSON as text, for other programs: the library's to_json() functions make it of their values.
namespace stackae {

/// A string, quoted and escaped, in UTF-8 by to_utf8().
[[nodiscard]] std::string json_text(std::string_view text);
/// A number in the fewest digits that give it again; `null` where it is not finite.
[[nodiscard]] std::string json_text(double number);

/// An object of JSON. Keys are written in byte order.
class JsonObject {
public:
    /// Each sets a key's value, in place of one that is there.
    JsonObject& set(const std::string& key, std::string_view text);
    JsonObject& set(const std::string& key, const char* text) { return set(key, std::string_view(text)); }
    JsonObject& set(const std::string& key, double number);
    JsonObject& set(const std::string& key, std::nullptr_t null);
    JsonObject& set(const std::string& key, const JsonObject& object);
    JsonObject& set(const std::string& key, const std::vector<JsonObject>& array);
    /// A truth value or a whole number.
    template <std::integral Value>
    JsonObject& set(const std::string& key, Value value) {
        if constexpr (std::same_as<Value, bool>) {
            return set_json(key, value ? "true" : "false");
        } else {
            return set_json(key, std::to_string(value));
        }
    }
    /// Any value that is JSON already.
    JsonObject& set_json(const std::string& key, std::string json);

    /// One line, without an end.
    [[nodiscard]] std::string text() const;
    /// For people: a line `  key  value` for each value that is not null or empty, one by one. Arrays are
    /// without brackets, texts without quotes and printable().
    [[nodiscard]] std::string lines() const;

private:
    std::map<std::string, std::string> values_;  ///< JSON by key
};

/// An array of JSON, on one line.
[[nodiscard]] std::string json_text(const std::vector<JsonObject>& array);

}  // namespace stackae

#include <fmt/format.h>
#include <utility>

#include "stackae/json.hpp"
#include "stackae/text.hpp"

#include "base/json.hpp"

namespace stackae {

std::string json_text(std::string_view text) {
    return base::print_json(std::string(text));
}

std::string json_text(double number) {
    return base::print_json(number);
}

std::string json_text(const std::vector<JsonObject>& array) {
    std::string out = "[";
    for (const JsonObject& object : array) {
        out += (out.size() > 1 ? "," : "") + object.text();
    }
    return out + ']';
}

JsonObject& JsonObject::set(const std::string& key, std::string_view text) {
    return set_json(key, json_text(text));
}

JsonObject& JsonObject::set(const std::string& key, double number) {
    return set_json(key, json_text(number));
}

JsonObject& JsonObject::set(const std::string& key, std::nullptr_t /*null*/) {
    return set_json(key, "null");
}

JsonObject& JsonObject::set(const std::string& key, const JsonObject& object) {
    return set_json(key, object.text());
}

JsonObject& JsonObject::set(const std::string& key, const std::vector<JsonObject>& array) {
    return set_json(key, json_text(array));
}

JsonObject& JsonObject::set_json(const std::string& key, std::string json) {
    values_.insert_or_assign(to_utf8(key), std::move(json));
    return *this;
}

std::string JsonObject::text() const {
    std::string out = "{";
    for (const auto& [key, json] : values_) {
        out += (out.size() > 1 ? "," : "") + json_text(key) + ':' + json;
    }
    return out + '}';
}

std::string JsonObject::lines() const {
    std::string out;
    for (const auto& [key, json] : values_) {
        const nlohmann::json value = nlohmann::json::parse(json);
        if (value.is_null() || value == "" || value == nlohmann::json::array()) {
            continue;
        }
        std::string text = value.is_string() ? value.get<std::string>() : json;
        if (value.is_array()) {
            text = text.substr(1, text.size() - 2);
            std::erase(text, '"');
        }
        out += fmt::format("  {:<26}{}\n", key, printable(text));
    }
    return out;
}

JsonObject base::json_object(const nlohmann::json& object) {
    JsonObject made;
    for (const auto& [key, value] : object.items()) {
        made.set_json(key, print_json(value));
    }
    return made;
}

}  // namespace stackae

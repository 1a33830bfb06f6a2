#include "core/json.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <vector>

#include "stackae/error.hpp"

namespace stackae::core {
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

nlohmann::json with_utf8(const nlohmann::json& value) {
    if (value.is_string()) {
        return to_utf8(value.get_ref<const std::string&>());
    }
    nlohmann::json result = value;
    if (value.is_array()) {
        for (nlohmann::json& element : result) {
            element = with_utf8(element);
        }
    } else if (value.is_object()) {
        result = nlohmann::json::object();
        for (const auto& [key, element] : value.items()) {
            result[to_utf8(key)] = with_utf8(element);
        }
    }
    return result;
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

nlohmann::json parse_json(std::string_view text, const std::string& where, std::size_t max_depth) {
    using Json = nlohmann::json;
    if (text.find('\0') != std::string_view::npos) {  // the parser would take it for the end
        throw CorruptFile(fmt::format("{}: a zero byte found in JSON text", where));
    }
    std::vector<std::set<std::string>> keys;  // of every object or array that is open
    const auto guard = [&](int /*depth*/, Json::parse_event_t event, Json& parsed) {
        switch (event) {
            case Json::parse_event_t::object_start:
            case Json::parse_event_t::array_start:
                if (keys.size() == max_depth) {
                    throw CorruptFile(fmt::format("{}: nested deeper than {} levels", where, max_depth));
                }
                keys.emplace_back();
                break;
            case Json::parse_event_t::object_end:
            case Json::parse_event_t::array_end:
                keys.pop_back();
                break;
            case Json::parse_event_t::key:
                if (!keys.back().insert(parsed.get<std::string>()).second) {
                    throw CorruptFile(
                        fmt::format("{}: key \"{}\" is there twice", where, parsed.get<std::string>()));
                }
                break;
            case Json::parse_event_t::value:
                break;
        }
        return true;
    };
    try {
        return Json::parse(text.begin(), text.end(), guard);
    } catch (const Json::exception& error) {
        throw CorruptFile(fmt::format("{}: not valid JSON: {}", where, error.what()));
    }
}

std::string print_json(const nlohmann::json& value) {
    try {
        return value.dump();
    } catch (const nlohmann::json::type_error&) {  // a string that is not UTF-8
        return with_utf8(value).dump();
    }
}

}  // namespace stackae::core

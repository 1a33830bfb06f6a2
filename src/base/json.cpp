#include "base/json.hpp"

#include <fmt/format.h>
#include <set>
#include <vector>

#include "stackae/error.hpp"

namespace stackae::base {
namespace {

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

nlohmann::json parse_json(std::string_view text, const std::string& where, std::size_t max_depth) {
    using Json = nlohmann::json;
    if (text.find('\0') != std::string_view::npos) {  // the parser would take it for the end
        throw CorruptFile(fmt::format("{}: a zero byte found in JSON text", where));
    }
    std::vector<std::set<std::string>> keys;  // of every object or array that is open
    std::size_t values = 0;
    const auto guard = [&](int /*depth*/, Json::parse_event_t event, Json& parsed) {
        const bool begins =
            event != Json::parse_event_t::object_end && event != Json::parse_event_t::array_end;
        values += begins ? 1 : 0;
        if (values > max_json_values) {
            throw CorruptFile(fmt::format("{}: more than {} values found", where, max_json_values));
        }
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

}  // namespace stackae::base

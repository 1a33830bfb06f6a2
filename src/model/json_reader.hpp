#pragma once

#include <cmath>
#include <cstdint>
#include <fmt/format.h>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "stackae/error.hpp"

#include "base/json.hpp"

namespace stackae {

/// Takes fields out of a JSON object that is not to be trusted. Throws CorruptFile "{where}: {key}: …".
class JsonReader {
public:
    /// Both must outlive the reader.
    JsonReader(const nlohmann::json& object, const std::string& where) : object_(object), where_(where) {
        if (!object.is_object()) {
            throw CorruptFile(fmt::format("{}: {} found, an object expected", where, object.type_name()));
        }
    }

    template <class Field>
    void required(const char* key, Field& field) const {
        read(at(key), key, field);
    }

    /// A key that is not there leaves the field as it is.
    template <class Field>
    void optional(const char* key, Field& field) const {
        if (const auto found = object_.find(key); found != object_.end()) {
            read(*found, key, field);
        }
    }

    /// The array of a key, or the object; its elements are read by the caller.
    [[nodiscard]] const nlohmann::json& at(const char* key) const {
        const auto found = object_.find(key);
        if (found == object_.end()) {
            fail(key, "missing");
        }
        return *found;
    }

    [[nodiscard]] const nlohmann::json& array(const char* key) const {
        const nlohmann::json& value = at(key);
        if (!value.is_array()) {
            refuse(key, value, "an array");
        }
        return value;
    }

    [[noreturn]] void fail(const char* key, const std::string& what) const {
        throw CorruptFile(fmt::format("{}: {}: {}", where_, key, what));
    }

private:
    [[noreturn]] void refuse(const char* key, const nlohmann::json& found, const char* expected) const {
        fail(key, fmt::format("{} found, {} expected", base::print_json(found).substr(0, 60), expected));
    }

    void read(const nlohmann::json& value, const char* key, bool& field) const {
        if (!value.is_boolean()) {
            refuse(key, value, "true or false");
        }
        field = value.get<bool>();
    }

    void read(const nlohmann::json& value, const char* key, std::string& field) const {
        if (!value.is_string()) {
            refuse(key, value, "a string");
        }
        field = value.get<std::string>();
    }

    /// null is not a number; whether one is allowed is for the field's owner to say.
    template <class Real>
    requires std::is_floating_point_v<Real>
    void read(const nlohmann::json& value, const char* key, Real& field) const {
        if (!value.is_number() && !value.is_null()) {
            refuse(key, value, "a number");
        }
        const double number =
            value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
        if (std::abs(number) > static_cast<double>(std::numeric_limits<Real>::max())) {
            refuse(key, value, "a smaller number");
        }
        field = static_cast<Real>(number);
    }

    template <class Whole>
    requires std::is_integral_v<Whole>
    void read(const nlohmann::json& value, const char* key, Whole& field) const {
        const bool fits = value.is_number_unsigned()
                              ? std::in_range<Whole>(value.get<std::uint64_t>())
                              : value.is_number_integer() && std::in_range<Whole>(value.get<std::int64_t>());
        if (!fits) {
            refuse(key, value, "a whole number in range");
        }
        field = value.get<Whole>();
    }

    template <class Field>
    void read(const nlohmann::json& value, const char* key, std::optional<Field>& field) const {
        field.reset();
        if (!value.is_null()) {
            read(value, key, field.emplace());
        }
    }

    template <class Field>
    void read(const nlohmann::json& value, const char* key, std::vector<Field>& field) const {
        if (!value.is_array()) {
            refuse(key, value, "an array");
        }
        field.clear();
        for (const nlohmann::json& element : value) {
            read(element, key, field.emplace_back());
        }
    }

    const nlohmann::json& object_;
    const std::string& where_;
};

}  // namespace stackae

#pragma once

#include <cstddef>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string_view>
#include <vector>

#include "stackae/enum_names.hpp"
#include "stackae/error.hpp"

namespace stackae::base {

template <class Enum>
struct EnumName {
    Enum value;
    const char* text;
};

/// The names of an enum, of which stackae::name() and stackae::parse() are made.
template <class Enum, std::size_t count>
struct EnumNames {
    const char* what;  ///< what messages call the enum
    EnumName<Enum> rows[count];

    [[nodiscard]] const char* name(Enum value) const {
        for (const auto& row : rows) {
            if (row.value == value) {
                return row.text;
            }
        }
        return "unknown";
    }

    [[nodiscard]] Enum parse(std::string_view text) const {
        std::vector<const char*> texts;
        for (const auto& row : rows) {
            if (row.text == text) {
                return row.value;
            }
            texts.push_back(row.text);
        }
        throw InvalidArgument(fmt::format("{}: \"{}\" found, {}{} expected", what, text,
                                          count == 2 ? "" : "one of ",
                                          fmt::join(texts, count == 2 ? " or " : ", ")));
    }
};

template <class Enum, std::size_t count>
constexpr EnumNames<Enum, count> names_of(const char* what, const EnumName<Enum> (&rows)[count]) {
    EnumNames<Enum, count> names{what, {}};
    for (std::size_t i = 0; i < count; ++i) {
        names.rows[i] = rows[i];
    }
    return names;
}

/// Of an enum that has names: what names_of() makes. The one file that specialises it instantiates name() and
/// parse() of the enum for all others.
template <class Enum>
inline constexpr auto enum_names = nullptr;

}  // namespace stackae::base

namespace stackae {

template <class Enum>
requires std::is_enum_v<Enum>
const char* name(Enum value) {
    return base::enum_names<Enum>.name(value);
}

template <class Enum>
Enum parse(std::string_view text) {
    return base::enum_names<Enum>.parse(text);
}

}  // namespace stackae

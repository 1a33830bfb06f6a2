#pragma once

#include <string_view>
#include <type_traits>

namespace stackae {

/// The name of an enumerator, as options, files and messages write it; "unknown" for a value that has none.
/// Enums that have names say so where they are declared.
template <class Enum>
requires std::is_enum_v<Enum>
[[nodiscard]] const char* name(Enum value);

/// The inverse of name(). Throws InvalidArgument that lists the names there are.
template <class Enum>
[[nodiscard]] Enum parse(std::string_view text);

}  // namespace stackae

#pragma once

#include <bit>
#include <cstring>
#include <string>
#include <type_traits>

namespace stackae::features {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

/// Appends a number's bytes, the lowest first.
template <class Number>
void put_number(std::string& to, std::type_identity_t<Number> number) {
    char bytes[sizeof(Number)];
    std::memcpy(bytes, &number, sizeof(Number));
    to.append(bytes, sizeof(Number));
}

}  // namespace stackae::features

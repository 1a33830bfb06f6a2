#pragma once

#include <string>

// Catch2 2 (Debian 12) and 3 (Debian 13) under one name.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif

namespace stackae::test {

/// For CHECK_THROWS_WITH: the message has this text somewhere in it.
inline auto contains(const std::string& text) {
#if __has_include(<catch2/catch_all.hpp>)
    return Catch::Matchers::ContainsSubstring(text);
#else
    return Catch::Matchers::Contains(text);
#endif
}

}  // namespace stackae::test

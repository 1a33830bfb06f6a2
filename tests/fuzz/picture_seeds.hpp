#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stackae::fuzz {

/// Whole files of a format that nothing here can write, by its decoder's name; none for others.
[[nodiscard]] std::vector<std::string> small_pictures(std::string_view format);

}  // namespace stackae::fuzz

#pragma once

#include <string>

#include "stackae/gallery.hpp"

namespace stackae::search {

/// What is wrong with a gallery's parts, in one line; empty when nothing is.
[[nodiscard]] std::string fault(const Gallery& gallery);

/// Throws InvalidArgument "{operation}: …" when something is.
void check(const Gallery& gallery, const std::string& operation);

}  // namespace stackae::search

#pragma once

#include <string>

#include "fuzz/targets.hpp"

namespace stackae::fuzz {

/// A file of safetensors; where its checksum alone is wrong, with the one that it should have.
[[nodiscard]] std::string with_right_checksum(Input input);

}  // namespace stackae::fuzz

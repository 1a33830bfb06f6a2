#pragma once

#include "stackae/patch_memory.hpp"

#include "base/safetensors.hpp"

namespace stackae::search {

/// What load_patch_memory() makes of a file that was read already.
[[nodiscard]] PatchMemory read_patch_memory(base::Safetensors file);

}  // namespace stackae::search

#pragma once

#include "stackae/stack_model.hpp"

#include "base/safetensors.hpp"

namespace stackae {

/// What load_stack_model() makes of a file that was read already.
[[nodiscard]] StackModel read_stack_model(base::Safetensors file);

}  // namespace stackae

#pragma once

#include "stackae/model.hpp"

#include "core/safetensors.hpp"

namespace stackae {

/// What load_model() makes of a file that was read already.
[[nodiscard]] Model read_model(core::Safetensors file);

}  // namespace stackae

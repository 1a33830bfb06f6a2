#pragma once

#include "stackae/model.hpp"

#include "base/safetensors.hpp"

namespace stackae {

/// What load_model() makes of a file that was read already.
[[nodiscard]] Model read_model(base::Safetensors file);

}  // namespace stackae

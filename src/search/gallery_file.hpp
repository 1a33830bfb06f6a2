#pragma once

#include "stackae/gallery.hpp"

#include "base/safetensors.hpp"

namespace stackae::search {

/// What load_gallery() makes of a file that was read already.
[[nodiscard]] Gallery read_gallery(base::Safetensors file);

}  // namespace stackae::search

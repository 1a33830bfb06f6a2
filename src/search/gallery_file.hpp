#pragma once

#include "stackae/gallery.hpp"

#include "base/atomic_file.hpp"
#include "base/safetensors.hpp"

namespace stackae::search {

/// As stackae::save(), into a file that the caller commits.
void save(const Gallery& gallery, base::AtomicFile& file);
/// What load_gallery() makes of a file that was read already.
[[nodiscard]] Gallery read_gallery(base::Safetensors file);

}  // namespace stackae::search

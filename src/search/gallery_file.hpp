#pragma once

#include "stackae/gallery.hpp"

#include "core/atomic_file.hpp"
#include "core/safetensors.hpp"

namespace stackae::search {

/// As stackae::save(), into a file that the caller commits.
void save(const Gallery& gallery, core::AtomicFile& file);
/// What load_gallery() makes of a file that was read already.
[[nodiscard]] Gallery read_gallery(core::Safetensors file);

}  // namespace stackae::search

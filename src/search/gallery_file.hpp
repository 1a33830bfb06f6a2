#pragma once

#include "stackae/gallery.hpp"

#include "core/atomic_file.hpp"

namespace stackae::search {

/// As stackae::save(), into a file that the caller commits.
void save(const Gallery& gallery, core::AtomicFile& file);

}  // namespace stackae::search

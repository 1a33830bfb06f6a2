#pragma once

#include "stackae/tensor.hpp"

#include "core/atomic_file.hpp"

namespace stackae::image {

/// As stackae::write_png(), into a file that the caller commits.
void write_png(core::AtomicFile& file, const Tensor& picture);

}  // namespace stackae::image

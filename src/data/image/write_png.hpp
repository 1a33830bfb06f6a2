#pragma once

#include "stackae/tensor.hpp"

#include "base/atomic_file.hpp"

namespace stackae::data {

/// As stackae::write_png(), into a file that the caller commits.
void write_png(base::AtomicFile& file, const Tensor& picture);

}  // namespace stackae::data

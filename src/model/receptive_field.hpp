#pragma once

#include <cstddef>

#include "stackae/layer.hpp"

namespace stackae {

/// Of the output of the lowest `depth` layers: the rectangle of the picture, in pixels, that a position of it
/// depends on.
[[nodiscard]] ReceptiveField receptive_field(const Stack& layers, std::size_t depth);

}  // namespace stackae

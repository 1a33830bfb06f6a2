#pragma once

#include <string>
#include <vector>

#include "stackae/gallery.hpp"

#include "layers/onnx_graph.hpp"

namespace stackae::search {

/// Of a code, as the gallery has them, the distance to the nearest entry of each name: a value a name, in the
/// byte order of the names. code: N × d, not scaled to length 1 yet where the gallery's are.
[[nodiscard]] layers::OnnxValue name_distances_to_onnx(layers::OnnxGraph& graph, const Gallery& gallery,
                                                       const layers::OnnxValue& code);

}  // namespace stackae::search

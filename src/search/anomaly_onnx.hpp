#pragma once

#include "stackae/patch_memory.hpp"

#include "layers/onnx_graph.hpp"

namespace stackae::search {

/// AnomalyScore::map of a picture, as the memory's preprocessing makes it: a map of one channel.
[[nodiscard]] layers::OnnxValue anomaly_map_to_onnx(layers::OnnxGraph& graph, const PatchMemory& memory,
                                                    const layers::OnnxValue& picture);
/// enlarge_map() of it.
[[nodiscard]] layers::OnnxValue enlarge_map_in_onnx(layers::OnnxGraph& graph, const layers::OnnxValue& map,
                                                    std::int64_t height, std::int64_t width);
/// AnomalyScore::score of the map of the grid: one value. Where the rule takes a mean, by the operator TopK,
/// which OpenCV 4.6 lacks.
[[nodiscard]] layers::OnnxValue anomaly_score_to_onnx(layers::OnnxGraph& graph, const PatchMemory& memory,
                                                      const layers::OnnxValue& map);

}  // namespace stackae::search

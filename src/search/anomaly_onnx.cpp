#include "search/anomaly_onnx.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/rows.hpp"
#include "linalg/vector_ops.hpp"
#include "search/anomaly_distances.hpp"
#include "search/anomaly_rule.hpp"
#include "search/patch_encoder.hpp"

namespace stackae::search {
namespace {

using base::at;
using layers::OnnxGraph;
using layers::OnnxValue;

/// Codes of a memory that a picture's positions are compared with at a time: more would need more memory.
constexpr std::int64_t codes_at_a_time = 1024;

std::vector<float> floats(const Tensor& tensor) {
    return {tensor.values().begin(), tensor.values().end()};
}

OnnxValue times_positions(OnnxGraph& graph, const OnnxValue& map, const Tensor& factors) {
    return graph.as_map(graph.times_columns(graph.as_rows(map), factors));
}

OnnxValue largest_of_all(OnnxGraph& graph, const OnnxValue& map) {
    return graph.largest(map, {0, 0, map.shape.height, map.shape.width});
}

/// The graph's words for AnomalyDistances, each a map of one channel.
class Distances {
public:
    /// descriptors: a map.
    Distances(OnnxGraph& graph, const PatchMemory& memory, const OnnxValue& descriptors)
        : graph_(graph), memory_(memory) {
        scaled_ = graph.times_channels(descriptors, floats(memory.scale));
        std::vector<float> minus = floats(memory.mean);
        std::transform(minus.begin(), minus.end(), minus.begin(), std::negate<>{});
        scaled_ = graph.plus_channels(scaled_, minus);
        codes_ = graph.mix_channels(scaled_, floats(memory.components), {});
    }

    [[nodiscard]] OnnxValue of(AnomalyMethod method) const {
        switch (method) {
            case AnomalyMethod::memory:
                return nearest();
            case AnomalyMethod::gaussian:
                return gaussian();
            case AnomalyMethod::position_gaussian:
                return position_gaussian();
            case AnomalyMethod::reconstruction:
                return reconstruction();
        }
        return {};
    }

private:
    [[nodiscard]] OnnxValue root(const OnnxValue& squares) const {
        return graph_.each("Sqrt", graph_.each("Relu", squares));
    }

    /// ‖z − c‖² = ‖z‖² − (2 z·c − ‖c‖²), of which the largest over all codes c.
    [[nodiscard]] OnnxValue nearest() const {
        const OnnxValue scaled = graph_.times_channels(codes_, floats(half_whitening(memory_.variances)));
        const std::int64_t d = memory_.dimension();
        const Shape grid{memory_.height, memory_.width, 1};
        const OnnxValue positions{
            graph_.add("Reshape", {graph_.as_rows(scaled).name, graph_.indices({-1, d})}), {1, 1, d}, false};
        std::vector<OnnxValue> largest;
        for (std::int64_t first = 0; first < memory_.codes.rows(); first += codes_at_a_time) {
            const std::int64_t count = std::min(codes_at_a_time, memory_.codes.rows() - first);
            Tensor weights({count, d});
            Tensor bias({count});
            for (std::int64_t i = 0; i < count; ++i) {
                const auto code = memory_.codes.row(first + i);
                std::transform(code.begin(), code.end(), weights.row(i).begin(),
                               [](float value) { return 2.0F * value; });
                bias.data()[i] = -static_cast<float>(base::squared_norm(code));
            }
            const OnnxValue products = graph_.affine(positions, weights, bias, {1, count, 1});
            largest.push_back(graph_.as_rows(largest_of_all(graph_, graph_.as_map(products))));
        }
        OnnxValue all = graph_.concat(largest);
        all.shape = {1, std::ssize(largest), 1};
        const OnnxValue most{graph_.add("Reshape", {largest_of_all(graph_, graph_.as_map(all)).name,
                                                    graph_.indices({-1, 1, grid.height, grid.width})}),
                             grid, true};
        return root(graph_.each("Sub", graph_.squared_norms(scaled), most));
    }

    [[nodiscard]] OnnxValue gaussian() const {
        std::vector<float> factors = floats(floored(memory_.variances));
        std::transform(factors.begin(), factors.end(), factors.begin(),
                       [](float variance) { return 1.0F / std::sqrt(variance); });
        return root(graph_.squared_norms(graph_.times_channels(codes_, factors)));
    }

    [[nodiscard]] OnnxValue position_gaussian() const {
        Tensor minus({memory_.position_means.size()});
        std::transform(memory_.position_means.values().begin(), memory_.position_means.values().end(),
                       minus.values().begin(), std::negate<>{});
        const OnnxValue centred = graph_.as_map(graph_.plus_columns(graph_.as_rows(codes_), minus));
        const OnnxValue whitened = graph_.mix_channels(centred, floats(memory_.position_whitening), {});
        Tensor factors({memory_.positions()});
        std::transform(memory_.position_spread.values().begin(), memory_.position_spread.values().end(),
                       factors.values().begin(), [](float spread) { return 1.0F / std::sqrt(spread); });
        return times_positions(graph_, root(graph_.squared_norms(whitened)), factors);
    }

    [[nodiscard]] OnnxValue reconstruction() const {
        const OnnxValue rebuilt =
            graph_.mix_channels(codes_, floats(linalg::transposed(memory_.components)), {});
        return root(graph_.squared_norms(graph_.each("Sub", scaled_, rebuilt)));
    }

    OnnxGraph& graph_;
    const PatchMemory& memory_;
    OnnxValue scaled_;
    OnnxValue codes_;
};

/// 0 where the region is, and far below any score elsewhere.
Tensor beyond_region(const PatchMemory& memory) {
    constexpr float never = 1e30F;
    Tensor terms({memory.positions()});
    std::transform(memory.region.values().begin(), memory.region.values().end(), terms.values().begin(),
                   [](float counts) { return counts > 0.0F ? 0.0F : -never; });
    return terms;
}

OnnxValue mean_of_largest(OnnxGraph& graph, const OnnxValue& map, const ScoredTile& tile, double share) {
    const OnnxGraph::Rectangle part{tile.top, tile.left, tile.top + tile.height, tile.left + tile.width};
    const std::int64_t count = largest_count(share, tile.positions);
    if (count == 1) {
        return graph.as_rows(graph.largest(map, part));
    }
    const OnnxValue row = graph.as_rows(graph.part(map, part));
    const std::string largest =
        graph.add("TopK", {row.name, graph.indices({count})}, {{"axis", std::int64_t{1}}}, 2);
    Tensor weights({1, count});
    std::fill(weights.values().begin(), weights.values().end(), 1.0F / static_cast<float>(count));
    return graph.affine({largest, {1, 1, count}, false}, weights, {}, {1, 1, 1});
}

}  // namespace

OnnxValue anomaly_map_to_onnx(OnnxGraph& graph, const PatchMemory& memory, const OnnxValue& picture) {
    const PatchEncoder encoder(memory.model, memory.depth, memory.preprocessing.shape(), memory.levels,
                               memory.stride, 1);
    check_fits(encoder, memory);
    const Distances distances(graph, memory, encoder.to_onnx(graph, picture));
    Tensor terms({memory.positions()});
    OnnxValue sum;
    for (const AnomalyMethod method : memory.rule.methods) {
        const auto m = static_cast<std::int64_t>(method);
        Tensor factors({memory.positions()});
        for (std::int64_t p = 0; p < memory.positions(); ++p) {
            const auto at_p = at(p);
            factors.data()[p] = memory.region.data()[p] / memory.distance_deviations.row(m)[at_p];
            terms.data()[p] -= factors.data()[p] * memory.distance_means.row(m)[at_p];
        }
        const OnnxValue map = times_positions(graph, distances.of(method), factors);
        sum = sum.name.empty() ? map : graph.each("Add", sum, map);
    }
    return graph.as_map(graph.plus_columns(graph.as_rows(sum), terms));
}

OnnxValue enlarge_map_in_onnx(OnnxGraph& graph, const OnnxValue& map, std::int64_t height,
                              std::int64_t width) {
    const Shape& from = map.shape;
    return graph.along_height(graph.along_width(map, enlarging(from.width, width).matrix(from.width)),
                              enlarging(from.height, height).matrix(from.height));
}

OnnxValue anomaly_score_to_onnx(OnnxGraph& graph, const PatchMemory& memory, const OnnxValue& map) {
    const OnnxValue within = graph.as_map(graph.plus_columns(graph.as_rows(map), beyond_region(memory)));
    std::vector<OnnxValue> scores;
    for (const ScoredTile& tile : scored_tiles(memory)) {
        scores.push_back(mean_of_largest(graph, within, tile, memory.rule.share));
    }
    OnnxValue all = graph.concat(scores);
    all.shape = {1, std::ssize(scores), 1};
    return graph.as_rows(largest_of_all(graph, graph.as_map(all)));
}

}  // namespace stackae::search

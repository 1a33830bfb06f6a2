#include "search/gallery_onnx.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/rows.hpp"

namespace stackae::search {
namespace {

using layers::OnnxGraph;
using layers::OnnxValue;

/// Entries of each name, in byte order of the names.
std::map<std::string, std::vector<std::int64_t>> entries_of_names(const Gallery& gallery) {
    std::map<std::string, std::vector<std::int64_t>> entries;
    for (std::int64_t i = 0; i < gallery.size(); ++i) {
        entries[gallery.names[static_cast<std::size_t>(i)]].push_back(i);
    }
    return entries;
}

/// The largest value of each row.
OnnxValue largest(OnnxGraph& graph, const OnnxValue& rows) {
    const OnnxValue map = graph.as_map(rows);
    return graph.as_rows(graph.largest(map, {0, 0, map.shape.height, map.shape.width}));
}

/// The largest w · x + b over the entries of each name.
template <class Entry>
OnnxValue largest_of_names(OnnxGraph& graph, const Gallery& gallery, const OnnxValue& code,
                           const Entry& entry) {
    std::vector<OnnxValue> all;
    for (const auto& [name, entries] : entries_of_names(gallery)) {
        const std::int64_t n = std::ssize(entries);
        Tensor weights({n, gallery.codes.columns()});
        Tensor bias({n});
        for (std::int64_t i = 0; i < n; ++i) {
            bias.data()[i] = entry(gallery.codes.row(entries[static_cast<std::size_t>(i)]), weights.row(i));
        }
        all.push_back(largest(graph, graph.affine(code, weights, bias, {1, n, 1})));
    }
    return graph.concat(all);
}

/// 1 − x·c / (‖x‖ ‖c‖).
OnnxValue by_cosine(OnnxGraph& graph, const Gallery& gallery, const OnnxValue& code) {
    const OnnxValue nearest = largest_of_names(
        graph, gallery, graph.l2_normalize(code), [](std::span<const float> c, std::span<float> weights) {
            const double norm = std::sqrt(base::squared_norm(c));
            std::transform(c.begin(), c.end(), weights.begin(), [&](float value) {
                return norm > 0.0 ? static_cast<float>(double{value} / norm) : 0.0F;
            });
            return 0.0F;
        });
    return graph.each("Add", graph.each("Mul", nearest, -1.0), 1.0);
}

/// ‖x − c‖² = ‖x‖² − (2 x·c − ‖c‖²), of which the largest over all entries c.
OnnxValue by_l2(OnnxGraph& graph, const Gallery& gallery, const OnnxValue& code) {
    const OnnxValue nearest =
        largest_of_names(graph, gallery, code, [](std::span<const float> c, std::span<float> weights) {
            std::transform(c.begin(), c.end(), weights.begin(), [](float value) { return 2.0F * value; });
            return -static_cast<float>(base::squared_norm(c));
        });
    Tensor ones({nearest.shape.size(), code.shape.size()});
    std::fill(ones.values().begin(), ones.values().end(), 1.0F);
    const OnnxValue norms = graph.affine(graph.each("Mul", code, code), ones, {}, nearest.shape);
    return graph.each("Sqrt", graph.each("Relu", graph.each("Sub", norms, nearest)));
}

}  // namespace

OnnxValue name_distances_to_onnx(OnnxGraph& graph, const Gallery& gallery, const OnnxValue& code) {
    OnnxValue rows = graph.as_rows(code);
    rows.shape = {1, 1, rows.shape.size()};
    if (gallery.l2_normalize) {
        rows = graph.l2_normalize(rows);
    }
    return gallery.metric == Metric::cosine ? by_cosine(graph, gallery, rows) : by_l2(graph, gallery, rows);
}

}  // namespace stackae::search

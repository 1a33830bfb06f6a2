#include "search/patch_encoder.hpp"

namespace stackae::search {
namespace {

using layers::OnnxGraph;
using layers::OnnxValue;

/// (tiles · tile) × side: the pixels of all tiles along a side of a picture that goes on mirrored.
Tensor tile_pixels(std::int64_t tiles, std::int64_t tile, std::int64_t pixels, std::int64_t margin,
                   std::int64_t side) {
    Tensor matrix({tiles * tile, side});
    for (std::int64_t i = 0; i < matrix.rows(); ++i) {
        matrix.row(i)[base::at(mirrored(i / tile * pixels - margin + i % tile, side))] = 1.0F;
    }
    return matrix;
}

}  // namespace

OnnxValue PatchEncoder::level_to_onnx(OnnxGraph& graph, const OnnxValue& picture, std::size_t level) const {
    const Tiling tiling = tiling_of(sizes_[level]);
    const TileGeometry::Side& down = geometry_.down;
    const TileGeometry::Side& across = geometry_.across;
    OnnxValue map =
        graph.along_width(picture, tile_pixels(tiling.across, geometry_.tile.width, geometry_.pixels(across),
                                               across.margin, picture.shape.width));
    map = graph.along_height(map, tile_pixels(tiling.down, geometry_.tile.height, geometry_.pixels(down),
                                              down.margin, picture.shape.height));
    map = graph.split_tiles(map, tiling.down, tiling.across);
    map = graph.as_map(layers::encode_to_onnx(graph, layers_, map));
    map = graph.join_tiles(map, tiling.down, tiling.across);
    // Of all positions of all tiles those that are used are brought to the grid.
    const auto place = [](const TileGeometry::Side& of, std::int64_t positions) {
        return [=](std::int64_t i) { return i / of.count * positions + of.first + i % of.count; };
    };
    const auto [rows, columns] = map_grid(level);
    map = graph.along_width(map, columns.matrix(map.shape.width, place(across, geometry_.map.width)));
    return graph.along_height(map, rows.matrix(map.shape.height, place(down, geometry_.map.height)));
}

OnnxValue PatchEncoder::to_onnx(OnnxGraph& graph, const OnnxValue& picture) const {
    OnnxValue now = graph.as_map(picture);
    std::vector<OnnxValue> sources;
    for (std::size_t level = 0; level < sizes_.size(); ++level) {
        if (level > 0) {
            const std::vector<std::int64_t> square{2, 2};
            now = {graph.add("AveragePool", {now.name}, {{"kernel_shape", square}, {"strides", square}}),
                   sizes_[level], true};
        }
        sources.push_back(level_to_onnx(graph, now, level));
        const auto [rows, columns] = pixel_grid(level);
        const auto mean = [&](const OnnxValue& of) {
            return graph.along_height(graph.along_width(of, columns.matrix(of.shape.width)),
                                      rows.matrix(of.shape.height));
        };
        const OnnxValue values = mean(now);
        const OnnxValue variance =
            graph.each("Sub", mean(graph.each("Mul", now, now)), graph.each("Mul", values, values));
        sources.push_back(values);
        const double least{least_pixel_variance};
        sources.push_back(graph.each(
            "Sqrt", graph.each("Add", graph.each("Relu", graph.each("Add", variance, -least)), least)));
    }
    return graph.concat_channels(sources);
}

}  // namespace stackae::search

#pragma once

#include <cstdint>
#include <optional>

#include "stackae/enum_names.hpp"

#include "layers/layer_of.hpp"

namespace stackae::layers {

/// What becomes of the values of a cell. Has names.
enum class Pooling {
    average,
    maximum,
};

/// How much each position of a cell counts in its mean. Has names.
enum class PoolingWindow {
    box,         ///< all alike, and positions of other cells not at all
    triangular,  ///< less with the distance from the cell's centre; windows of neighbours overlap
};

/// Pooling: each cell of the output is the mean or the maximum of a square of positions, channel by channel;
/// of squares of `size` positions `stride` apart or, where there is a grid, of grid × grid cells over the
/// whole input (adaptive pooling). Where their window is triangular, cell c of g along an axis of n positions
/// counts position p with
///
///     max(0, 1 − |p + ½ − (c + ½) n/g| / (n/g)),
///
/// brought to sum 1, and the weight of a position is the product of its two axes'. Decoded, each position has
/// the mean of the cells that it was in, weighted so.
class Pool2d : public LayerOf<Pool2d> {
public:
    static constexpr const char* kind_name = "pool2d";
    static constexpr const char* summary =
        "Pooling, channel by channel: the mean or the maximum of squares of positions, or adaptive pooling "
        "over a grid.";
    static constexpr const char* papers = "";

    std::optional<std::int64_t> size;
    std::optional<std::int64_t> stride;
    std::optional<std::int64_t> grid;
    Pooling mode = Pooling::average;
    PoolingWindow window = PoolingWindow::box;

    [[nodiscard]] Shape output_shape() const override;
    void fields(base::FieldTable& table) override;
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    [[nodiscard]] std::unique_ptr<Op> decoder(const OpContext& context) const override;
    [[nodiscard]] OnnxValue to_onnx(OnnxGraph& graph, const OnnxValue& input) const override;
    [[nodiscard]] OnnxValue decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const override;
    [[nodiscard]] bool is_row_wise() const override { return true; }
    [[nodiscard]] std::unique_ptr<Pooler> pooler() const override;
    [[nodiscard]] ReceptiveField receptive_field() const override;
    [[nodiscard]] Activation output_activation(Activation below) const override { return below; }
    [[nodiscard]] bool loses_detail() const override { return true; }
    [[nodiscard]] double working_floats(std::int64_t rows, bool decoding) const override;

private:
    void on_bind() override;
    [[nodiscard]] std::int64_t cells(std::int64_t positions) const;
};

}  // namespace stackae::layers

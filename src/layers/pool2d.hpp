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

/// Pooling: each cell of the output is the mean or the maximum of a square of positions, channel by channel;
/// of squares of `size` positions `stride` apart or, where there is a grid, of grid × grid cells over the
/// whole input (adaptive pooling). Decoded, each position has the mean of the cells that it was in.
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

    [[nodiscard]] Shape output_shape() const override;
    void fields(base::FieldTable& table) override;
    [[nodiscard]] std::unique_ptr<Op> encoder(const OpContext& context) const override;
    [[nodiscard]] std::unique_ptr<Op> decoder(const OpContext& context) const override;
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

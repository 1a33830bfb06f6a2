#include "layers/pool2d.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <vector>

#include "base/enum_names.hpp"
#include "base/fields.hpp"
#include "layers/op.hpp"
#include "linalg/vector_ops.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<layers::Pooling> = base::names_of<layers::Pooling>(
    "pooling", {{layers::Pooling::average, "average"}, {layers::Pooling::maximum, "maximum"}});
template const char* name(layers::Pooling);
template layers::Pooling parse(std::string_view);

namespace layers {
namespace {

constexpr double max_side = 1 << 16;

std::size_t at(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

/// The cells, [first, last), in which a position along one side is pooled.
struct Span {
    std::int64_t first;
    std::int64_t last;
};

std::vector<Span> spans_of(const Pool2d& layer, std::int64_t positions, std::int64_t cells) {
    std::vector<Span> spans(at(positions), Span{cells, 0});
    for (std::int64_t cell = 0; cell < cells; ++cell) {
        const std::int64_t first = layer.grid ? cell * positions / cells : cell * *layer.stride;
        const std::int64_t last = layer.grid ? (cell + 1) * positions / cells : first + *layer.size;
        for (std::int64_t p = first; p < last; ++p) {
            spans[at(p)] = {std::min(spans[at(p)].first, cell), cell + 1};
        }
    }
    return spans;
}

/// Which cells every position of a map belongs to.
class Cells {
public:
    explicit Cells(const Pool2d& layer)
        : in_(layer.input_shape()),
          out_(layer.output_shape()),
          down_(spans_of(layer, in_.height, out_.height)),
          across_(spans_of(layer, in_.width, out_.width)) {}

    [[nodiscard]] const Shape& in() const { return in_; }
    [[nodiscard]] const Shape& out() const { return out_; }
    /// body(cell) for each cell of a position.
    template <class Body>
    void each(std::int64_t position, const Body& body) const {
        const Span y = down_[at(position / in_.width)];
        const Span x = across_[at(position % in_.width)];
        for (std::int64_t cy = y.first; cy < y.last; ++cy) {
            for (std::int64_t cx = x.first; cx < x.last; ++cx) {
                body(cy * out_.width + cx);
            }
        }
    }

private:
    Shape in_;
    Shape out_;
    std::vector<Span> down_;
    std::vector<Span> across_;
};

class CellPooler : public Pooler {
public:
    explicit CellPooler(const Pool2d& layer)
        : cells_(layer),
          average_(layer.mode == Pooling::average),
          scale_(at(cells_.out().height * cells_.out().width)) {
        for (std::int64_t i = 0; i < cells_.in().height * cells_.in().width; ++i) {
            cells_.each(i, [&](std::int64_t cell) { scale_[at(cell)] += 1.0F; });
        }
        std::transform(scale_.begin(), scale_.end(), scale_.begin(),
                       [](float positions) { return 1.0F / positions; });
    }

    void begin(float* dst) override {
        std::fill_n(dst, cells_.out().size(), average_ ? 0.0F : std::numeric_limits<float>::lowest());
    }
    void take(std::int64_t position, const float* values, float* dst) override {
        const std::int64_t channels = cells_.in().channels;
        cells_.each(position, [&](std::int64_t cell) {
            if (average_) {
                linalg::add_row(values, channels, dst + cell * channels);
            } else {
                linalg::raise_row(values, channels, dst + cell * channels);
            }
        });
    }
    void end(float* dst) override {
        const std::int64_t channels = cells_.in().channels;
        for (std::size_t cell = 0; average_ && cell < scale_.size(); ++cell) {
            linalg::scale_row(scale_[cell], channels, dst + static_cast<std::int64_t>(cell) * channels);
        }
    }

private:
    Cells cells_;
    bool average_;
    std::vector<float> scale_;  ///< 1 / positions of each cell
};

class Encoding : public Op {
public:
    Encoding(const Pool2d& layer, std::int64_t rows)
        : pooler_(layer), in_(layer.input_shape()), out_(layer.output_shape()), rows_(rows) {}

    void run(const float* src, float* dst) override {
        for (std::int64_t row = 0; row < rows_; ++row, src += in_.size(), dst += out_.size()) {
            pooler_.begin(dst);
            for (std::int64_t i = 0; i < in_.height * in_.width; ++i) {
                pooler_.take(i, src + i * in_.channels, dst);
            }
            pooler_.end(dst);
        }
    }

private:
    CellPooler pooler_;
    Shape in_;
    Shape out_;
    std::int64_t rows_;
};

class Decoding : public Op {
public:
    Decoding(const Pool2d& layer, std::int64_t rows) : cells_(layer), rows_(rows) {}

    void run(const float* src, float* dst) override {
        const std::int64_t channels = cells_.in().channels;
        std::fill_n(dst, rows_ * cells_.in().size(), 0.0F);
        for (std::int64_t row = 0; row < rows_; ++row, src += cells_.out().size()) {
            for (std::int64_t i = 0; i < cells_.in().height * cells_.in().width; ++i, dst += channels) {
                std::int64_t count = 0;
                cells_.each(i, [&](std::int64_t cell) {
                    linalg::add_row(src + cell * channels, channels, dst);
                    ++count;
                });
                if (count > 1) {
                    linalg::scale_row(1.0F / static_cast<float>(count), channels, dst);
                }
            }
        }
    }

private:
    Cells cells_;
    std::int64_t rows_;
};

}  // namespace

std::int64_t Pool2d::cells(std::int64_t positions) const {
    return grid ? *grid : (positions - *size) / *stride + 1;
}

Shape Pool2d::output_shape() const {
    const Shape& in = input_shape();
    return {cells(in.height), cells(in.width), in.channels};
}

void Pool2d::fields(base::FieldTable& table) {
    table.add("size", size, {1, max_side}, "side of the square of positions that a cell is made of; auto: 2");
    table.add("stride", stride, {1, max_side}, "positions between squares, at most size; auto: size");
    table.add("grid", grid, {1, max_side}, "cells a side over the whole input, in place of size and stride");
    table.add("mode", mode, "what becomes of a square");
}

void Pool2d::on_bind() {
    const std::int64_t positions = std::min(input_shape().height, input_shape().width);
    if (grid) {
        if (size || stride) {
            refuse_field("grid", *grid, "no grid beside size or stride");
        }
        if (*grid > positions) {
            refuse(input_shape(),
                   fmt::format("at least {} x {} positions, one a cell of the grid,", *grid, *grid));
        }
        return;
    }
    size = size.value_or(2);
    stride = stride.value_or(*size);
    if (*size > positions) {
        refuse(input_shape(), fmt::format("at least {} x {} positions", *size, *size));
    }
    if (*stride > *size) {
        refuse_field("stride", *stride, fmt::format("1 to {} with a size of {}", *size, *size));
    }
}

std::unique_ptr<Op> Pool2d::encoder(const OpContext& context) const {
    return std::make_unique<Encoding>(*this, context.rows);
}

std::unique_ptr<Op> Pool2d::decoder(const OpContext& context) const {
    return std::make_unique<Decoding>(*this, context.rows);
}

std::unique_ptr<Pooler> Pool2d::pooler() const {
    return std::make_unique<CellPooler>(*this);
}

ReceptiveField Pool2d::receptive_field() const {
    const auto along = [&](std::int64_t positions) -> ReceptiveField::Side {
        if (!grid) {
            return {*size, *stride};
        }
        // Cells of a grid may differ by a position: this holds each of them.
        const std::int64_t step = positions / *grid;
        return {positions - step * (*grid - 1), step};
    };
    return {along(input_shape().height), along(input_shape().width)};
}

double Pool2d::working_floats(std::int64_t /*rows*/, bool /*decoding*/) const {
    return static_cast<double>(input_shape().height + input_shape().width);
}

}  // namespace layers
}  // namespace stackae

#include "layers/pool2d.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <vector>

#include "base/enum_names.hpp"
#include "base/fields.hpp"
#include "layers/onnx_graph.hpp"
#include "layers/op.hpp"
#include "linalg/vector_ops.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<layers::Pooling> = base::names_of<layers::Pooling>(
    "pooling", {{layers::Pooling::average, "average"}, {layers::Pooling::maximum, "maximum"}});
template const char* name(layers::Pooling);
template layers::Pooling parse(std::string_view);

template <>
constexpr auto base::enum_names<layers::PoolingWindow> = base::names_of<layers::PoolingWindow>(
    "window", {{layers::PoolingWindow::box, "box"}, {layers::PoolingWindow::triangular, "triangular"}});
template const char* name(layers::PoolingWindow);
template layers::PoolingWindow parse(std::string_view);

namespace layers {
namespace {

constexpr double max_side = 1 << 16;
constexpr double rounding = 1e-9;  ///< of a triangle's height: at its foot a position is outside

std::size_t at(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

/// The cells, [first, last), in which a position along one side is pooled. A position is in two triangular
/// windows at most, where it counts as `weights` says, those of a window with sum 1; in others it counts 1.
struct Span {
    std::int64_t first;
    std::int64_t last;
    std::array<float, 2> weights = {};
};

/// The cells of each position along one side.
class Side {
public:
    Side(const Pool2d& layer, std::int64_t positions, std::int64_t cells)
        : weighted_(layer.window == PoolingWindow::triangular), spans_(at(positions), Span{cells, 0}) {
        for (std::int64_t cell = 0; cell < cells; ++cell) {
            if (weighted_) {
                add_triangle(cell, cells);
            } else {
                const std::int64_t first = layer.grid ? cell * positions / cells : cell * *layer.stride;
                const std::int64_t last = layer.grid ? (cell + 1) * positions / cells : first + *layer.size;
                for (std::int64_t p = first; p < last; ++p) {
                    spans_[at(p)] = {std::min(spans_[at(p)].first, cell), cell + 1};
                }
            }
        }
    }

    [[nodiscard]] const Span& span(std::int64_t position) const { return spans_[at(position)]; }
    [[nodiscard]] float weight(const Span& span, std::int64_t cell) const {
        return weighted_ ? span.weights[at(cell - span.first)] : 1.0F;
    }

private:
    void add_triangle(std::int64_t cell, std::int64_t cells) {
        const std::int64_t positions = std::ssize(spans_);
        const double width = static_cast<double>(positions) / static_cast<double>(cells);
        const double centre = (static_cast<double>(cell) + 0.5) * width;
        const auto height = [&](std::int64_t p) {
            const double h = 1.0 - std::abs(static_cast<double>(p) + 0.5 - centre) / width;
            return h > rounding ? h : 0.0;
        };
        double sum = 0.0;
        for (std::int64_t p = 0; p < positions; ++p) {
            sum += height(p);
        }
        for (std::int64_t p = 0; p < positions; ++p) {
            if (const auto weight = static_cast<float>(height(p) / sum); weight > 0.0F) {
                Span& span = spans_[at(p)];
                span.first = std::min(span.first, cell);
                span.last = cell + 1;
                span.weights.at(at(cell - span.first)) = weight;
            }
        }
    }

    bool weighted_;
    std::vector<Span> spans_;
};

/// Which cells every position of a map belongs to.
class Cells {
public:
    explicit Cells(const Pool2d& layer)
        : in_(layer.input_shape()),
          out_(layer.output_shape()),
          down_(layer, in_.height, out_.height),
          across_(layer, in_.width, out_.width) {}

    [[nodiscard]] const Shape& in() const { return in_; }
    [[nodiscard]] const Shape& out() const { return out_; }
    /// body(cell, weight) for each cell of a position.
    template <class Body>
    void each(std::int64_t position, const Body& body) const {
        const std::int64_t row = position / in_.width;
        const std::int64_t column = position % in_.width;
        const Span& y = down_.span(row);
        const Span& x = across_.span(column);
        for (std::int64_t cy = y.first; cy < y.last; ++cy) {
            for (std::int64_t cx = x.first; cx < x.last; ++cx) {
                body(cy * out_.width + cx, down_.weight(y, cy) * across_.weight(x, cx));
            }
        }
    }

private:
    Shape in_;
    Shape out_;
    Side down_;
    Side across_;
};

class CellPooler : public Pooler {
public:
    explicit CellPooler(const Pool2d& layer)
        : cells_(layer),
          average_(layer.mode == Pooling::average),
          weighted_(layer.window == PoolingWindow::triangular),
          scale_(at(cells_.out().height * cells_.out().width)) {
        for (std::int64_t i = 0; i < cells_.in().height * cells_.in().width; ++i) {
            cells_.each(i, [&](std::int64_t cell, float /*weight*/) { scale_[at(cell)] += 1.0F; });
        }
        std::transform(scale_.begin(), scale_.end(), scale_.begin(),
                       [](float positions) { return 1.0F / positions; });
    }

    void begin(float* dst) override {
        std::fill_n(dst, cells_.out().size(), average_ ? 0.0F : std::numeric_limits<float>::lowest());
    }
    void take(std::int64_t position, const float* values, float* dst) override {
        const std::int64_t channels = cells_.in().channels;
        cells_.each(position, [&](std::int64_t cell, float weight) {
            float* const to = dst + cell * channels;
            if (weighted_) {
                linalg::add_scaled_row(weight, values, channels, to);
            } else if (average_) {
                linalg::add_row(values, channels, to);
            } else {
                linalg::raise_row(values, channels, to);
            }
        });
    }
    void end(float* dst) override {
        const std::int64_t channels = cells_.in().channels;
        for (std::size_t cell = 0; average_ && !weighted_ && cell < scale_.size(); ++cell) {
            linalg::scale_row(scale_[cell], channels, dst + static_cast<std::int64_t>(cell) * channels);
        }
    }

private:
    Cells cells_;
    bool average_;
    bool weighted_;             ///< an average by weights
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
                float sum = 0.0F;
                cells_.each(i, [&](std::int64_t cell, float weight) {
                    linalg::add_scaled_row(weight, src + cell * channels, channels, dst);
                    sum += weight;
                });
                if (sum > 0.0F) {
                    linalg::scale_row(1.0F / sum, channels, dst);
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
    table.add(
        "window", window,
        "how much positions of a grid's cell count in its mean; triangular: less with the distance from "
        "its centre, over twice its width");
    table.added_later("box");
}

void Pool2d::on_bind() {
    if (window == PoolingWindow::triangular && (!grid || mode != Pooling::average)) {
        refuse_field("window", name(window), "box but for the average over a grid");
    }
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
        if (window == PoolingWindow::triangular) {
            return {2 * step, step, -(step / 2)};
        }
        return {positions - step * (*grid - 1), step};
    };
    return {along(input_shape().height), along(input_shape().width)};
}

double Pool2d::working_floats(std::int64_t /*rows*/, bool /*decoding*/) const {
    return static_cast<double>(input_shape().height + input_shape().width);
}

namespace {

/// Pooling as a matrix, cells × positions; or back, positions × cells.
Tensor matrix_of(const Cells& cells, bool back) {
    const std::int64_t positions = cells.in().height * cells.in().width;
    const std::int64_t count = cells.out().height * cells.out().width;
    Tensor weights(back ? std::vector<std::int64_t>{positions, count}
                        : std::vector<std::int64_t>{count, positions});
    Tensor sums({weights.rows()});
    for (std::int64_t i = 0; i < positions; ++i) {
        cells.each(i, [&](std::int64_t cell, float weight) {
            (back ? weights.row(i)[at(cell)] : weights.row(cell)[at(i)]) = weight;
            sums.data()[back ? i : cell] += weight;
        });
    }
    for (std::int64_t i = 0; i < weights.rows(); ++i) {
        for (float& weight : weights.row(i)) {
            weight = sums.data()[i] > 0.0F ? weight / sums.data()[i] : 0.0F;
        }
    }
    return weights;
}

}  // namespace

OnnxValue Pool2d::to_onnx(OnnxGraph& graph, const OnnxValue& input) const {
    const Shape& in = input_shape();
    const Shape out = output_shape();
    const bool average = mode == Pooling::average;
    const OnnxValue map = graph.as_map(input);
    const bool even = !grid || (in.height % *grid == 0 && in.width % *grid == 0);
    if (even && window == PoolingWindow::box) {
        const std::int64_t down = grid ? in.height / *grid : *size;
        const std::int64_t across = grid ? in.width / *grid : *size;
        using Sides = std::vector<std::int64_t>;
        return {graph.add(average ? "AveragePool" : "MaxPool", {map.name},
                          {{"kernel_shape", Sides{down, across}},
                           {"strides", grid ? Sides{down, across} : Sides{*stride, *stride}}}),
                out, true};
    }
    if (average) {
        return graph.over_positions(map, matrix_of(Cells(*this), false), out);
    }
    // Cells of their own sizes, each the largest of what it has.
    std::vector<OnnxValue> rows;
    for (std::int64_t y = 0; y < *grid; ++y) {
        std::vector<OnnxValue> cells;
        const std::int64_t top = y * in.height / *grid;
        const std::int64_t bottom = (y + 1) * in.height / *grid;
        for (std::int64_t x = 0; x < *grid; ++x) {
            const std::int64_t left = x * in.width / *grid;
            const std::int64_t right = (x + 1) * in.width / *grid;
            cells.push_back(graph.largest(map, {top, left, bottom, right}));
        }
        rows.push_back(graph.concat_across(cells));
    }
    return graph.concat_down(rows);
}

OnnxValue Pool2d::decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const {
    return graph.over_positions(graph.as_map(code), matrix_of(Cells(*this), true), input_shape());
}

}  // namespace layers
}  // namespace stackae

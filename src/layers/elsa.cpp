#include "layers/elsa.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>

#include "base/fields.hpp"
#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "layers/onnx_graph.hpp"
#include "layers/op.hpp"
#include "layers/tensors.hpp"
#include "linalg/sparse_product.hpp"
#include "linalg/tiled_product.hpp"

namespace stackae::layers {
namespace {

/// h = x A of rows that are zero in most places.
class SparseOp : public Op {
public:
    SparseOp(std::int64_t rows, const Tensor& weights) : rows_(rows), weights_(weights) {}

    void run(const float* src, float* dst) override {
        const std::int64_t inputs = weights_.rows();
        const std::int64_t units = weights_.columns();
        base::parallel_ranges(rows_, 1, [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t i = first; i < last; ++i) {
                std::fill_n(dst + i * units, units, 0.0F);
                linalg::add_row_times_dense({src + i * inputs, base::at(inputs)}, weights_, dst + i * units);
            }
        });
    }

private:
    std::int64_t rows_;
    const Tensor& weights_;
};

/// x̂ = h Aᵀ.
class ProductOp : public Op {
public:
    ProductOp(std::int64_t rows, const Tensor& weights) : rows_(rows), weights_(weights) {}

    void run(const float* src, float* dst) override {
        linalg::TiledProduct{.m = rows_, .n = weights_.rows(), .k = weights_.columns(), .trans_b = true}.run(
            src, weights_.data(), dst);
    }

private:
    std::int64_t rows_;
    const Tensor& weights_;
};

}  // namespace

void Elsa::fields(base::FieldTable& table) {
    table.add("units", units, {1, max_units}, "k: values an item, and of the code");
    table.add("epochs", epochs, {0, 1e6}, "else 20");
    table.add("batch_size", batch_size, {0, 1e6}, "0, or none: a fortieth of the rows, 16 to 4096");
    table.add("learning_rate", learning_rate, {0.0, 1000.0, true}, "else 0.05");
}

void Elsa::on_bind() {
    units = std::min(units, input_shape().size());
}

void Elsa::tensors(TensorTable& table) {
    table.add("weights", weights, {input_shape().size(), units});
}

std::unique_ptr<Op> Elsa::encoder(const OpContext& context) const {
    return std::make_unique<SparseOp>(context.rows, weights);
}

std::unique_ptr<Op> Elsa::decoder(const OpContext& context) const {
    return std::make_unique<ProductOp>(context.rows, weights);
}

std::unique_ptr<Layer> Elsa::without_input(std::int64_t input) const {
    auto layer = std::make_unique<Elsa>(*this);
    std::fill_n(layer->weights.row(input).data(), layer->weights.columns(), 0.0F);
    return layer;
}

Tensor Elsa::input_similarity(std::int64_t input) const {
    Tensor alike({weights.rows()});
    const auto own = weights.row(input);
    const double length = base::squared_norm(own);
    for (std::int64_t i = 0; i < weights.rows(); ++i) {
        const auto row = weights.row(i);
        const double product = std::transform_reduce(own.begin(), own.end(), row.begin(), 0.0, std::plus<>{},
                                                     [](float a, float b) { return double{a} * double{b}; });
        const double lengths = std::sqrt(length * base::squared_norm(row));
        alike.data()[i] = lengths > 0.0 ? static_cast<float>(product / lengths) : 0.0F;
    }
    return alike;
}

OnnxValue Elsa::to_onnx(OnnxGraph& graph, const OnnxValue& input) const {
    return graph.affine(input, weights, Tensor(), output_shape(), Activation::linear, true);
}

OnnxValue Elsa::decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const {
    return graph.affine(code, weights, Tensor(), input_shape());
}

}  // namespace stackae::layers

#include "layers/whiten.hpp"

#include <algorithm>
#include <cmath>

#include "base/fields.hpp"
#include "base/rows.hpp"
#include "layers/affine.hpp"
#include "layers/onnx_graph.hpp"
#include "layers/tensors.hpp"
#include "linalg/pca.hpp"

namespace stackae::layers {
namespace {

/// −P μ.
Tensor bias_of(const Whiten& layer) {
    Tensor bias({layer.whitening.rows()});
    for (std::int64_t i = 0; i < bias.size(); ++i) {
        const auto row = layer.whitening.row(i);
        bias.data()[i] = static_cast<float>(
            -std::transform_reduce(row.begin(), row.end(), layer.mean.data(), 0.0, std::plus<>{},
                                   [](float p, float mean) { return double{p} * double{mean}; }));
    }
    return bias;
}

/// P⁺ᵀ: P's rows are orthogonal, so that each is divided by its squared length.
Tensor inverse_of(const Whiten& layer) {
    Tensor inverse = layer.whitening;
    for (std::int64_t i = 0; i < inverse.rows(); ++i) {
        const auto row = inverse.row(i);
        const double squares = base::squared_norm(row);
        std::transform(row.begin(), row.end(), row.begin(), [squares](float value) {
            return squares > 0.0 ? static_cast<float>(double{value} / squares) : 0.0F;
        });
    }
    return inverse;
}

/// z = P x − P μ.
class Encoding : public Op {
public:
    Encoding(const OpContext& context, const Whiten& layer)
        : bias_(bias_of(layer)), product_(make_affine(context, Activation::linear, layer.whitening, bias_)) {}
    void run(const float* src, float* dst) override { product_->run(src, dst); }

private:
    Tensor bias_;
    std::unique_ptr<Op> product_;
};

/// x = P⁺ z + μ.
class Decoding : public Op {
public:
    Decoding(const OpContext& context, const Whiten& layer)
        : inverse_(inverse_of(layer)),
          product_(make_affine(context, Activation::linear, inverse_, layer.mean, true)) {}
    void run(const float* src, float* dst) override { product_->run(src, dst); }

private:
    Tensor inverse_;
    std::unique_ptr<Op> product_;
};

}  // namespace

void Whiten::fields(base::FieldTable& table) {
    table.add("n_components", n_components, {1, max_units},
              "axes kept, those of largest variance; auto: all");
    table.add("epsilon", epsilon, {0.0, 1e6}, "added to the variances, as a share of their mean");
}

void Whiten::on_bind() {
    n_components = std::min(n_components.value_or(input_shape().size()), input_shape().size());
}

void Whiten::tensors(TensorTable& table) {
    table.add("whitening", whitening, {n_components.value_or(0), input_shape().size()});
    table.add("mean", mean, {input_shape().size()});
}

void Whiten::solve(TrainContext& context, RowStore& rows) {
    const linalg::PcaResult found =
        linalg::pca(rows.row(0), rows.rows(), rows.columns(), *n_components, {}, context.communicator);
    n_components = found.components.rows();
    mean = found.mean;
    whitening = linalg::whitening(found, epsilon);
}

std::unique_ptr<Op> Whiten::encoder(const OpContext& context) const {
    return std::make_unique<Encoding>(context, *this);
}

std::unique_ptr<Op> Whiten::decoder(const OpContext& context) const {
    return std::make_unique<Decoding>(context, *this);
}

OnnxValue Whiten::to_onnx(OnnxGraph& graph, const OnnxValue& input) const {
    return graph.affine(input, whitening, bias_of(*this), output_shape());
}

OnnxValue Whiten::decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const {
    return graph.affine(code, inverse_of(*this), mean, input_shape(), Activation::linear, true);
}

}  // namespace stackae::layers

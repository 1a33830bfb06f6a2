#include "layers/pca.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include "base/fields.hpp"
#include "layers/affine.hpp"
#include "layers/onnx_graph.hpp"
#include "layers/tensors.hpp"
#include "linalg/pca.hpp"

namespace stackae::layers {
namespace {

std::span<float> row_of(RowStore& rows, std::int64_t i) {
    return {rows.row(i), static_cast<std::size_t>(rows.columns())};
}

/// What each column is multiplied by to make all of them vary about as much: 1 / (s + shrinkage s̄), s its
/// deviation over the rows and s̄ the mean of all. Without shrinkage, noise in columns that are all but empty
/// would be raised.
std::vector<double> inverse_std(RowStore& rows, double shrinkage) {
    const auto n = static_cast<double>(rows.rows());
    std::vector<double> mean(static_cast<std::size_t>(rows.columns()));
    std::vector<double> scale(mean.size());
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        std::transform(mean.begin(), mean.end(), row_of(rows, i).begin(), mean.begin(),
                       [n](double sum, float value) { return sum + double{value} / n; });
    }
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        const auto row = row_of(rows, i);
        for (std::size_t j = 0; j < scale.size(); ++j) {
            scale[j] += std::pow(double{row[j]} - mean[j], 2.0) / n;
        }
    }
    std::transform(scale.begin(), scale.end(), scale.begin(),
                   [](double variance) { return std::sqrt(variance); });
    const double all = std::accumulate(scale.begin(), scale.end(), 0.0) / static_cast<double>(scale.size());
    const double least = std::max(shrinkage * all, 1e-12);
    std::transform(scale.begin(), scale.end(), scale.begin(),
                   [least](double s) { return 1.0 / (s + least); });
    return scale;
}

}  // namespace

void Pca::fields(base::FieldTable& table) {
    table.add("n_components", n_components, {1, max_units}, "axes kept, those of largest variance");
    table.add("eigen_power", eigen_power, {-1.0, 1.0},
              "p: each value is multiplied by its axis' variance to this power; -0.5 whitens");
    table.add(
        "std_shrinkage", std_shrinkage, {0.0, 1000.0},
        "q: inputs are first divided by s + q m, s their deviation and m the mean of all; 0: they are not");
}

void Pca::on_bind() {
    n_components = std::min(n_components, input_shape().size());
}

void Pca::tensors(TensorTable& table) {
    const std::int64_t inputs = input_shape().size();
    table.add("weights", weights, {n_components, inputs});
    table.add("bias", bias, {n_components});
    table.add("decoder_weights", decoder_weights, {inputs, n_components});
    table.add("decoder_bias", decoder_bias, {inputs});
}

void Pca::solve(TrainContext& context, RowStore& rows) {
    const std::int64_t inputs = rows.columns();
    std::vector<double> scale;
    if (std_shrinkage > 0.0) {
        scale = inverse_std(rows, std_shrinkage);
    }
    const linalg::PcaResult found =
        linalg::pca(rows.row(0), rows.rows(), inputs, n_components, scale, context.communicator);
    scale.resize(static_cast<std::size_t>(inputs), 1.0);
    n_components = found.components.rows();
    weights = found.components;
    bias = Tensor({n_components});
    decoder_weights = Tensor({inputs, n_components});
    decoder_bias = found.mean;
    for (std::int64_t i = 0; i < n_components; ++i) {
        const double variance = std::max(found.variances[static_cast<std::size_t>(i)], 1e-12);
        const double length = std::pow(variance, eigen_power);
        double sum = 0.0;
        for (std::int64_t j = 0; j < inputs; ++j) {
            float& weight = weights.data()[i * inputs + j];
            const double own = scale[static_cast<std::size_t>(j)];
            decoder_weights.data()[j * n_components + i] =
                static_cast<float>(double{weight} / (length * own));
            sum += double{weight} * length * double{found.mean.data()[j]};
            weight = static_cast<float>(double{weight} * length * own);
        }
        bias.data()[i] = static_cast<float>(-sum);
    }
    for (std::int64_t j = 0; j < inputs; ++j) {
        decoder_bias.data()[j] /= static_cast<float>(scale[static_cast<std::size_t>(j)]);
    }
}

std::unique_ptr<Op> Pca::encoder(const OpContext& context) const {
    return make_affine(context, Activation::linear, weights, bias);
}

std::unique_ptr<Op> Pca::decoder(const OpContext& context) const {
    return make_affine(context, Activation::linear, decoder_weights, decoder_bias);
}

OnnxValue Pca::to_onnx(OnnxGraph& graph, const OnnxValue& input) const {
    return graph.affine(input, weights, bias, output_shape());
}

OnnxValue Pca::decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const {
    return graph.affine(code, decoder_weights, decoder_bias, input_shape());
}

}  // namespace stackae::layers

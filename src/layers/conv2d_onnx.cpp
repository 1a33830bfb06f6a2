#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "layers/conv2d.hpp"
#include "layers/onnx_graph.hpp"
#include "layers/op.hpp"
#include "linalg/vector_ops.hpp"

namespace stackae::layers {
namespace {

using Sides = std::vector<std::int64_t>;

/// Patches of so many values at most are taken out and centred one by one, as flat ones of pictures, whose
/// contrast is raised most, need it; of larger ones, which are of maps, variances are differences of means of
/// squares, as ε is large beside what that rounds.
constexpr std::int64_t max_taken_out = 256;

std::size_t at(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

/// Rows of patches, values channels last, as a convolution's weights: rows × channels × kernel × kernel.
std::string conv_weights(OnnxGraph& graph, const Tensor& rows, std::int64_t kernel, std::int64_t channels) {
    std::vector<float> values;
    values.reserve(at(rows.size()));
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        const auto row = rows.row(i);
        for (std::int64_t c = 0; c < channels; ++c) {
            for (std::int64_t p = 0; p < kernel * kernel; ++p) {
                values.push_back(row[at(p * channels + c)]);
            }
        }
    }
    return graph.constant({rows.rows(), channels, kernel, kernel}, std::move(values));
}

/// a · b, in double.
Tensor product(const Tensor& a, const Tensor& b) {
    Tensor out({a.rows(), b.columns()});
    std::vector<double> sums(at(b.columns()));
    for (std::int64_t i = 0; i < a.rows(); ++i) {
        std::fill(sums.begin(), sums.end(), 0.0);
        for (std::int64_t k = 0; k < a.columns(); ++k) {
            const double factor = a.row(i)[at(k)];
            const auto row = b.row(k);
            for (std::size_t j = 0; j < sums.size(); ++j) {
                sums[j] += factor * double{row[j]};
            }
        }
        std::transform(sums.begin(), sums.end(), out.row(i).begin(),
                       [](double sum) { return static_cast<float>(sum); });
    }
    return out;
}

/// Convolutions over the patches of one map.
class Patches {
public:
    Patches(OnnxGraph& graph, const Conv2d& layer, const OnnxValue& map)
        : graph_(graph), layer_(layer), map_(map), out_(layer.output_shape()) {}

    /// Products of each patch with the rows; bias: of each, or empty.
    OnnxValue products(const OnnxValue& of, const Tensor& rows, const std::vector<float>& bias = {}) {
        std::vector<std::string> inputs{of.name,
                                        conv_weights(graph_, rows, layer_.kernel, of.shape.channels)};
        if (!bias.empty()) {
            inputs.push_back(graph_.constant({rows.rows()}, bias));
        }
        return {graph_.add("Conv", std::move(inputs),
                           {{"kernel_shape", Sides{layer_.kernel, layer_.kernel}},
                            {"pads", Sides{layer_.pad, layer_.pad, layer_.pad, layer_.pad}}}),
                {out_.height, out_.width, rows.rows()},
                true};
    }

    /// Products of each patch with rows whose mean is 0, over √(var(x) + ε).
    OnnxValue contrast_products(const Tensor& rows, double epsilon) {
        const std::int64_t size = layer_.whitening.columns();
        const float share = 1.0F / static_cast<float>(size);
        OnnxValue made;
        OnnxValue variance;
        if (size <= max_taken_out) {
            Tensor centred({size, size});
            for (std::int64_t i = 0; i < size; ++i) {
                std::fill(centred.row(i).begin(), centred.row(i).end(), -share);
                centred.row(i)[at(i)] += 1.0F;
            }
            const OnnxValue values = products(map_, centred);
            made = graph_.mix_channels(values, {rows.values().begin(), rows.values().end()}, {});
            variance = graph_.mix_channels(graph_.each("Mul", values, values),
                                           std::vector<float>(at(size), share), {});
        } else {
            Tensor mean({1, size});
            std::fill(mean.values().begin(), mean.values().end(), share);
            const OnnxValue means = products(map_, mean);
            const OnnxValue squares = products(graph_.each("Mul", map_, map_), mean);
            made = products(map_, rows);
            variance = graph_.each("Relu", graph_.each("Sub", squares, graph_.each("Mul", means, means)));
        }
        const OnnxValue deviation = graph_.each("Sqrt", graph_.each("Add", variance, epsilon));
        return graph_.each("Div", made,
                           graph_.mix_channels(deviation, std::vector<float>(at(rows.rows()), 1.0F), {}));
    }

private:
    OnnxGraph& graph_;
    const Conv2d& layer_;
    const OnnxValue& map_;
    Shape out_;
};

}  // namespace

OnnxValue Conv2d::to_onnx(OnnxGraph& graph, const OnnxValue& input) const {
    const OnnxValue map = graph.as_map(input);
    const bool fused = nn::is_fused(shape());
    const bool crelu = activation == nn::PatchActivation::crelu;
    Tensor rows = fused ? product(weights, whitening) : whitening;
    const Tensor shift = nn::negated_product(rows, patch_mean);
    std::vector<float> terms(shift.values().begin(), shift.values().end());
    const std::vector<float> threshold(bias.values().begin(), bias.values().end());
    if (fused && !crelu) {
        std::transform(terms.begin(), terms.end(), threshold.begin(), terms.begin(), std::plus<>{});
    }
    Patches of_map(graph, *this, map);
    OnnxValue values;
    if (*contrast_norm) {
        nn::center_rows(rows);
        values = graph.plus_channels(of_map.contrast_products(rows, shape().contrast_epsilon), terms);
    } else {
        values = of_map.products(map, rows, terms);
    }
    if (!fused) {
        values = graph.mix_channels(values, {weights.values().begin(), weights.values().end()},
                                    crelu ? std::vector<float>() : threshold);
    }
    if (crelu) {
        const OnnxValue above = graph.each("Relu", graph.plus_channels(values, threshold));
        const OnnxValue below =
            graph.each("Relu", graph.plus_channels(graph.each("Mul", values, -1.0), threshold));
        return {graph.add("Concat", {above.name, below.name}, {{"axis", std::int64_t{1}}}), output_shape(),
                true};
    }
    return activation == nn::PatchActivation::relu ? graph.each("Relu", values) : values;
}

OnnxValue Conv2d::decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const {
    const Shape& in = input_shape();
    const Tensor rebuilt = linalg::transposed(product(nn::pseudoinverse(whitening), decoder_weights));
    OnnxValue map = graph.as_map(code);
    if (activation == nn::PatchActivation::crelu) {
        std::vector<float> signs(at(2 * units * units));
        for (std::int64_t i = 0; i < units; ++i) {
            signs[at(i * 2 * units + i)] = 1.0F;
            signs[at(i * 2 * units + units + i)] = -1.0F;
        }
        map = graph.mix_channels(map, std::move(signs), {});
    }
    const OnnxValue sums{
        graph.add("ConvTranspose", {map.name, conv_weights(graph, rebuilt, kernel, in.channels)},
                  {{"kernel_shape", Sides{kernel, kernel}},
                   {"strides", Sides{1, 1}},
                   {"pads", Sides{pad, pad, pad, pad}}}),
        in, true};
    // Each value is the mean of the patches over it.
    const Shape out = output_shape();
    const auto over = [this](std::int64_t i, std::int64_t positions) {
        const std::int64_t last = std::min(i + pad, positions - 1);
        return static_cast<double>(last - std::max<std::int64_t>(0, i + pad - kernel + 1) + 1);
    };
    Tensor shares({in.size()});
    for (std::int64_t i = 0; i < in.size(); ++i) {
        const std::int64_t position = i / in.channels;
        shares.data()[i] =
            static_cast<float>(double{gain.data()[0]} / (over(position / in.width, out.height) *
                                                         over(position % in.width, out.width)));
    }
    // What does not depend on the code is what is made of one of zeros.
    linalg::Context context(1);
    Tensor added({in.size()});
    decoder({context, 1})->run(Tensor({out.size()}).data(), added.data());
    return graph.plus_columns(graph.times_columns(sums, shares), added);
}

}  // namespace stackae::layers

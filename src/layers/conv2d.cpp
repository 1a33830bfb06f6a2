#include "layers/conv2d.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <vector>

#include "base/fields.hpp"
#include "layers/onnx_graph.hpp"
#include "layers/op.hpp"
#include "layers/padding.hpp"
#include "layers/tensors.hpp"

namespace stackae {
namespace layers {
namespace {

constexpr double max_side = 1 << 16;
constexpr double max_passes = 10'000;
constexpr std::int64_t max_patch = 1 << 20;
constexpr std::int64_t max_map = std::int64_t{1} << 26;  ///< values: 256 MiB
constexpr std::int64_t default_whitening_dim = 512;
constexpr double max_rounded_length = 3.5;  ///< of a row of P
constexpr double picture_epsilon = 10.0 / (255.0 * 255.0);

/// The convolution, and the layers right above it that take positions as they come: functions of a position,
/// a pooling, functions of what was pooled.
class FusedOp : public Op {
public:
    FusedOp(const OpContext& context, const Conv2d& layer)
        : rows_(context.rows),
          padding_(layer.input_shape(), layer.pad),
          in_(layer.input_shape().size()),
          channels_(layer.output_shape().channels),
          out_(layer.output_shape()),
          convolution_(context.context, layer.shape(),
                       {layer.whitening, layer.patch_mean, layer.weights, layer.bias}) {}

    /// False where the layer is not one that fits in here.
    bool take_in(const Layer& layer) {
        if (auto op = layer.position_op()) {
            (pooler_ ? pooled_ : positions_).push_back(std::move(op));
        } else if (pooler_) {
            return false;
        } else {
            pooler_ = layer.pooler();
            if (!pooler_) {
                return false;
            }
        }
        out_ = layer.output_shape();
        return true;
    }

    void run(const float* src, float* dst) override {
        for (std::int64_t row = 0; row < rows_; ++row, src += in_, dst += out_.size()) {
            if (pooler_) {
                pooler_->begin(dst);
            }
            convolution_.forward(padding_.add(src), [this, dst](std::int64_t position, float* values) {
                take(position, values, dst);
            });
            if (pooler_) {
                pooler_->end(dst);
            }
            for (const auto& op : pooled_) {
                op(dst, out_.height * out_.width);
            }
        }
    }

private:
    void take(std::int64_t position, float* values, float* dst) {
        for (const auto& op : positions_) {
            op(values, 1);
        }
        if (pooler_) {
            pooler_->take(position, values, dst);
        } else {
            std::copy_n(values, channels_, dst + position * channels_);
        }
    }

    std::int64_t rows_;
    Padding padding_;
    std::int64_t in_;
    std::int64_t channels_;
    Shape out_;
    nn::Conv2d convolution_;
    std::vector<PositionOp> positions_;
    std::unique_ptr<Pooler> pooler_;
    std::vector<PositionOp> pooled_;
};

class Decoding : public Op {
public:
    Decoding(const OpContext& context, const Conv2d& layer)
        : rows_(context.rows),
          layer_(layer),
          padding_(layer.input_shape(), layer.pad),
          decoder_(context.context, layer.shape(),
                   {layer.whitening, layer.patch_mean, layer.decoder_weights, layer.decoder_bias}) {}

    void run(const float* src, float* dst) override {
        const std::int64_t size = layer_.input_shape().size();
        const float gain = layer_.gain.data()[0];
        for (std::int64_t row = 0; row < rows_; ++row, src += layer_.output_shape().size(), dst += size) {
            decoder_.run(src, padding_.room(dst));
            padding_.take_off(dst);
            std::transform(dst, dst + size, layer_.offset.data(), dst,
                           [gain](float value, float offset) { return gain * value + offset; });
        }
    }

private:
    std::int64_t rows_;
    const Conv2d& layer_;
    Padding padding_;
    nn::Conv2dDecoder decoder_;
};

}  // namespace

nn::Conv2dShape Conv2d::shape() const {
    const Shape& in = input_shape();
    return {.channels = in.channels,
            .height = in.height + 2 * pad,
            .width = in.width + 2 * pad,
            .kernel = kernel,
            .whitening_dim = *whitening_dim,
            .units = units,
            .activation = activation,
            .contrast_norm = *contrast_norm,
            .contrast_epsilon = static_cast<float>(contrast_epsilon.value_or(picture_epsilon)),
            .precision = precision.value_or(nn::Precision::float32)};
}

void Conv2d::settle_precision() {
    if (precision) {
        return;
    }
    bool rounds = *contrast_norm && nn::Conv2d::gains_by_rounding(shape());
    for (std::int64_t i = 0; rounds && i < whitening.rows(); ++i) {
        const auto row = whitening.row(i);
        rounds = std::inner_product(row.begin(), row.end(), row.begin(), 0.0) <=
                 max_rounded_length * max_rounded_length;
    }
    precision = rounds ? nn::Precision::bfloat16 : nn::Precision::float32;
}

Shape Conv2d::output_shape() const {
    const nn::Conv2dShape s = shape();
    return {s.oh(), s.ow(), s.oc()};
}

void Conv2d::fields(base::FieldTable& table) {
    table.add("units", units, {1, max_units}, "filters");
    table.add("kernel", kernel, {1, 256}, "side of a patch, in positions of the input");
    table.add("pad", pad, {0, 255}, "zeros put around the input, in positions; less than kernel");
    table.add("activation", activation, "of the filters' products with a whitened patch");
    table.add("activation_rate", activation_rate, positive_share,
              "share of a patch's units that are active; sets the threshold b");
    table.add("contrast_norm", contrast_norm,
              "whether each patch is brought to mean 0 and deviation 1; auto: but with slow_offset");
    table.add("contrast_epsilon", contrast_epsilon, {0.0, 1e6, true},
              "added to a patch's variance; auto: of pictures 10 / 255^2, of maps a tenth of the patches' "
              "mean variance");
    table.add("whitening_dim", whitening_dim, {1, max_patch},
              "principal axes kept of a patch, at most; auto: 512");
    table.add("whitening_epsilon", whitening_epsilon, {0.0, 1e6},
              "added to the axes' variances, as a share of their mean");
    table.add("slow_offset", slow_offset, {0, max_side},
              "above 0: linear units learnt to predict the code of a patch up to so many positions away");
    table.add("patches", patches, {1000, 1e8}, "that are learnt from, at most");
    table.add("kmeans_passes", kmeans_passes, {0, max_passes},
              "of spherical k-means over the patches; 0: units are patches drawn at random; auto: 12");
    table.added_later("auto");
    table.add("epochs", epochs, {0, 1e6}, "of winner-take-all training after spherical k-means");
    table.add("lifetime_sparsity", lifetime_sparsity, positive_share,
              "share of patches that a unit wins, in epochs");
    table.add(
        "precision", precision,
        "what factors of products with patches are rounded to, but for Winograd's way; auto: bfloat16 where "
        "that is faster and not seen");
    table.added_later("float32");
}

void Conv2d::on_bind() {
    const Shape& in = input_shape();
    if (pad >= kernel) {
        refuse_field("pad", pad, fmt::format("0 to {} with a kernel of {}", kernel - 1, kernel));
    }
    if (std::min(in.height, in.width) + 2 * pad < kernel) {
        refuse(in, fmt::format("at least {} x {} positions", kernel - 2 * pad, kernel - 2 * pad));
    }
    const std::int64_t patch = kernel * kernel * in.channels;
    if (patch > max_patch) {
        refuse(in, fmt::format("patches of at most {} values", max_patch));
    }
    whitening_dim = std::min(whitening_dim.value_or(default_whitening_dim), patch);
    contrast_norm = contrast_norm.value_or(slow_offset == 0);
    if (slow_offset > 0) {
        activation = nn::PatchActivation::linear;
        units = std::min(units, *whitening_dim);  // directions among the axes of a patch
    }
    if (output_shape().size() > max_map) {
        refuse(in, fmt::format("maps of at most {} values", max_map));
    }
}

void Conv2d::tensors(TensorTable& table) {
    const std::int64_t patch = kernel * kernel * input_shape().channels;
    const std::int64_t r = whitening_dim.value_or(0);
    table.add("whitening", whitening, {r, patch});
    table.add("patch_mean", patch_mean, {patch});
    table.add("weights", weights, {units, r});
    table.add("bias", bias, {units});
    table.add("decoder_weights", decoder_weights, {r, units});
    table.add("decoder_bias", decoder_bias, {r});
    table.add("gain", gain, {1});
    table.add("offset", offset, {input_shape().size()});
}

std::unique_ptr<Op> Conv2d::encoder(const OpContext& context) const {
    return std::make_unique<FusedOp>(context, *this);
}

std::unique_ptr<Op> Conv2d::fused_encoder(const OpContext& context,
                                          std::span<const std::shared_ptr<const Layer>> from_here,
                                          std::size_t& taken) const {
    auto op = std::make_unique<FusedOp>(context, *this);
    taken = 1;
    while (taken < from_here.size() && op->take_in(*from_here[taken])) {
        ++taken;
    }
    return op;
}

std::unique_ptr<Op> Conv2d::decoder(const OpContext& context) const {
    return std::make_unique<Decoding>(context, *this);
}

Tensor Conv2d::filters() const {
    Tensor result({units, whitening.columns()});
    for (std::int64_t axis = 0; axis < whitening.rows(); ++axis) {
        const auto row = whitening.row(axis);
        // P's rows are orthogonal: P⁺ is Pᵀ with its columns divided by their squares.
        const double squares = std::inner_product(row.begin(), row.end(), row.begin(), 0.0);
        const auto part = decoder_weights.row(axis);
        for (std::int64_t unit = 0; squares > 0.0 && unit < units; ++unit) {
            const auto scale = static_cast<float>(double{part[static_cast<std::size_t>(unit)]} / squares);
            const auto sum = result.row(unit);
            std::transform(row.begin(), row.end(), sum.begin(), sum.begin(),
                           [scale](float value, float before) { return before + scale * value; });
        }
    }
    return result;
}

double Conv2d::working_floats(std::int64_t /*rows*/, bool decoding) const {
    nn::Conv2dShape s = shape();
    if (!precision && nn::Conv2d::gains_by_rounding(s)) {
        s.precision = nn::Precision::bfloat16;  // may be settled so
    }
    const double padded = pad > 0 ? static_cast<double>(s.input_size()) : 0.0;
    const double decoder = decoding ? nn::Conv2dDecoder::working_floats(s) + padded : 0.0;
    return nn::Conv2d::working_floats(s) + padded + decoder;
}

double Conv2d::encoding_multiply_adds() const {
    const nn::Conv2dShape s = shape();
    const auto d = static_cast<double>(s.patch_size());
    const auto r = static_cast<double>(s.whitening_dim);
    const auto k = static_cast<double>(s.units);
    // Of a position beside the products: its patch is copied, its values are thresholded and handed on.
    constexpr double a_value = 12.0;
    const double beside = a_value * (d + static_cast<double>(s.oc()));
    return static_cast<double>(s.oh() * s.ow()) * (std::min(d * k, r * (d + k)) + beside);
}

}  // namespace layers
}  // namespace stackae

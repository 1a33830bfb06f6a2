#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/model.hpp"

#include "base/rows.hpp"
#include "model/convolution_runner.hpp"
#include "model/dense_runner.hpp"
#include "model/radial_runner.hpp"
#include "nn/kernels.hpp"

namespace stackae {
namespace {

using encoding::BlockRunner;
using encoding::Chain;
using encoding::ConvolutionRunner;
using encoding::RadialRunner;

int resolve_layer(const Model& model, int layer) {
    const int depth = model.depth();
    if (layer < 0 || layer > depth) {
        throw InvalidArgument(
            fmt::format("layer {} found, 1 to {} expected (0: {})", layer, depth, model.code_layer()));
    }
    return layer == 0 ? model.code_layer() : layer;
}

std::vector<Chain::Link> encoder_links(const Model& model, int layers) {
    std::vector<Chain::Link> links;
    for (int i = 0; i < layers; ++i) {
        const DenseLayer& layer = model.layers[static_cast<std::size_t>(i)];
        links.push_back({layer.activation, layer.weights.data(), layer.bias.data(), layer.inputs(),
                         layer.units(), false});
    }
    return links;
}

std::vector<Chain::Link> decoder_links(const Model& model, int layers) {
    std::vector<Chain::Link> links;
    for (int i = layers - 1; i >= 0; --i) {
        const DenseLayer& layer = model.layers[static_cast<std::size_t>(i)];
        const bool tied = layer.tied();
        links.push_back({layer.decoder, tied ? layer.weights.data() : layer.decoder_weights.data(),
                         layer.decoder_bias.data(), layer.units(), layer.inputs(), tied});
    }
    return links;
}

/// What the lowest dense layer sees, where it is one of roots.
Tensor roots_of(const Tensor& rows) {
    Tensor roots({rows.rows(), rows.columns()});
    nn::take_roots(rows.data(), rows.size(), roots.data());
    return roots;
}

void check_finite(const char* what, const Tensor& rows) {
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        if (!base::all_finite(rows.row(i))) {
            throw NotFinite(
                fmt::format("{} {} is not finite: the model's weights, or the values, are too large", what,
                            i),
                i);
        }
    }
}

}  // namespace

struct Encoder::State {
    State(const Model& model, const EncodeOptions& options)
        : layer(resolve_layer(model, options.layer)),
          l2_normalize(options.l2_normalize),
          code_size(model.code_size(layer)),
          context(options.threads),
          convolutions(model, std::min(static_cast<std::size_t>(layer), model.convolutions.size()),
                       options.threads) {
        const int below = std::min(layer, model.code_layer());
        const int dense = below - static_cast<int>(model.convolutions.size());
        if (dense > 0) {
            encoder.emplace(encoder_links(model, dense));
            decoder.emplace(decoder_links(model, dense));
            of_roots = model.layers.front().of_roots;
        }
        if (below == model.code_layer() && !model.picture_weights.empty()) {
            to_picture.emplace(std::vector<Chain::Link>{{Activation::linear, model.picture_weights.data(),
                                                         model.picture_bias.data(), model.code_size(),
                                                         model.recipe.size(), false}});
        }
        if (layer > below) {
            radial.emplace(*model.radial);
        }
    }

    Tensor encode(const Tensor& pictures) {
        return linalg::run_on_backend("encode", context.threads(), [&] {
            Tensor codes = encode_below(pictures);
            return radial ? radial->encode(context, codes) : std::move(codes);
        });
    }

    Tensor encode_below(const Tensor& pictures) {
        if (convolutions.empty()) {
            return encoder ? encode_dense(pictures) : pictures;  // radial units alone see them as they are
        }
        Tensor maps = convolutions.encode(pictures);
        return encoder ? encode_dense(maps) : std::move(maps);
    }

    Tensor decode(const Tensor& codes) {
        return linalg::run_on_backend("decode", context.threads(), [&] {
            return radial ? decode_below(radial->decode(context, codes)) : decode_below(codes);
        });
    }

    Tensor decode_below(const Tensor& codes) {
        if (to_picture) {
            return to_picture->run(context, codes, "decode");
        }
        if (!decoder) {
            return convolutions.decode(codes);
        }
        Tensor maps = decoder->run(context, codes, "decode");
        if (of_roots) {
            nn::take_squares(maps.data(), maps.size(), maps.data());
        }
        return convolutions.empty() ? std::move(maps) : convolutions.decode(maps);
    }

    Tensor encode_dense(const Tensor& rows) {
        if (of_roots) {
            return encoder->run(context, roots_of(rows), "encode");
        }
        return encoder->run(context, rows, "encode");
    }

    int layer;
    bool l2_normalize;
    bool of_roots = false;
    std::int64_t code_size;
    linalg::Context context;
    ConvolutionRunner convolutions;
    std::optional<BlockRunner> encoder;  ///< of the dense layers, where the layer is one or above one
    std::optional<BlockRunner> decoder;
    std::optional<BlockRunner> to_picture;  ///< in place of all decoders
    std::optional<RadialRunner> radial;     ///< where the layer is the one above the code
};

Encoder::Encoder(const Model& model, const EncodeOptions& options)
    : state_(linalg::run_on_backend("encoder", options.threads,
                                    [&] { return std::make_unique<State>(model, options); })) {}
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

Tensor Encoder::encode(const Tensor& pictures) {
    Tensor codes = state_->encode(pictures);
    if (state_->l2_normalize) {
        for (std::int64_t i = 0; i < codes.rows(); ++i) {
            base::l2_normalize(codes.row(i), codes.row(i));
        }
    }
    check_finite("encode: the code of picture", codes);
    return codes;
}

Tensor Encoder::decode(const Tensor& codes) {
    Tensor pictures = state_->decode(codes);
    check_finite("decode: the picture of code", pictures);
    return pictures;
}

std::int64_t Encoder::code_size() const {
    return state_->code_size;
}

}  // namespace stackae

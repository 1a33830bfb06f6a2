#include <algorithm>
#include <exception>
#include <fmt/format.h>
#include <functional>
#include <map>
#include <numeric>
#include <omp.h>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/model.hpp"

#include "core/rows.hpp"
#include "core/threads.hpp"
#include "nn/convolution.hpp"
#include "nn/dense.hpp"
#include "nn/kernels.hpp"

namespace stackae {
namespace {

constexpr std::int64_t block_rows = 256;

void check_columns(const char* what, const Tensor& rows, std::int64_t expected) {
    if (rows.columns() != expected && rows.rows() > 0) {
        throw InvalidArgument(
            fmt::format("{}: rows of {} values found, {} expected", what, rows.columns(), expected));
    }
}

/// A chain of dense layers without training, for blocks of n rows.
class Chain {
public:
    struct Link {
        Activation activation;
        const float* weights;
        const float* bias;
        std::int64_t ic;
        std::int64_t oc;
        bool transposed;
    };

    Chain(nn::Context& context, const std::vector<Link>& links, std::int64_t n) : links_(links) {
        for (const Link& link : links_) {
            dense_.emplace_back(context,
                                nn::DenseShape{n, link.ic, link.oc, link.activation, link.transposed, false});
            dst_.emplace_back(Tensor({n, link.oc}));
        }
    }

    /// src n × ic of the first link; the result is valid until the next call.
    const Tensor& run(const float* src) {
        for (std::size_t i = 0; i < links_.size(); ++i) {
            dense_[i].forward(i == 0 ? src : dst_[i - 1].data(), links_[i].weights, links_[i].bias,
                              dst_[i].data());
        }
        return dst_.back();
    }

private:
    std::vector<Link> links_;
    std::vector<nn::Dense> dense_;
    std::vector<Tensor> dst_;
};

/// Runs any number of rows in blocks of fixed size; the last is filled up with zeros. A single row has a
/// chain of its own, since a whole block would cost 256 times its work.
class BlockRunner {
public:
    explicit BlockRunner(std::vector<Chain::Link> links) : links_(std::move(links)) {}

    Tensor run(nn::Context& context, const Tensor& rows, const char* what) {
        const std::int64_t ic = links_.front().ic;
        const std::int64_t oc = links_.back().oc;
        const std::int64_t n = rows.rows();
        check_columns(what, rows, ic);
        Tensor result({n, oc});
        const std::int64_t block = n == 1 ? 1 : block_rows;
        Chain& chain = chain_of(context, block);
        Tensor last;
        for (std::int64_t at = 0; at < n; at += block) {
            const std::int64_t count = std::min(block, n - at);
            const float* src = rows.data() + at * ic;
            if (count < block) {
                last = Tensor({block, ic});
                std::copy_n(src, count * ic, last.data());
                src = last.data();
            }
            std::copy_n(chain.run(src).data(), count * oc, result.data() + at * oc);
        }
        return result;
    }

private:
    Chain& chain_of(nn::Context& context, std::int64_t block) {
        return chains_.try_emplace(block, context, links_, block).first->second;
    }

    std::vector<Chain::Link> links_;
    std::map<std::int64_t, Chain> chains_;
};

/// The convolutional layers of a stack, run picture by picture on as many threads as are asked for.
class ConvolutionRunner {
public:
    ConvolutionRunner(const Model& model, std::size_t layers, int threads)
        : model_(model),
          layers_(layers),
          workers_(static_cast<std::size_t>(core::resolve_threads(threads))) {}

    [[nodiscard]] bool empty() const { return layers_ == 0; }

    Tensor encode(const Tensor& pictures) {
        check_columns("encode", pictures, model_.recipe.size());
        return run(pictures, model_.convolutions[layers_ - 1].outputs(),
                   [](Worker& worker, const float* src, float* dst) { worker.encode(src, dst); });
    }

    Tensor decode(const Tensor& codes) {
        check_columns("decode", codes, model_.convolutions[layers_ - 1].outputs());
        return run(codes, model_.recipe.size(),
                   [](Worker& worker, const float* src, float* dst) { worker.decode(src, dst); });
    }

private:
    /// The layers for one thread, with a buffer between any two.
    class Worker {
    public:
        Worker(const Model& model, std::size_t layers) : context_(1) {
            for (std::size_t i = 0; i < layers; ++i) {
                layers_.emplace_back(context_, model.convolutions[i]);
                maps_.emplace_back(Tensor({model.convolutions[i].outputs()}));
            }
        }

        void encode(const float* picture, float* code) {
            for (std::size_t i = 0; i < layers_.size(); ++i) {
                layers_[i].forward(i == 0 ? picture : maps_[i - 1].data(),
                                   i + 1 == layers_.size() ? code : maps_[i].data());
            }
        }

        void decode(const float* code, float* picture) {
            for (std::size_t i = layers_.size(); i-- > 0;) {
                layers_[i].backward(i + 1 == layers_.size() ? code : maps_[i].data(),
                                    i == 0 ? picture : maps_[i - 1].data());
            }
        }

    private:
        nn::Context context_;
        std::vector<nn::Convolution> layers_;
        std::vector<Tensor> maps_;
    };

    template <class Body>
    Tensor run(const Tensor& rows, std::int64_t columns, const Body& body) {
        Tensor result({rows.rows(), columns});
        const auto threads = static_cast<int>(std::min<std::int64_t>(std::ssize(workers_), rows.rows()));
        std::exception_ptr failure;
#pragma omp parallel num_threads(std::max(1, threads))
        {
            const nn::ThreadScope alone(1);
            auto& worker = workers_[static_cast<std::size_t>(omp_get_thread_num())];
#pragma omp for schedule(dynamic, 1)
            for (std::int64_t i = 0; i < rows.rows(); ++i) {
                try {  // inside, since every thread has to come to the loop's end
                    if (!worker) {
                        worker = std::make_unique<Worker>(model_, layers_);
                    }
                    body(*worker, rows.row(i).data(), result.row(i).data());
                } catch (...) {
#pragma omp critical
                    failure = std::current_exception();
                }
            }
        }
        if (failure) {
            std::rethrow_exception(failure);
        }
        return result;
    }

    const Model& model_;
    std::size_t layers_;
    std::vector<std::unique_ptr<Worker>> workers_;
};

/// Radial units, block by block: a chain of two layers each, since exp(x) = elu(x) + 1 where x is 0 or less.
class RadialRunner {
public:
    explicit RadialRunner(const RadialLayer& layer)
        : layer_(layer), zeros_({std::max(layer.block(), layer.inputs())}) {
        const std::int64_t inputs = layer.inputs();
        const auto gamma = double{layer.gamma};
        for (std::int64_t first = 0; first < layer.units(); first += layer.block()) {
            const std::int64_t size = std::min(layer.block(), layer.units() - first);
            Block& block = blocks_.emplace_back();
            block.first = first;
            block.centres = Tensor({size, inputs});
            block.far = Tensor({size});
            block.mixing = Tensor({size, size});
            block.offset = Tensor({size});
            for (std::int64_t i = 0; i < size; ++i) {
                const auto centre = layer.centres.row(first + i);
                std::transform(centre.begin(), centre.end(), block.centres.row(i).begin(),
                               [gamma](float value) { return static_cast<float>(gamma * double{value}); });
                block.far.data()[i] = -layer.gamma;
                const auto mixing = layer.mixing.row(first + i).first(static_cast<std::size_t>(size));
                std::copy(mixing.begin(), mixing.end(), block.mixing.row(i).begin());
                block.offset.data()[i] =
                    static_cast<float>(std::accumulate(mixing.begin(), mixing.end(), 0.0));
            }
        }
        for (const Block& block : blocks_) {
            const std::int64_t size = block.centres.rows();
            encoders_.emplace_back(std::vector<Chain::Link>{
                {Activation::elu, block.centres.data(), block.far.data(), inputs, size, false},
                {Activation::linear, block.mixing.data(), block.offset.data(), size, size, false}});
            decoders_.emplace_back(std::vector<Chain::Link>{
                {Activation::linear, block.mixing.data(), zeros_.data(), size, size, true},
                {Activation::linear, block.centres.data(), zeros_.data(), size, inputs, true}});
        }
    }

    Tensor encode(nn::Context& context, const Tensor& codes) {
        check_columns("encode", codes, layer_.inputs());
        Tensor directions({codes.rows(), layer_.inputs()});
        for (std::int64_t i = 0; i < codes.rows(); ++i) {
            const auto z = directions.row(i);
            const auto code = codes.row(i);
            std::transform(code.begin(), code.end(), layer_.scale.data(), z.begin(), std::multiplies<>{});
            core::scale_to_length_one(z, z);
        }
        Tensor result({codes.rows(), layer_.units()});
        for (std::size_t b = 0; b < blocks_.size(); ++b) {
            const Tensor part = encoders_[b].run(context, directions, "encode");
            for (std::int64_t i = 0; i < part.rows(); ++i) {
                std::copy_n(part.row(i).data(), part.columns(), result.row(i).data() + blocks_[b].first);
            }
        }
        return result;
    }

    Tensor decode(nn::Context& context, const Tensor& codes) {
        check_columns("decode", codes, layer_.units());
        Tensor result({codes.rows(), layer_.inputs()});
        for (std::size_t b = 0; b < blocks_.size(); ++b) {
            const std::int64_t size = blocks_[b].centres.rows();
            Tensor part({codes.rows(), size});
            for (std::int64_t i = 0; i < codes.rows(); ++i) {
                std::copy_n(codes.row(i).data() + blocks_[b].first, size, part.row(i).data());
            }
            const Tensor summed = decoders_[b].run(context, part, "decode");
            nn::add(summed.data(), summed.size(), result.data());
        }
        const float length =
            layer_.length /
            (layer_.gamma * static_cast<float>(blocks_.size()));  // the centres have γ in them
        for (std::int64_t i = 0; i < result.rows(); ++i) {
            const auto row = result.row(i);
            std::transform(row.begin(), row.end(), layer_.scale.data(), row.begin(),
                           [length](float value, float scale) { return length * value / scale; });
        }
        return result;
    }

private:
    struct Block {
        std::int64_t first = 0;  ///< unit
        Tensor centres;          ///< γ C
        Tensor far;              ///< −γ
        Tensor mixing;           ///< R
        Tensor offset;           ///< R 1
    };

    const RadialLayer& layer_;
    Tensor zeros_;  ///< the decoders' bias
    std::vector<Block> blocks_;
    std::vector<BlockRunner> encoders_;
    std::vector<BlockRunner> decoders_;
};

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
        return nn::run_on_backend("encode", context.threads(), [&] {
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
        return nn::run_on_backend("decode", context.threads(), [&] {
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
    nn::Context context;
    ConvolutionRunner convolutions;
    std::optional<BlockRunner> encoder;  ///< of the dense layers, where the layer is one or above one
    std::optional<BlockRunner> decoder;
    std::optional<BlockRunner> to_picture;  ///< in place of all decoders
    std::optional<RadialRunner> radial;     ///< where the layer is the one above the code
};

Encoder::Encoder(const Model& model, const EncodeOptions& options)
    : state_(nn::run_on_backend("encoder", options.threads,
                                [&] { return std::make_unique<State>(model, options); })) {}
Encoder::~Encoder() = default;
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;

Tensor Encoder::encode(const Tensor& pictures) {
    Tensor codes = state_->encode(pictures);
    if (state_->l2_normalize) {
        for (std::int64_t i = 0; i < codes.rows(); ++i) {
            core::scale_to_length_one(codes.row(i), codes.row(i));
        }
    }
    return codes;
}

Tensor Encoder::decode(const Tensor& codes) {
    return state_->decode(codes);
}

std::int64_t Encoder::code_size() const {
    return state_->code_size;
}

Tensor to_pixels(const Recipe& recipe, const Tensor& pictures) {
    Tensor pixels = pictures;
    const auto size = static_cast<std::size_t>(recipe.size());
    for (std::int64_t i = 0; i < pixels.rows(); ++i) {
        const auto row = pixels.row(i);
        if (row.size() != size) {
            throw InvalidArgument(
                fmt::format("to_pixels: rows of {} values found, {} expected", row.size(), size));
        }
        for (std::size_t j = 0; j < recipe.mean.size(); ++j) {
            row[j] = row[j] * recipe.deviation[j] + recipe.mean[j];
        }
        if (recipe.contrast) {
            const auto [low, high] = std::minmax_element(row.begin(), row.end());
            const float base = *low;
            const float range = std::max(*high - base, 1e-6F);
            std::for_each(row.begin(), row.end(), [&](float& value) { value = (value - base) / range; });
        }
    }
    return pixels;
}

}  // namespace stackae

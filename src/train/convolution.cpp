#include "train/convolution.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "stackae/error.hpp"

#include "core/random.hpp"
#include "core/rows.hpp"
#include "nn/convolution.hpp"
#include "nn/kernels.hpp"
#include "nn/matrix_product.hpp"
#include "nn/parallel.hpp"
#include "nn/principal_axes.hpp"
#include "train/phase.hpp"
#include "train/spherical_means.hpp"

namespace stackae::training {
namespace {

constexpr std::int64_t fewest_pictures = 2'000;  ///< that patches of a higher layer are taken from
constexpr std::int64_t chunk_bytes = std::int64_t{128} << 20U;  ///< of maps held at a time
constexpr std::int64_t patches_a_picture = 16;                  ///< of a higher layer, at least
constexpr std::int64_t default_whitened = 512;
constexpr double contrast_share = 0.1;  ///< of the mean variance of patches, their ε
constexpr double default_winner_share = 0.02;

/// At most `count` of the rows, spread by chance, in rising order.
std::vector<std::int64_t> sample_of(std::span<const std::int64_t> rows, std::int64_t count,
                                    const core::Random& random) {
    std::vector<std::int64_t> some(rows.begin(), rows.end());
    core::shuffle(some, random);
    some.resize(std::min(some.size(), static_cast<std::size_t>(count)));
    std::sort(some.begin(), some.end());
    return some;
}

/// The input of the layer above a stack of convolutions, for some pictures: n × input size.
class Below {
public:
    Below(const Model& model, const SampleStore& pictures, int threads) : pictures_(pictures) {
        if (!model.convolutions.empty()) {
            encoder_.emplace(model,
                             EncodeOptions{static_cast<int>(model.convolutions.size()), false, threads});
        }
    }

    /// Pictures whose maps are made at a time.
    [[nodiscard]] std::int64_t chunk() const {
        const std::int64_t size = encoder_ ? encoder_->code_size() : pictures_.columns();
        return std::clamp<std::int64_t>(chunk_bytes / (size * static_cast<std::int64_t>(sizeof(float))), 8,
                                        256);
    }

    Tensor maps(std::span<const std::int64_t> rows) {
        Tensor gathered({std::ssize(rows), pictures_.columns()});
        pictures_.gather(rows, gathered.data());
        return encoder_ ? encoder_->encode(gathered) : std::move(gathered);
    }

private:
    const SampleStore& pictures_;
    std::optional<Encoder> encoder_;
};

/// Calls body(rows, maps) for the pictures, chunk by chunk; false when the observer stopped it.
template <class Body>
bool each_chunk(Below& below, std::span<const std::int64_t> rows, TrainObserver& observer, const Body& body) {
    const auto chunk = static_cast<std::size_t>(below.chunk());
    for (std::size_t first = 0; first < rows.size(); first += chunk) {
        if (observer.stop()) {
            return false;
        }
        const auto part = rows.subspan(first, std::min(chunk, rows.size() - first));
        body(part, below.maps(part));
    }
    return true;
}

class ConvolutionTraining {
public:
    ConvolutionTraining(nn::Context& context, const LayerData& data, const TrainOptions& options,
                        TrainObserver& observer, Model& model)
        : context_(context),
          data_(data),
          options_(options),
          asked_(options.convolutions[model.convolutions.size()]),
          observer_(observer),
          model_(model),
          number_(static_cast<std::uint32_t>(model.convolutions.size())),
          below_(model, data.pictures, options.threads) {
        layer_.shape = next_shape(model.recipe, model.convolutions, asked_);
    }

    bool run() {
        const auto start = std::chrono::steady_clock::now();
        if (number_ > 0 && layer_.shape.contrast) {
            settle_contrast();
        }
        if (sample_size(options_, layer_.shape, number_, std::ssize(data_.train)).patches == 0) {
            throw InvalidArgument("convolution: context: one patch found, at least 2 expected");
        }
        SampleStore patches = sample_patches();
        if (patches.rows() == 0) {
            return false;
        }
        whiten(patches);
        if (layer_.shape.unit_length) {
            learn_context(patches);
        } else {
            learn_units(patches);
            set_threshold(patches);
        }
        const std::int64_t epochs = layer_.shape.unit_length ? 0 : options_.patch_epochs;
        EpochRecord record{static_cast<int>(number_) + 1, epochs + 1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0};
        if (!fit_decoder(record)) {
            return false;
        }
        record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        model_.convolutions.push_back(std::move(layer_));
        model_.history.push_back(record);
        observer_.on_epoch(record);
        return true;
    }

private:
    void settle_contrast();
    SampleStore sample_patches();
    void whiten(SampleStore& patches);
    void learn_units(SampleStore& patches);
    void learn_context(const SampleStore& patches);
    void decode_by_transpose();
    void set_threshold(const SampleStore& patches);
    bool fit_decoder(EpochRecord& record);
    [[nodiscard]] Tensor rebuild(const Tensor& maps) const;

    nn::Context& context_;
    const LayerData& data_;
    const TrainOptions& options_;
    const ConvolutionOptions& asked_;
    TrainObserver& observer_;
    Model& model_;
    std::uint32_t number_;
    Below below_;
    ConvolutionLayer layer_;
};

/// ε of the contrast as a share of the mean variance of patches: codes of lower layers have a scale of their
/// own.
void ConvolutionTraining::settle_contrast() {
    ConvolutionShape plain = layer_.shape;
    plain.contrast = false;
    const auto pictures = sample_of(data_.train, below_.chunk(),
                                    core::Random(options_.seed, core::Stream::patches, number_, 3));
    const Tensor maps = below_.maps(pictures);
    const std::int64_t d = plain.patch_size();
    std::vector<float> patch(static_cast<std::size_t>(d));
    double variance = 0.0;
    for (std::int64_t i = 0; i < maps.rows(); ++i) {
        const std::int64_t positions = plain.positions_down() * plain.positions_across();
        nn::unfold(plain, maps.row(i).data(), i % positions, 1, patch.data());
        const double mean = std::accumulate(patch.begin(), patch.end(), 0.0) / static_cast<double>(d);
        variance += core::squared_norm(patch) / static_cast<double>(d) - mean * mean;
    }
    layer_.shape.contrast_epsilon =
        static_cast<float>(std::max(1e-12, contrast_share * variance / static_cast<double>(maps.rows())));
}

/// Rows of patches from random places of the pictures. For a layer that learns from the context, rows 2 i and
/// 2 i + 1 are neighbours.
SampleStore ConvolutionTraining::sample_patches() {
    const ConvolutionShape& shape = layer_.shape;
    const std::int64_t d = shape.patch_size();
    const SampleSize size = sample_size(options_, shape, number_, std::ssize(data_.train));
    const auto pictures =
        sample_of(data_.train, size.pictures, core::Random(options_.seed, core::Stream::patches, number_, 0));
    const auto count = static_cast<std::int64_t>(pictures.size());
    const std::int64_t samples = size.patches / (shape.unit_length ? 2 : 1);
    SampleStore patches(size.patches, d, true);
    std::int64_t picture = 0;
    const auto sample = [&](const float* map, std::int64_t i) {
        const core::Random random(options_.seed, core::Stream::patches, number_, 1);
        const auto bits = random.block(static_cast<std::uint32_t>(i));
        const auto below = [](std::uint32_t number, std::int64_t bound) {
            return static_cast<std::int64_t>((std::uint64_t{number} * static_cast<std::uint64_t>(bound)) >>
                                             32U);
        };
        const std::int64_t y = below(bits[0], shape.positions_down());
        const std::int64_t x = below(bits[1], shape.positions_across());
        if (!shape.unit_length) {
            nn::unfold(shape, map, y * shape.positions_across() + x, 1, patches.row(i));
            return;
        }
        const std::int64_t reach = 2 * asked_.context + 1;
        const std::int64_t ny = std::clamp<std::int64_t>(y + below(bits[2], reach) - asked_.context, 0,
                                                         shape.positions_down() - 1);
        const std::int64_t nx = std::clamp<std::int64_t>(x + below(bits[3], reach) - asked_.context, 0,
                                                         shape.positions_across() - 1);
        nn::unfold(shape, map, y * shape.positions_across() + x, 1, patches.row(2 * i));
        nn::unfold(shape, map, ny * shape.positions_across() + nx, 1, patches.row(2 * i + 1));
    };
    const bool whole = each_chunk(below_, pictures, observer_, [&](auto, const Tensor& maps) {
        nn::parallel_ranges(maps.rows(), 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t p = begin; p < end; ++p) {
                // The samples of picture p are [p · samples / count, (p + 1) · samples / count).
                const std::int64_t last = (picture + p + 1) * samples / count;
                for (std::int64_t i = (picture + p) * samples / count; i < last; ++i) {
                    sample(maps.row(p).data(), i);
                }
            }
        });
        picture += maps.rows();
        observer_.on_batch(static_cast<int>(number_) + 1, 1, 1, picture, count);
    });
    patches.truncate(whole ? patches.rows() : 0);
    return patches;
}

void ConvolutionTraining::whiten(SampleStore& patches) {
    const std::int64_t d = patches.columns();
    const nn::PrincipalAxes axes =
        nn::principal_axes(context_, patches.row(0), patches.rows(), d, layer_.shape.whitened);
    const std::int64_t r = axes.axes.rows();
    layer_.shape.whitened = r;
    layer_.patch_mean = axes.mean;
    layer_.whitening = axes.axes;
    const double epsilon = asked_.whitening * axes.total_variance / static_cast<double>(d);
    for (std::int64_t i = 0; i < r; ++i) {
        const double scale = 1.0 / std::sqrt(axes.variances[static_cast<std::size_t>(i)] + epsilon + 1e-12);
        for (float& value : layer_.whitening.row(i)) {
            value = static_cast<float>(scale * double{value});
        }
    }
    SampleStore whitened(patches.rows(), r, true);
    const std::int64_t block = std::min<std::int64_t>(4096, patches.rows());
    Tensor centred({block, d});
    Tensor codes({block, r});
    nn::MatrixProduct product(context_, nn::ProductForm::transposed_b, block, r, d);
    for (std::int64_t first = 0; first < patches.rows(); first += block) {
        const std::int64_t count = std::min(block, patches.rows() - first);
        nn::parallel_ranges(count, 16, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                std::transform(patches.row(first + i), patches.row(first + i) + d, axes.mean.data(),
                               centred.row(i).data(), std::minus<>{});
            }
        });
        product.run(centred.data(), layer_.whitening.data(), codes.data());
        std::copy_n(codes.data(), count * r, whitened.row(first));
    }
    patches = std::move(whitened);
}

void ConvolutionTraining::learn_units(SampleStore& patches) {
    const std::int64_t r = layer_.shape.whitened;
    const std::int64_t units = layer_.shape.units;
    layer_.weights = spherical_means(context_, patches, units, means_iterations, options_.seed, number_);
    decode_by_transpose();
    if (options_.patch_epochs > 0) {
        nn::Parameters parameters({{r, units, Activation::relu, -1}, {units, r, Activation::linear, -1}});
        std::copy_n(layer_.weights.data(), layer_.weights.size(), parameters.weights(0));
        std::copy_n(layer_.decoder_weights.data(), layer_.decoder_weights.size(), parameters.weights(1));
        std::vector<std::int64_t> rows(static_cast<std::size_t>(patches.rows()));
        std::iota(rows.begin(), rows.end(), std::int64_t{0});
        PhaseSettings settings;
        settings.layer = static_cast<int>(number_) + 1;
        settings.epochs = options_.patch_epochs;
        settings.learning_rate = options_.learning_rate;
        settings.penalty.winner_share =
            options_.winner_share > 0.0 ? options_.winner_share : default_winner_share;
        // Patches are in the order of the pictures, often class by class: every twentieth is held out.
        const auto middle =
            std::stable_partition(rows.begin(), rows.end(), [](std::int64_t row) { return row % 20 == 19; });
        const std::span<const std::int64_t> all(rows);
        const auto held = static_cast<std::size_t>(middle - rows.begin());
        Phase phase(context_, parameters, PhaseData{patches, all.subspan(held), all.first(held)}, settings,
                    options_);
        phase.run(observer_, model_.history);
        for (std::int64_t j = 0; j < units; ++j) {
            const std::span<const float> learnt(parameters.weights(0) + j * r, static_cast<std::size_t>(r));
            core::scale_to_length_one(learnt, layer_.weights.row(j));
        }
        std::copy_n(parameters.weights(1), layer_.decoder_weights.size(), layer_.decoder_weights.data());
        std::copy_n(parameters.bias(1), r, layer_.decoder_bias.data());
    }
}

/// Directions in which neighbours are most alike: with z and z' the whitened codes of neighbouring patches,
/// the leading eigenvectors of E[z z'ᵀ]. They are the best linear code of its size for predicting z' from z
/// (reduced rank regression), and the slowest features over the picture (Wiskott & Sejnowski 2002; Chen et
/// al. 2018, "The sparse manifold transform").
void ConvolutionTraining::learn_context(const SampleStore& patches) {
    const std::int64_t r = layer_.shape.whitened;
    const std::int64_t pairs = patches.rows() / 2;
    const std::int64_t block = std::min<std::int64_t>(4096, pairs);
    Tensor first({block, r});
    Tensor second({block, r});
    Tensor part({r, r});
    Tensor sum({r, r});
    nn::MatrixProduct product(context_, nn::ProductForm::transposed_a, r, r, block);
    for (std::int64_t at = 0; at < pairs; at += block) {
        std::fill_n(first.data(), first.size(), 0.0F);
        std::fill_n(second.data(), second.size(), 0.0F);
        for (std::int64_t i = 0; i < std::min(block, pairs - at); ++i) {
            std::copy_n(patches.row(2 * (at + i)), r, first.row(i).data());
            std::copy_n(patches.row(2 * (at + i) + 1), r, second.row(i).data());
        }
        product.run(first.data(), second.data(), part.data());
        nn::add(part.data(), part.size(), sum.data());
    }
    const float scale = 0.5F / static_cast<float>(pairs);
    Tensor alike({r, r});
    for (std::int64_t i = 0; i < r; ++i) {
        for (std::int64_t j = 0; j < r; ++j) {
            alike.data()[i * r + j] = scale * (sum.data()[i * r + j] + sum.data()[j * r + i]);
        }
    }
    const nn::PrincipalAxes axes = nn::leading_axes(context_, alike, layer_.shape.units);
    layer_.shape.units = axes.axes.rows();
    layer_.weights = axes.axes;
    layer_.bias = Tensor({layer_.shape.units});
    decode_by_transpose();
}

/// V = Wᵀ, c = 0.
void ConvolutionTraining::decode_by_transpose() {
    const std::int64_t r = layer_.shape.whitened;
    const std::int64_t units = layer_.shape.units;
    layer_.decoder_weights = Tensor({r, units});
    layer_.decoder_bias = Tensor({r});
    for (std::int64_t i = 0; i < r; ++i) {
        for (std::int64_t j = 0; j < units; ++j) {
            layer_.decoder_weights.data()[i * units + j] = layer_.weights.data()[j * r + i];
        }
    }
}

/// θ: the quantile of the units' answers to some patches at which the share asked for stays above it.
void ConvolutionTraining::set_threshold(const SampleStore& patches) {
    const std::int64_t count = std::min<std::int64_t>(2048, patches.rows());
    Tensor some({count, patches.columns()});
    for (std::int64_t i = 0; i < count; ++i) {  // from all over, since the first are of one class
        std::copy_n(patches.row(i * patches.rows() / count), some.columns(), some.row(i).data());
    }
    Tensor answers({count, layer_.shape.units});
    nn::MatrixProduct(context_, nn::ProductForm::transposed_b, count, layer_.shape.units,
                      layer_.shape.whitened)
        .run(some.data(), layer_.weights.data(), answers.data());
    std::vector<float> values(answers.values().begin(), answers.values().end());
    if (layer_.shape.two_sided) {
        std::transform(values.begin(), values.end(), values.begin(), [](float v) { return std::abs(v); });
    }
    const auto at =
        static_cast<std::ptrdiff_t>((1.0 - asked_.share) * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + at, values.end());
    layer_.bias = Tensor({layer_.shape.units});
    std::fill_n(layer_.bias.data(), layer_.bias.size(),
                -std::max(0.0F, values[static_cast<std::size_t>(at)]));
}

/// gain and offset by least squares, and what the layer loses on pictures that were held out.
bool ConvolutionTraining::fit_decoder(EpochRecord& record) {
    const std::int64_t size = layer_.shape.input_size();
    layer_.gain = 1.0F;
    layer_.offset = Tensor({size});
    const core::Random random(options_.seed, core::Stream::patches, number_, 2);
    const auto fitted = sample_of(data_.train, probe_pictures, random);
    const auto measured =
        data_.validation.empty() ? fitted : sample_of(data_.validation, probe_pictures, random);
    const auto n = static_cast<double>(fitted.size());
    // Of each value x of the maps and y of what is decoded: Σ x, Σ y, Σ x y, Σ y².
    std::vector<std::array<double, 4>> sums(static_cast<std::size_t>(size));
    const bool whole = each_chunk(below_, fitted, observer_, [&](auto, const Tensor& maps) {
        const Tensor decoded = rebuild(maps);
        for (std::int64_t i = 0; i < maps.rows(); ++i) {
            for (std::size_t j = 0; j < sums.size(); ++j) {
                const auto x = double{maps.row(i)[j]};
                const auto y = double{decoded.row(i)[j]};
                sums[j][0] += x;
                sums[j][1] += y;
                sums[j][2] += x * y;
                sums[j][3] += y * y;
            }
        }
    });
    double together = 0.0;
    double alone = 0.0;
    for (const auto& [x, y, xy, yy] : sums) {
        together += xy - x * y / n;
        alone += yy - y * y / n;
    }
    layer_.gain = alone > 0.0 ? static_cast<float>(together / alone) : 0.0F;
    for (std::size_t j = 0; j < sums.size(); ++j) {
        layer_.offset.data()[j] = static_cast<float>((sums[j][0] - double{layer_.gain} * sums[j][1]) / n);
    }
    const bool measured_whole =
        whole && each_chunk(below_, measured, observer_, [&](auto, const Tensor& maps) {
            const Tensor rebuilt = rebuild(maps);
            for (std::int64_t i = 0; i < maps.rows(); ++i) {
                for (std::size_t j = 0; j < sums.size(); ++j) {
                    const auto x = double{maps.row(i)[j]};
                    const double error = double{rebuilt.row(i)[j]} - x;
                    const double mean_error = sums[j][0] / n - x;
                    record.validation_loss += error * error / static_cast<double>(measured.size());
                    record.mean_loss += mean_error * mean_error / static_cast<double>(measured.size());
                }
            }
        });
    record.train_loss = record.validation_loss;
    return measured_whole;
}

/// Maps, coded and decoded.
Tensor ConvolutionTraining::rebuild(const Tensor& maps) const {
    Tensor decoded({maps.rows(), maps.columns()});
    nn::parallel_ranges(maps.rows(), 1, [&](std::int64_t begin, std::int64_t end) {
        const nn::ThreadScope one(1);
        nn::Context context(1);
        nn::Convolution convolution(context, layer_);
        Tensor code({layer_.shape.output_size()});
        for (std::int64_t i = begin; i < end; ++i) {
            convolution.forward(maps.row(i).data(), code.data());
            convolution.backward(code.data(), decoded.row(i).data());
        }
    });
    return decoded;
}

}  // namespace

ConvolutionShape next_shape(const Recipe& recipe, const std::vector<ConvolutionLayer>& below,
                            const ConvolutionOptions& options) {
    ConvolutionShape shape;
    shape.channels = below.empty() ? recipe.channels : below.back().shape.code_channels();
    shape.height = below.empty() ? recipe.height : below.back().shape.cells_down();
    shape.width = below.empty() ? recipe.width : below.back().shape.cells_across();
    shape.kernel = options.kernel;
    shape.units = options.units;
    shape.two_sided = options.two_sided;
    shape.pooling = options.maximum ? Pooling::maximum : Pooling::average;
    shape.pool_size = options.pool_size;
    shape.pool_stride = options.pool_stride;
    shape.grid = options.grid;
    shape.root = options.root;
    shape.unit_length = options.context > 0;
    shape.contrast = options.context == 0;
    shape.whitened = std::min(options.whitened > 0 ? options.whitened : default_whitened, shape.patch_size());
    if (shape.unit_length) {
        shape.units = std::min(shape.units, shape.whitened);  // directions among the axes of a patch
    }
    validate(shape);
    return shape;
}

SampleSize sample_size(const TrainOptions& options, const ConvolutionShape& shape, std::size_t number,
                       std::int64_t pictures) {
    const auto patch_bytes = shape.patch_size() * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t affordable = std::max<std::int64_t>(1000, options.memory / 2 / patch_bytes);
    const std::int64_t most = std::min(options.patches, affordable);
    SampleSize size;
    size.pictures =
        std::min(pictures, number == 0 ? most : std::max(fewest_pictures, most / patches_a_picture));
    size.patches = std::min(most, shape.positions_down() * shape.positions_across() * size.pictures);
    size.patches -= shape.unit_length ? size.patches % 2 : 0;  // they come in pairs
    return size;
}

bool train_convolution(nn::Context& context, const LayerData& data, const TrainOptions& options,
                       TrainObserver& observer, Model& model) {
    return ConvolutionTraining(context, data, options, observer, model).run();
}

}  // namespace stackae::training

#include "stackae/train.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <set>

#include "stackae/error.hpp"

#include "base/memory.hpp"
#include "base/random.hpp"
#include "linalg/pca.hpp"
#include "model/split.hpp"
#include "nn/gradient_loop.hpp"
#include "nn/kernels.hpp"
#include "train/column_scale.hpp"
#include "train/convolution.hpp"
#include "train/needs.hpp"
#include "train/phase.hpp"
#include "train/picture_decoder.hpp"
#include "train/radial.hpp"
#include "train/sample_store.hpp"
#include "train/stack.hpp"

namespace stackae {
namespace {

using training::SampleStore;

constexpr std::int64_t encoding_batch = 256;
/// By neighbours among held-out pictures, CIFAR-10 likes 0.3 best and MNIST 0.2: 0 leaves all to the first
/// axes, 0.5 raises noise.
constexpr double code_whitening = 0.25;

/// Everything that lives as long as one call of train().
class Training {
public:
    /// holdable: bytes of pictures and codes that may be held.
    Training(const Recipe& recipe, const TrainOptions& options, std::int64_t holdable,
             TrainObserver& observer)
        : recipe_(recipe),
          options_(options),
          holdable_(holdable),
          observer_(observer),
          context_(options.threads) {
        model_.recipe = recipe;
        model_.options = options;
    }

    Model run(const Pictures& pictures) {
        try {
            SampleStore samples = read(pictures);
            if (!model_.interrupted) {
                split();
                if (train_convolutions(samples)) {
                    train_dense(std::move(samples));
                }
            }
        } catch (...) {
            if (model_.depth() > 0) {
                model_.interrupted = true;
                forget_unfinished();
                observer_.on_failure(std::move(model_));
            }
            throw;
        }
        forget_unfinished();
        return std::move(model_);
    }

private:
    /// Leaves out the epochs of what is not in the model.
    void forget_unfinished() {
        std::erase_if(model_.history, [this](const EpochRecord& record) {
            return record.layer == 0 ? !fine_tuned_ : record.layer > model_.depth();
        });
    }
    SampleStore make_store(std::int64_t rows, std::int64_t columns) {
        const std::int64_t bytes = rows * columns * static_cast<std::int64_t>(sizeof(float));
        in_memory_ = in_memory_ && held_bytes_ + bytes <= holdable_;
        held_bytes_ += in_memory_ ? bytes : 0;
        return {rows, columns, in_memory_, options_.temporary_folder};
    }

    SampleStore read(const Pictures& pictures);
    void split();
    /// False when the observer stopped it.
    bool train_convolutions(const SampleStore& pictures);
    void train_dense(SampleStore samples);
    /// The variances of its axes.
    std::vector<double> train_code(SampleStore& samples);
    void train_radial(const SampleStore& pictures, SampleStore codes, std::span<const double> variances);
    SampleStore pooled_maps(const SampleStore& pictures, std::span<const std::int64_t> rows);
    SampleStore encode_pictures(const SampleStore& pictures, std::span<const std::int64_t> rows);
    void train_greedily(const SampleStore& pictures);
    /// False when the layer is not to be kept.
    bool train_layer(std::size_t layer, const SampleStore& input);
    training::PhaseResult train_phase(nn::Parameters& parameters, const SampleStore& input,
                                      const nn::GradientLoopConfig& config);
    SampleStore encode(const DenseLayer& layer, const SampleStore& input);
    void fine_tune(const SampleStore& pictures);

    const Recipe& recipe_;
    const TrainOptions& options_;
    std::int64_t holdable_;
    TrainObserver& observer_;
    linalg::Context context_;
    Model model_;
    std::vector<std::int64_t> train_rows_;
    std::vector<std::int64_t> validation_rows_;
    std::int64_t held_bytes_ = 0;
    bool fine_tuned_ = false;  ///< the model has weights of fine-tuning
    bool in_memory_ = true;    ///< once something does not fit, what comes after it goes to files too
};

SampleStore Training::read(const Pictures& pictures) {
    SampleStore samples = make_store(pictures.size(), recipe_.size());
    PictureReader reader(
        pictures, recipe_,
        {.threads = options_.threads, .memory = base::reading_memory(options_.memory_limit)});
    PictureBatch batch;
    std::set<std::string> classes;
    std::vector<float> first;
    bool alike = true;
    std::int64_t rows = 0;
    std::int64_t seen = 0;
    while (!observer_.stop() && reader.next(batch)) {
        samples.put(rows, batch.pictures.values());
        for (std::int64_t i = 0; alike && i < batch.pictures.rows(); ++i) {
            const auto row = batch.pictures.row(i);
            if (first.empty()) {
                first.assign(row.begin(), row.end());
            }
            alike = std::equal(first.begin(), first.end(), row.begin());
        }
        rows += batch.pictures.rows();
        seen += batch.pictures.rows() + static_cast<std::int64_t>(batch.skipped.size());
        for (const std::int64_t index : batch.indices) {
            if (auto label = pictures.entry(index).label) {
                classes.insert(std::move(*label));
            }
        }
        for (const SkippedPicture& skipped : batch.skipped) {
            observer_.on_skipped(skipped);
        }
        for (const PictureRemark& remark : batch.remarks) {
            observer_.on_remark(remark);
        }
        observer_.on_read(seen, pictures.size());
    }
    if (observer_.stop()) {
        model_.interrupted = true;
        return samples;
    }
    if (rows == 0) {
        throw InvalidArgument(
            fmt::format("{}: no picture could be read, at least 1 expected", pictures.path()));
    }
    if (alike) {
        observer_.on_alike(rows);
    }
    samples.truncate(rows);
    model_.pictures = rows;
    model_.trained_on = pictures.path();
    model_.class_names.assign(classes.begin(), classes.end());
    return samples;
}

void Training::split() {
    Split split = split_pictures(options_, model_.pictures);
    train_rows_ = std::move(split.train);
    validation_rows_ = std::move(split.held_out);
}

bool Training::train_convolutions(const SampleStore& pictures) {
    while (model_.convolutions.size() < options_.convolutions.size()) {
        const training::LayerData data{pictures, train_rows_, validation_rows_};
        if (!training::train_convolution(context_, data, options_, observer_, model_)) {
            model_.interrupted = true;
            return false;
        }
    }
    return true;
}

/// What the dense layers see: the pooled maps of the convolutions or their roots, a row a picture.
SampleStore Training::pooled_maps(const SampleStore& pictures, std::span<const std::int64_t> rows) {
    SampleStore maps = encode_pictures(pictures, rows);
    if (options_.code_roots) {
        nn::take_roots(maps.row(0), maps.rows() * maps.columns(), maps.row(0));
    }
    return maps;
}

/// By the stack as it is.
SampleStore Training::encode_pictures(const SampleStore& pictures, std::span<const std::int64_t> rows) {
    Encoder encoder(model_, {.threads = options_.threads});
    SampleStore codes = make_store(std::ssize(rows), encoder.code_size());
    const int layer = model_.code_layer() + 1;
    for (std::size_t first = 0; first < rows.size() && !observer_.stop(); first += encoding_batch) {
        const auto part = rows.subspan(first, std::min<std::size_t>(encoding_batch, rows.size() - first));
        Tensor gathered({std::ssize(part), pictures.columns()});
        pictures.gather(part, gathered.data());
        const Tensor made = encoder.encode(gathered);
        codes.put(static_cast<std::int64_t>(first), made.values());
        observer_.on_batch(layer, 0, 0, static_cast<std::int64_t>(first) + std::ssize(part),
                           std::ssize(rows));
    }
    return codes;
}

void Training::train_dense(SampleStore samples) {
    if (options_.layers.empty() && options_.code_size == 0) {
        return;
    }
    SampleStore pictures(0, 0, true);  // that a code right above convolutions is fitted to
    std::vector<std::int64_t> rows(static_cast<std::size_t>(samples.rows()));
    if (!model_.convolutions.empty()) {
        std::iota(rows.begin(), rows.end(), std::int64_t{0});
        if (options_.layers.empty()) {
            // A code in closed form is fitted to some pictures, all of which are held.
            base::shuffle(rows, base::Random(options_.seed, base::Stream::patches, 64, 0));
            rows.resize(std::min(rows.size(), static_cast<std::size_t>(training::code_pictures)));
            std::sort(rows.begin(), rows.end());
        }
        SampleStore maps = pooled_maps(samples, rows);
        if (options_.layers.empty()) {
            pictures = std::move(samples);
        }
        samples = std::move(maps);
    }
    if ((!model_.convolutions.empty() || options_.layers.empty()) && observer_.stop()) {
        model_.interrupted = true;
        return;
    }
    if (!options_.layers.empty()) {
        train_greedily(samples);
        if (!model_.interrupted && options_.fine_tune_epochs > 0) {
            fine_tune(samples);
        }
    }
    if (!model_.interrupted && options_.code_size > 0) {
        for (const DenseLayer& layer : model_.layers) {
            samples = encode(layer, samples);
        }
        const std::vector<double> variances = train_code(samples);
        const bool decoded = training::has_picture_decoder(options_, recipe_.size(), model_.code_size());
        if (!decoded && options_.radial_units == 0) {
            return;
        }
        samples = encode(model_.layers.back(), samples);
        if (decoded) {
            auto decoder = training::fit_picture_decoder(context_, pictures, rows, samples, variances);
            model_.picture_weights = std::move(decoder.weights);
            model_.picture_bias = std::move(decoder.bias);
        }
        if (options_.radial_units > 0) {
            train_radial(pictures, std::move(samples), variances);
        }
    }
}

/// The linear autoencoder of least squared error: principal axes, each code value scaled by
/// λ^−code_whitening, λ its variance. It sees roots scaled evenly: the samples are scaled meanwhile, and
/// scaled back.
std::vector<double> Training::train_code(SampleStore& samples) {
    std::vector<double> even(static_cast<std::size_t>(samples.columns()), 1.0);
    if (options_.code_roots) {
        even = training::even_scale(samples);
        training::scale_columns(samples, even);
    }
    const linalg::PcaResult axes =
        linalg::pca(context_, samples.row(0), samples.rows(), samples.columns(), options_.code_size);
    if (options_.code_roots) {
        training::unscale_columns(samples, even);
    }
    const std::int64_t units = axes.components.rows();
    const std::int64_t inputs = samples.columns();
    DenseLayer layer{Activation::linear,      Activation::linear, axes.components,    Tensor({units}),
                     Tensor({inputs, units}), axes.mean,          options_.code_roots};
    for (std::int64_t i = 0; i < units; ++i) {
        const double variance = std::max(axes.variances[static_cast<std::size_t>(i)], 1e-12);
        const double scale = std::pow(variance, -code_whitening);
        double bias = 0.0;
        for (std::int64_t j = 0; j < inputs; ++j) {
            float& weight = layer.weights.data()[i * inputs + j];
            const double own = even[static_cast<std::size_t>(j)];
            layer.decoder_weights.data()[j * units + i] = static_cast<float>(double{weight} / (scale * own));
            bias -= double{weight} * scale * double{axes.mean.data()[j]};
            weight = static_cast<float>(double{weight} * scale * own);
        }
        layer.bias.data()[i] = static_cast<float>(bias);
    }
    for (std::int64_t j = 0; j < inputs; ++j) {
        layer.decoder_bias.data()[j] /= static_cast<float>(even[static_cast<std::size_t>(j)]);
    }
    model_.layers.push_back(std::move(layer));
    model_.l2_normalize = true;
    return axes.variances;
}

/// pictures: all of them, or none where the codes are of all already.
void Training::train_radial(const SampleStore& pictures, SampleStore codes,
                            std::span<const double> variances) {
    const std::int64_t most = std::max(pictures.rows(), codes.rows());
    std::vector<std::int64_t> some(static_cast<std::size_t>(most));
    std::iota(some.begin(), some.end(), std::int64_t{0});
    base::shuffle(some, base::Random(options_.seed, base::Stream::patches, 64, 1));
    some.resize(std::min(some.size(), static_cast<std::size_t>(training::radial_pictures)));
    std::sort(some.begin(), some.end());
    if (codes.rows() < pictures.rows()) {
        codes = encode_pictures(pictures, some);
    } else if (codes.rows() > std::ssize(some)) {
        SampleStore fewer = make_store(std::ssize(some), codes.columns());
        codes.gather(some, fewer.row(0));
        codes = std::move(fewer);
    }
    const int layer = model_.code_layer() + 1;
    observer_.on_batch(layer, 0, 0, codes.rows(), codes.rows());
    if (!observer_.stop()) {
        model_.radial =
            training::fit_radial(context_, codes, variances, code_whitening, options_.radial_units,
                                 options_.seed, [this] { return observer_.stop(); });
    }
    model_.interrupted = !model_.radial;
}

void Training::train_greedily(const SampleStore& pictures) {
    SampleStore codes(0, 0, true);
    for (std::size_t layer = 0; layer < options_.layers.size(); ++layer) {
        const SampleStore& input = layer == 0 ? pictures : codes;
        if (!train_layer(layer, input) || model_.interrupted) {
            return;
        }
        if (layer + 1 < options_.layers.size()) {
            SampleStore next = encode(model_.layers.back(), input);
            if (layer > 0 && codes.in_memory()) {
                held_bytes_ -= codes.bytes();
            }
            codes = std::move(next);
        }
    }
}

bool Training::train_layer(std::size_t layer, const SampleStore& input) {
    std::vector<nn::LayerSpec> specs = training::autoencoder(options_, recipe_, layer);
    specs[0].ic = specs[1].oc = input.columns();  // fewer than planned where patches vary in few directions
    nn::Parameters parameters(specs);
    training::initialize(parameters, input.mean(train_rows_), options_.seed, layer);
    const training::PhaseResult result =
        train_phase(parameters, input, training::greedy_config(options_, recipe_, layer));
    model_.interrupted = result.stopped;
    if (result.stopped && result.epochs == 0 && (layer > 0 || !model_.convolutions.empty())) {
        return false;
    }
    model_.layers.push_back(training::to_layer(parameters, 0, 1));
    return true;
}

training::PhaseResult Training::train_phase(nn::Parameters& parameters, const SampleStore& input,
                                            const nn::GradientLoopConfig& config) {
    base::OneMember alone;
    nn::GradientLoop loop(context_, parameters, {input, train_rows_, validation_rows_}, config, alone);
    return training::run_phase(loop, static_cast<int>(config.stream), observer_, model_.history);
}

SampleStore Training::encode(const DenseLayer& layer, const SampleStore& input) {
    SampleStore codes = make_store(input.rows(), layer.units());
    std::vector<std::int64_t> rows(static_cast<std::size_t>(encoding_batch));
    Tensor x({encoding_batch, layer.inputs()});
    Tensor h({encoding_batch, layer.units()});
    std::int64_t done = 0;
    for (const std::int64_t n : {encoding_batch, input.rows() % encoding_batch}) {
        if (n == 0) {
            continue;
        }
        nn::Dense dense(context_, {n, layer.inputs(), layer.units(), layer.activation, false, false});
        rows.resize(static_cast<std::size_t>(n));
        for (; done + n <= input.rows(); done += n) {
            std::iota(rows.begin(), rows.end(), done);
            input.gather(rows, x.data());
            dense.forward(x.data(), layer.weights.data(), layer.bias.data(), h.data());
            codes.put(done, h.values().first(static_cast<std::size_t>(n * layer.units())));
        }
    }
    return codes;
}

void Training::fine_tune(const SampleStore& pictures) {
    const bool tied = options_.tied && !options_.untie_in_fine_tuning;
    std::vector<std::vector<nn::LayerSpec>> autoencoders;
    for (const DenseLayer& layer : model_.layers) {
        autoencoders.push_back(training::autoencoder(layer));
    }
    nn::Parameters parameters(training::unrolled(autoencoders, tied));
    const std::size_t depth = model_.layers.size();
    for (std::size_t i = 0; i < depth; ++i) {
        training::from_layer(model_.layers[i], parameters, i, 2 * depth - 1 - i);
    }
    const training::PhaseResult result =
        train_phase(parameters, pictures, training::fine_tuning_config(options_, recipe_));
    model_.interrupted = result.stopped;
    if (result.epochs == 0) {
        return;  // the stack as it was trained greedily
    }
    fine_tuned_ = true;
    for (std::size_t i = 0; i < depth; ++i) {
        model_.layers[i] = training::to_layer(parameters, i, 2 * depth - 1 - i);
    }
}

}  // namespace

Model train(const Pictures& pictures, const Recipe& recipe, const TrainOptions& options,
            TrainObserver& observer) {
    training::check_settings(options, recipe);
    const TrainOptions settled = training::settle_memory(options);
    const std::int64_t holdable =
        training::holdable_bytes(training::needs_of(pictures.size(), recipe, settled), settled);
    return linalg::run_on_backend("train", options.threads, [&] {
        return Training(recipe, settled, holdable, observer).run(pictures);
    });
}

}  // namespace stackae

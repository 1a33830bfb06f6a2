#include "train/needs.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "base/memory.hpp"
#include "base/threads.hpp"
#include "linalg/pca.hpp"
#include "linalg/spherical_kmeans.hpp"
#include "model/footprint.hpp"
#include "model/split.hpp"
#include "train/convolution.hpp"
#include "train/picture_decoder.hpp"
#include "train/radial.hpp"
#include "train/stack.hpp"

namespace stackae::training {
namespace {

using encoding::float_bytes;

constexpr double decoding_rows = 256.0;    ///< pictures that are run through a stack at a time
constexpr double read_rows = 5.0 * 256.0;  ///< in batches read ahead, and the one that is taken out
constexpr std::int64_t threshold_rows = 2048;

double real(std::int64_t value) {
    return static_cast<double>(value);
}

/// Adds phase after phase; sums are doubles, since products of sizes that are allowed one by one overflow.
class Reckoning {
public:
    Reckoning(std::int64_t pictures, const Recipe& recipe, const TrainOptions& options)
        : pictures_(pictures),
          recipe_(recipe),
          options_(options),
          threads_(base::resolve_threads(options.threads)),
          held_out_(held_out(options, pictures)) {}

    Needs run() {
        const double ahead = std::min(real(pictures_), read_rows) * real(recipe_.size());
        work(std::min(real(base::reading_memory(options_.memory_limit)) / float_bytes, ahead));
        add_convolutions();
        add_dense();
        if (options_.code_size > 0) {
            add_code();
        }
        if (options_.radial_units > 0) {
            add_radial();
        }
        needs_.parameters = base::whole_bytes(model_);
        needs_.working_bytes = base::whole_bytes(float_bytes * most_);
        const double mapped =
            options_.layers.empty() ? real(std::min(pictures_, code_pictures)) : real(pictures_);
        needs_.picture_bytes = base::whole_bytes(float_bytes * real(pictures_) * real(recipe_.size()));
        needs_.held_bytes = base::whole_bytes(
            float_bytes * (real(pictures_) * (real(recipe_.size()) + codes_) + mapped * real(maps_)));
        return std::move(needs_);
    }

private:
    /// floats: held at one time, beside the layers that are finished.
    void work(double floats) { most_ = std::max(most_, model_ + floats); }

    void add_phase(int layer, std::int64_t inputs, std::int64_t units, double parameters,
                   std::int64_t epochs) {
        needs_.phases.push_back({layer, inputs, units, base::whole_bytes(parameters), epochs, 0.0});
    }

    /// Floats to run so many pictures through the layers so far.
    [[nodiscard]] double encoding(double pictures) const {
        return real(threads_) * workers_ + pictures * real(recipe_.size() + (workers_ > 0.0 ? top_ : 0));
    }

    [[nodiscard]] double of_phase(const std::vector<nn::LayerSpec>& specs,
                                  const nn::GradientLoopConfig& config, std::int64_t train_rows,
                                  std::int64_t validation_rows) const;
    void add_convolutions();
    void add_convolution(const ConvolutionShape& shape, std::size_t number);
    void add_dense();
    void add_code();
    void add_radial();

    std::int64_t pictures_;
    const Recipe& recipe_;
    const TrainOptions& options_;
    int threads_;
    std::int64_t held_out_;
    Needs needs_;
    double most_ = 0.0;
    double model_ = 0.0;     ///< parameters so far
    double workers_ = 0.0;   ///< floats a thread holds to run the convolutional layers so far
    std::int64_t top_ = 0;   ///< values of a picture in the layer on top so far
    std::int64_t maps_ = 0;  ///< of them those of the convolutional layers
    double codes_ = 0.0;     ///< values of a picture held beside it between dense layers
};

double parameters_of(const std::vector<nn::LayerSpec>& specs) {
    double sum = 0.0;
    for (const nn::LayerSpec& spec : specs) {
        sum += real(spec.oc) + (spec.tied_to < 0 ? real(spec.ic) * real(spec.oc) : 0.0);
    }
    return sum;
}

/// Of a phase of training by gradients: parameters, gradients, the best so far and moments; batches, and for
/// each size of them a network's activations, their gradients, and what losses and penalties keep; a layer in
/// the layout that oneDNN likes.
double Reckoning::of_phase(const std::vector<nn::LayerSpec>& specs, const nn::GradientLoopConfig& config,
                           std::int64_t train_rows, std::int64_t validation_rows) const {
    const double moments = options_.optimizer == OptimizerKind::sgd ? 1.0 : 2.0;
    double floats = (3.0 + moments) * parameters_of(specs);
    double widest = 0.0;
    double values = config.loss == LossKind::cross_entropy ? real(specs.back().oc) : 0.0;
    double tied = 0.0;
    for (std::size_t i = 0; i < specs.size(); ++i) {
        const nn::LayerSpec& spec = specs[i];
        const bool preactivation = spec.activation == Activation::silu;
        const bool winners = i == config.sparsity.layer && config.sparsity.lifetime_sparsity > 0.0;
        values += real(spec.oc) * (2.0 + (preactivation ? 1.0 : 0.0) + (winners ? 1.0 : 0.0));
        tied += spec.tied_to < 0 ? 0.0 : real(spec.ic) * real(spec.oc);
        widest = std::max(widest, real(spec.ic) * real(spec.oc));
    }
    const std::int64_t batch = std::min(options_.batch_size, train_rows);
    std::set<std::int64_t> sizes{batch, train_rows % options_.batch_size,
                                 std::min(nn::measuring_batch, validation_rows),
                                 validation_rows % nn::measuring_batch};
    sizes.erase(0);
    for (const std::int64_t n : sizes) {
        floats += real(n) * values + tied;
    }
    const bool corrupted = config.corrupt != nullptr;
    floats += real(std::max(batch, nn::measuring_batch)) * real(specs.front().ic) * (corrupted ? 2.0 : 1.0);
    return floats + 2.0 * widest;
}

void Reckoning::add_convolutions() {
    const auto shapes = convolution_shapes(recipe_, options_);
    top_ = recipe_.size();
    for (std::size_t i = 0; i < shapes.size(); ++i) {
        add_convolution(shapes[i], i);
        maps_ = top_;
    }
}

void Reckoning::add_convolution(const ConvolutionShape& asked, std::size_t number) {
    ConvolutionShape shape = asked;
    if (shape.contrast) {  // patches whose mean is 0 have an axis less
        shape.whitened = std::min(shape.whitened, std::max<std::int64_t>(1, shape.patch_size() - 1));
    }
    shape.units = shape.unit_length ? std::min(shape.units, shape.whitened) : shape.units;
    const double d = real(shape.patch_size());
    const double r = real(shape.whitened);
    const double units = real(shape.units);
    const SampleSize size = sample_size(options_, shape, number, pictures_ - held_out_);
    const double patches = real(size.patches);
    const double weights = encoding::parameter_count(shape);
    const double chunk = std::min(real(size.pictures), real(chunk_pictures(top_)));

    work(patches * d + encoding(chunk));
    work(patches * (d + r) + linalg::pca_floats(size.patches, shape.patch_size(), shape.whitened) + weights);
    if (!shape.unit_length) {
        work(patches * r + weights +
             real(linalg::spherical_kmeans_floats(size.patches, shape.whitened, shape.units)));
        work(patches * r + weights + 2.0 * real(std::min(threshold_rows, size.patches)) * (r + units));
        if (options_.patch_epochs > 0) {
            nn::GradientLoopConfig config;
            config.sparsity.lifetime_sparsity = 0.5;
            work(patches * r + weights +
                 of_phase({{shape.whitened, shape.units, Activation::relu, -1},
                           {shape.units, shape.whitened, Activation::linear, -1}},
                          config, size.patches, size.patches / 20));
        }
    }
    constexpr double sums = 8.0;  // four doubles for each value of the input
    work(weights + encoding(chunk) + sums * real(shape.input_size()) + chunk * real(shape.input_size()) +
         real(threads_) * encoding::convolution_floats(shape, true));
    model_ += weights;
    workers_ += encoding::convolution_floats(shape);
    add_phase(static_cast<int>(number) + 1, shape.input_size(), shape.units, weights,
              std::max<std::int64_t>(1, options_.patch_epochs));
    top_ = shape.output_size();
}

void Reckoning::add_dense() {
    std::vector<std::vector<nn::LayerSpec>> autoencoders;
    double dense = 0.0;
    std::int64_t input = 0;
    if (!options_.layers.empty() && !options_.convolutions.empty()) {
        work(encoding(decoding_rows));
    }
    for (std::size_t i = 0; i < options_.layers.size(); ++i) {
        const auto specs = autoencoder(options_, recipe_, i);
        const nn::GradientLoopConfig config = greedy_config(options_, recipe_, i);
        work(of_phase(specs, config, pictures_ - held_out_, held_out_));
        const double parameters = parameters_of(specs);
        add_phase(static_cast<int>(config.stream), specs.front().ic, options_.layers[i], parameters,
                  config.epochs);
        dense += parameters;
        model_ += parameters;
        if (i + 1 < options_.layers.size()) {
            codes_ = std::max(codes_, real(input + options_.layers[i]));
            input = options_.layers[i];
        }
        autoencoders.push_back(specs);
    }
    if (options_.fine_tune_epochs > 0 && !autoencoders.empty()) {
        const auto specs = unrolled(autoencoders, options_.tied && !options_.untie_in_fine_tuning);
        const nn::GradientLoopConfig config = fine_tuning_config(options_, recipe_);
        work(of_phase(specs, config, pictures_ - held_out_, held_out_));
        const double parameters = parameters_of(specs);
        add_phase(static_cast<int>(config.stream), specs.front().ic, options_.layers.back(), parameters,
                  config.epochs);
        model_ += parameters - dense;
    }
    top_ = options_.layers.empty() ? top_ : options_.layers.back();
}

void Reckoning::add_code() {
    const std::int64_t rows = options_.layers.empty() ? std::min(pictures_, code_pictures) : pictures_;
    const std::int64_t units = std::min({options_.code_size, top_, rows});
    const bool decoder = has_picture_decoder(options_, recipe_.size(), units);
    const double own = 2.0 * real(top_) * real(units) + real(top_ + units);
    const double parameters = own + (decoder ? real(recipe_.size()) * real(units + 1) : 0.0);
    work(encoding(decoding_rows));
    work(linalg::pca_floats(rows, top_, units) + 2.0 * own);
    work(4.0 * parameters + decoding_rows * real(top_ + units + recipe_.size()));
    add_phase(static_cast<int>(options_.convolutions.size() + options_.layers.size()) + 1, top_, units,
              parameters, 1);
    model_ += parameters;
}

void Reckoning::add_radial() {
    const std::int64_t rows = std::min(pictures_, radial_pictures);
    const std::int64_t inputs = needs_.phases.back().units;
    const std::int64_t units = std::min(options_.radial_units, rows);
    const std::int64_t block = radial_block_of(units);
    const double parameters = real(inputs) + real(units) * real(inputs + block);
    const double beside =
        std::max(real(linalg::spherical_kmeans_floats(rows, inputs, units)), 5.0 * real(block) * real(block));
    work(encoding(decoding_rows));
    work(real(rows) * real(inputs) + parameters + beside);
    add_phase(needs_.phases.back().layer + 1, inputs, units, parameters, 1);
    model_ += parameters;
}

}  // namespace

Needs needs_of(std::int64_t pictures, const Recipe& recipe, const TrainOptions& options) {
    return Reckoning(pictures, recipe, options).run();
}

TrainOptions settle_memory(const TrainOptions& options) {
    TrainOptions settled = options;
    settled.memory = std::min(options.memory, base::resolve_memory(options.memory_limit) / 2);
    return settled;
}

std::int64_t holdable_bytes(const Needs& needs, const TrainOptions& options) {
    const std::int64_t limit = base::resolve_memory(options.memory_limit);
    if (needs.working_bytes > limit) {
        throw InvalidArgument(
            fmt::format("memory: {} to work with the layers of this stack found, {} expected at most; fewer "
                        "units, smaller "
                        "layers or batches take less",
                        format_bytes(needs.working_bytes), format_bytes(limit)));
    }
    return std::min(options.memory, limit - needs.working_bytes);
}

}  // namespace stackae::training

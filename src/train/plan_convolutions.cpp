#include "train/plan_convolutions.hpp"

#include <algorithm>
#include <chrono>
#include <functional>

#include "core/random.hpp"
#include "model/split.hpp"
#include "nn/matrix_product.hpp"
#include "nn/principal_axes.hpp"
#include "train/convolution.hpp"
#include "train/picture_decoder.hpp"
#include "train/radial.hpp"
#include "train/sample_store.hpp"
#include "train/spherical_means.hpp"

namespace stackae::training {
namespace {

constexpr double timed_seconds = 0.3;
constexpr std::int64_t timed_rows = 2048;
/// Matrix products of inverse_square_root, about: 17 steps.
constexpr double root_products = 51.0;
constexpr auto float_bytes = static_cast<std::int64_t>(sizeof(float));

double seconds_of(const std::function<void()>& body) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    body();
    return std::chrono::duration<double>(Clock::now() - start).count();
}

Tensor random_tensor(std::vector<std::int64_t> shape) {
    Tensor tensor(std::move(shape));
    const core::Random random(0, core::Stream::plan);
    for (std::int64_t i = 0; i < tensor.size(); i += 4) {
        const auto bits = random.block(static_cast<std::uint32_t>(i / 4));
        for (std::int64_t j = i; j < std::min(i + 4, tensor.size()); ++j) {
            tensor.data()[j] = core::Random::uniform(bits[static_cast<std::size_t>(j - i)]) - 0.5F;
        }
    }
    return tensor;
}

ConvolutionLayer stand_in(const ConvolutionShape& shape) {
    ConvolutionLayer layer;
    layer.shape = shape;
    ConvolutionShape& s = layer.shape;
    if (s.contrast) {  // patches whose mean is 0 have an axis less
        s.whitened = std::min(s.whitened, std::max<std::int64_t>(1, s.patch_size() - 1));
    }
    s.units = s.unit_length ? std::min(s.units, s.whitened) : s.units;
    layer.whitening = random_tensor({s.whitened, s.patch_size()});
    layer.patch_mean = Tensor({s.patch_size()});
    layer.weights = random_tensor({s.units, s.whitened});
    layer.bias = Tensor({s.units});
    layer.decoder_weights = Tensor({s.whitened, s.units});
    layer.decoder_bias = Tensor({s.whitened});
    layer.offset = Tensor({s.input_size()});
    return layer;
}

/// Of a picture, after the encoder has made what it needs.
double time_encoding(const Model& model, int threads) {
    Encoder encoder(model, {.threads = threads});
    std::int64_t n = 16;
    const Tensor pictures = random_tensor({n, model.recipe.size()});
    (void)encoder.encode(pictures);
    double seconds = 0.0;
    std::int64_t done = 0;
    while (seconds < timed_seconds) {
        seconds += seconds_of([&] { (void)encoder.encode(pictures); });
        done += n;
    }
    return seconds / static_cast<double>(done);
}

std::int64_t parameters_of(const ConvolutionLayer& layer) {
    Model alone;
    alone.convolutions.push_back(layer);
    return alone.parameters();
}

}  // namespace

ConvolutionCosts::ConvolutionCosts(nn::Context& context, std::int64_t pictures, const Recipe& recipe,
                                   const TrainOptions& options)
    : context_(context), pictures_(pictures), options_(options) {
    model_.recipe = recipe;
}

void ConvolutionCosts::plan_layers(TrainPlan& plan) {
    for (const ConvolutionOptions& asked : options_.convolutions) {
        plan_layer(stand_in(next_shape(model_.recipe, model_.convolutions, asked)), plan);
    }
}

void ConvolutionCosts::plan_layer(const ConvolutionLayer& layer, TrainPlan& plan) {
    const ConvolutionShape& s = layer.shape;
    const std::int64_t d = s.patch_size();
    const std::int64_t r = s.whitened;
    const std::size_t number = model_.convolutions.size();
    const SampleSize size = sample_size(options_, s, number, pictures_ - held_out(options_, pictures_));
    const auto patches = static_cast<double>(size.patches);

    double seconds = axes_seconds(size.patches, d, r);
    const std::int64_t rows = std::min(timed_rows, size.patches);
    SampleStore whitened(rows, r, true);
    const Tensor random = random_tensor({rows, r});
    std::copy_n(random.data(), random.size(), whitened.row(0));
    seconds += patches / static_cast<double>(rows) * seconds_of([&] {
                   Tensor centred({rows, d});
                   Tensor codes({rows, r});
                   nn::MatrixProduct(context_, nn::ProductForm::transposed_b, rows, r, d)
                       .run(centred.data(), layer.whitening.data(), codes.data());
               });
    if (!s.unit_length) {
        const double pass = patches / static_cast<double>(rows) * seconds_of([&] {
                                (void)spherical_means(context_, whitened, {.units = s.units});
                            });
        // A pass with winner-take-all runs forward, backward and makes a step: six products for k-means' one.
        seconds += pass * (means_iterations + 6.0 * static_cast<double>(options_.patch_epochs));
    }

    const double below = seconds_a_picture_;
    model_.convolutions.push_back(layer);
    seconds_a_picture_ = time_encoding(model_, options_.threads);
    const double own = std::max(0.0, seconds_a_picture_ - below);
    // The decoder is fitted and then measured: coding and decoding, each for two sets of pictures.
    seconds += below * static_cast<double>(size.pictures) + probe_pictures * (2.0 * below + 4.0 * own);

    plan.phases.push_back({static_cast<int>(number) + 1, layer.inputs(), s.units, parameters_of(layer),
                           std::max<std::int64_t>(1, options_.patch_epochs), seconds});
    plan.seconds += seconds;
    plan.parameters += plan.phases.back().parameters;
    // Patches beside their whitened selves, and the covariance with what is made of it.
    const std::int64_t bytes = float_bytes * (size.patches * (d + r) + std::min(d, size.patches) * d * 3);
    plan.memory_bytes = std::max(plan.memory_bytes, bytes + float_bytes * model_.parameters());
}

double ConvolutionCosts::axes_seconds(std::int64_t n, std::int64_t d, std::int64_t count) {
    const std::int64_t most = std::min(n, std::max(timed_rows, 2 * count));
    const Tensor rows = random_tensor({most, d});
    const auto timed = [&](std::int64_t some) {
        return seconds_of([&] { (void)nn::principal_axes(context_, rows.data(), some, d, count); });
    };
    if (most == n) {
        return timed(n);
    }
    // A part for the axes, whatever the rows, and a part for each row.
    const double half = timed(most / 2);
    const double whole = timed(most);
    const double a_row = std::max(0.0, whole - half) / static_cast<double>(most - most / 2);
    return whole + a_row * static_cast<double>(n - most);
}

void ConvolutionCosts::plan_code(std::int64_t inputs, TrainPlan& plan) {
    const std::int64_t rows = options_.layers.empty() ? std::min(pictures_, code_pictures) : pictures_;
    const std::int64_t units = std::min({options_.code_size, inputs, rows});
    double seconds = axes_seconds(rows, inputs, units);
    seconds += options_.layers.empty() ? encoding_seconds(rows) : 0.0;
    const bool decoder = has_picture_decoder(options_, model_.recipe.size(), units);
    const std::int64_t picture = model_.recipe.size();
    const std::int64_t parameters =
        2 * inputs * units + inputs + units + (decoder ? picture * (units + 1) : 0);
    plan.phases.push_back({static_cast<int>(options_.convolutions.size() + options_.layers.size()) + 1,
                           inputs, units, parameters, 1, seconds});
    plan.seconds += seconds;
    plan.parameters += parameters;
    plan.memory_bytes = std::max(plan.memory_bytes, float_bytes * (model_.parameters() + 4 * parameters));
}

void ConvolutionCosts::plan_radial(TrainPlan& plan) {
    const std::int64_t rows = std::min(pictures_, radial_pictures);
    const std::int64_t inputs = plan.phases.back().units;
    const std::int64_t units = std::min(options_.radial_units, rows);
    const std::int64_t block = radial_block_of(units);
    const std::int64_t blocks = (units + block - 1) / block;
    const std::int64_t some = std::min(timed_rows, rows);
    SampleStore codes(some, inputs, true);
    const Tensor random = random_tensor({std::max(some, block), std::max(inputs, block)});
    std::copy_n(random.data(), some * inputs, codes.row(0));
    const auto few = std::min(units, some);
    const double a_unit = seconds_of([&] { (void)spherical_means(context_, codes, {.units = few}); }) /
                          static_cast<double>(few * some);
    double seconds = a_unit * static_cast<double>(rows * units) * radial_iterations;
    Tensor product({block, block});
    const double once = seconds_of([&] {
        nn::MatrixProduct(context_, nn::ProductForm::plain, block, block, block)
            .run(random.data(), random.data(), product.data());
    });
    seconds += root_products * once * static_cast<double>(blocks);
    seconds += options_.layers.empty() && rows > code_pictures ? encoding_seconds(rows) : 0.0;
    const std::int64_t parameters = inputs + units * (inputs + block);
    plan.phases.push_back({plan.phases.back().layer + 1, inputs, units, parameters, 1, seconds});
    plan.seconds += seconds;
    plan.parameters += parameters;
    const std::int64_t beside = std::max(spherical_means_floats(rows, inputs, units), 5 * block * block);
    plan.memory_bytes = std::max(plan.memory_bytes,
                                 float_bytes * (model_.parameters() + rows * inputs + parameters + beside));
}

double ConvolutionCosts::encoding_seconds(std::int64_t pictures) const {
    return seconds_a_picture_ * static_cast<double>(pictures);
}

}  // namespace stackae::training

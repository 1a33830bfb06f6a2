#include "train/plan_convolutions.hpp"

#include <algorithm>
#include <chrono>
#include <functional>

#include "base/random.hpp"
#include "linalg/gemm.hpp"
#include "linalg/pca.hpp"
#include "linalg/spherical_kmeans.hpp"
#include "model/split.hpp"
#include "train/convolution.hpp"
#include "train/radial.hpp"
#include "train/sample_store.hpp"

namespace stackae::training {
namespace {

constexpr double timed_seconds = 0.3;
constexpr std::int64_t timed_rows = 2048;
/// Matrix products of inverse_sqrt, about: 17 steps.
constexpr double root_products = 51.0;

double seconds_of(const std::function<void()>& body) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    body();
    return std::chrono::duration<double>(Clock::now() - start).count();
}

Tensor random_tensor(std::vector<std::int64_t> shape) {
    Tensor tensor(std::move(shape));
    const base::Random random(0, base::Stream::plan);
    for (std::int64_t i = 0; i < tensor.size(); i += 4) {
        const auto bits = random.block(static_cast<std::uint32_t>(i / 4));
        for (std::int64_t j = i; j < std::min(i + 4, tensor.size()); ++j) {
            tensor.data()[j] = base::Random::uniform(bits[static_cast<std::size_t>(j - i)]) - 0.5F;
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

}  // namespace

ConvolutionCosts::ConvolutionCosts(linalg::Context& context, std::int64_t pictures, const Recipe& recipe,
                                   const TrainOptions& options)
    : context_(context), pictures_(pictures), options_(options) {
    model_.recipe = recipe;
}

double ConvolutionCosts::layer_seconds(std::size_t number) {
    const ConvolutionLayer layer =
        stand_in(next_shape(model_.recipe, model_.convolutions, options_.convolutions[number]));
    const ConvolutionShape& s = layer.shape;
    const std::int64_t d = s.patch_size();
    const std::int64_t r = s.whitened;
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
                   linalg::Gemm(context_, rows, r, d, {.trans_b = true})
                       .run(centred.data(), layer.whitening.data(), codes.data());
               });
    if (!s.unit_length) {
        const double pass =
            patches / static_cast<double>(rows) * seconds_of([&] {
                (void)linalg::spherical_kmeans(context_, whitened.row(0), rows, r, {.k = s.units});
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

    return seconds;
}

double ConvolutionCosts::axes_seconds(std::int64_t n, std::int64_t d, std::int64_t count) {
    const std::int64_t most = std::min(n, std::max(timed_rows, 2 * count));
    const Tensor rows = random_tensor({most, d});
    const auto timed = [&](std::int64_t some) {
        return seconds_of([&] { (void)linalg::pca(context_, rows.data(), some, d, count); });
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

double ConvolutionCosts::code_seconds(const TrainPlan::Phase& code) {
    const std::int64_t rows = options_.layers.empty() ? std::min(pictures_, code_pictures) : pictures_;
    return axes_seconds(rows, code.inputs, code.units) +
           (options_.layers.empty() ? encoding_seconds(rows) : 0.0);
}

double ConvolutionCosts::radial_seconds(const TrainPlan::Phase& radial) {
    const std::int64_t rows = std::min(pictures_, radial_pictures);
    const std::int64_t inputs = radial.inputs;
    const std::int64_t units = radial.units;
    const std::int64_t block = radial_block_of(units);
    const std::int64_t blocks = (units + block - 1) / block;
    const std::int64_t some = std::min(timed_rows, rows);
    SampleStore codes(some, inputs, true);
    const Tensor random = random_tensor({std::max(some, block), std::max(inputs, block)});
    std::copy_n(random.data(), some * inputs, codes.row(0));
    const auto few = std::min(units, some);
    const double a_unit =
        seconds_of(
            [&] { (void)linalg::spherical_kmeans(context_, codes.row(0), some, inputs, {.k = few}); }) /
        static_cast<double>(few * some);
    Tensor product({block, block});
    const double once = seconds_of([&] {
        linalg::Gemm(context_, block, block, block).run(random.data(), random.data(), product.data());
    });
    return a_unit * static_cast<double>(rows * units) * radial_iterations +
           root_products * once * static_cast<double>(blocks) +
           (options_.layers.empty() && rows > code_pictures ? encoding_seconds(rows) : 0.0);
}

double ConvolutionCosts::encoding_seconds(std::int64_t pictures) const {
    return seconds_a_picture_ * static_cast<double>(pictures);
}

}  // namespace stackae::training

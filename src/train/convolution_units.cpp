#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/rows.hpp"
#include "linalg/gemm.hpp"
#include "linalg/pca.hpp"
#include "linalg/spherical_kmeans.hpp"
#include "linalg/vector_ops.hpp"
#include "train/convolution_training.hpp"
#include "train/phase.hpp"
#include "train/stack.hpp"

namespace stackae::training {
namespace {

constexpr double default_lifetime_sparsity = 0.02;

}  // namespace

void ConvolutionTraining::learn_units(SampleStore& patches) {
    const std::int64_t r = layer_.shape.whitened;
    const std::int64_t units = layer_.shape.units;
    layer_.weights = linalg::spherical_kmeans(
        context_, patches.row(0), patches.rows(), patches.columns(),
        {.k = units, .iterations = means_iterations, .seed = options_.seed, .layer = number_});
    decode_by_transpose();
    if (options_.patch_epochs > 0) {
        nn::Parameters parameters({{r, units, Activation::relu, -1}, {units, r, Activation::linear, -1}});
        std::copy_n(layer_.weights.data(), layer_.weights.size(), parameters.weights(0));
        std::copy_n(layer_.decoder_weights.data(), layer_.decoder_weights.size(), parameters.weights(1));
        std::vector<std::int64_t> rows(static_cast<std::size_t>(patches.rows()));
        std::iota(rows.begin(), rows.end(), std::int64_t{0});
        nn::GradientLoopConfig config = loop_config(options_, static_cast<int>(number_) + 1);
        config.epochs = options_.patch_epochs;
        config.sparsity.lifetime_sparsity =
            options_.winner_share > 0.0 ? options_.winner_share : default_lifetime_sparsity;
        // Patches are in the order of the pictures, often class by class: every twentieth is held out.
        const auto middle =
            std::stable_partition(rows.begin(), rows.end(), [](std::int64_t row) { return row % 20 == 19; });
        const std::span<const std::int64_t> all(rows);
        const auto held = static_cast<std::size_t>(middle - rows.begin());
        base::OneMember alone;
        nn::GradientLoop loop(context_, parameters, {patches, all.subspan(held), all.first(held)}, config,
                              alone);
        run_phase(loop, static_cast<int>(number_) + 1, observer_, model_.history);
        for (std::int64_t j = 0; j < units; ++j) {
            const std::span<const float> learnt(parameters.weights(0) + j * r, static_cast<std::size_t>(r));
            base::l2_normalize(learnt, layer_.weights.row(j));
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
    linalg::Gemm product(context_, r, r, block, {.trans_a = true});
    for (std::int64_t at = 0; at < pairs; at += block) {
        std::fill_n(first.data(), first.size(), 0.0F);
        std::fill_n(second.data(), second.size(), 0.0F);
        for (std::int64_t i = 0; i < std::min(block, pairs - at); ++i) {
            std::copy_n(patches.row(2 * (at + i)), r, first.row(i).data());
            std::copy_n(patches.row(2 * (at + i) + 1), r, second.row(i).data());
        }
        product.run(first.data(), second.data(), part.data());
        linalg::add(part.data(), part.size(), sum.data());
    }
    const float scale = 0.5F / static_cast<float>(pairs);
    Tensor alike({r, r});
    for (std::int64_t i = 0; i < r; ++i) {
        for (std::int64_t j = 0; j < r; ++j) {
            alike.data()[i * r + j] = scale * (sum.data()[i * r + j] + sum.data()[j * r + i]);
        }
    }
    const linalg::EigenResult eigen = linalg::top_eigenvectors(context_, alike, layer_.shape.units);
    layer_.shape.units = eigen.vectors.rows();
    layer_.weights = eigen.vectors;
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
    linalg::Gemm(context_, count, layer_.shape.units, layer_.shape.whitened, {.trans_b = true})
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

}  // namespace stackae::training

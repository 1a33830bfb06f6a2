#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "linalg/gemm.hpp"
#include "linalg/pca.hpp"
#include "nn/convolution.hpp"
#include "train/convolution_training.hpp"

namespace stackae::training {
namespace {

constexpr double contrast_share = 0.1;  ///< of the mean variance of patches, their ε

}  // namespace

/// ε of the contrast as a share of the mean variance of patches: codes of lower layers have a scale of their
/// own.
void ConvolutionTraining::settle_contrast() {
    ConvolutionShape plain = layer_.shape;
    plain.contrast = false;
    const auto pictures = sample_of(data_.train, below_.chunk(),
                                    base::Random(options_.seed, base::Stream::patches, number_, 3));
    const Tensor maps = below_.maps(pictures);
    const std::int64_t d = plain.patch_size();
    std::vector<float> patch(static_cast<std::size_t>(d));
    double variance = 0.0;
    for (std::int64_t i = 0; i < maps.rows(); ++i) {
        const std::int64_t positions = plain.positions_down() * plain.positions_across();
        nn::unfold(plain, maps.row(i).data(), i % positions, 1, patch.data());
        const double mean = std::accumulate(patch.begin(), patch.end(), 0.0) / static_cast<double>(d);
        variance += base::squared_norm(patch) / static_cast<double>(d) - mean * mean;
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
        sample_of(data_.train, size.pictures, base::Random(options_.seed, base::Stream::patches, number_, 0));
    const auto count = static_cast<std::int64_t>(pictures.size());
    const std::int64_t samples = size.patches / (shape.unit_length ? 2 : 1);
    SampleStore patches(size.patches, d, true);
    std::int64_t picture = 0;
    const auto sample = [&](const float* map, std::int64_t i) {
        const base::Random random(options_.seed, base::Stream::patches, number_, 1);
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
        base::parallel_ranges(maps.rows(), 1, [&](std::int64_t begin, std::int64_t end) {
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
    const linalg::PcaResult axes =
        linalg::pca(context_, patches.row(0), patches.rows(), d, layer_.shape.whitened);
    const std::int64_t r = axes.components.rows();
    layer_.shape.whitened = r;
    layer_.patch_mean = axes.mean;
    layer_.whitening = linalg::whitening(axes, asked_.whitening);
    SampleStore whitened(patches.rows(), r, true);
    const std::int64_t block = std::min<std::int64_t>(4096, patches.rows());
    Tensor centred({block, d});
    Tensor codes({block, r});
    linalg::Gemm product(context_, block, r, d, {.trans_b = true});
    for (std::int64_t first = 0; first < patches.rows(); first += block) {
        const std::int64_t count = std::min(block, patches.rows() - first);
        base::parallel_ranges(count, 16, [&](std::int64_t begin, std::int64_t end) {
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

}  // namespace stackae::training

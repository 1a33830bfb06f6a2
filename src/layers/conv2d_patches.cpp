#include "layers/conv2d_patches.hpp"

#include <algorithm>
#include <numeric>

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "base/rows.hpp"
#include "layers/padding.hpp"

namespace stackae::layers {
namespace {

constexpr std::int64_t min_pictures = 2'000;    ///< that patches of maps are taken from
constexpr std::int64_t patches_a_picture = 16;  ///< of maps, at least
constexpr std::int64_t min_patches = 1'000;     ///< however little memory there is

}  // namespace

PatchCount patch_count(const Conv2d& layer, const PlanContext& context) {
    const nn::Conv2dShape shape = layer.shape();
    const auto patch_bytes = shape.patch_size() * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t most =
        std::min(layer.patches, std::max(min_patches, context.patch_bytes / patch_bytes));
    const bool of_maps = context.stage > 0;
    PatchCount count;
    count.pictures =
        std::min(context.train, of_maps ? std::max(min_pictures, most / patches_a_picture) : most);
    count.patches = std::min(most, shape.oh() * shape.ow() * count.pictures);
    count.patches -= layer.slow_offset > 0 ? count.patches % 2 : 0;  // they come in pairs
    return count;
}

double mean_patch_variance(const Conv2d& layer, const Tensor& maps) {
    nn::Conv2dShape plain = layer.shape();
    plain.contrast_norm = false;
    const std::int64_t d = plain.patch_size();
    std::vector<float> patch(static_cast<std::size_t>(d));
    Padding padding(layer.input_shape(), layer.pad);
    double variance = 0.0;
    for (std::int64_t i = 0; i < maps.rows(); ++i) {
        nn::im2col(plain, padding.add(maps.row(i).data()), i % (plain.oh() * plain.ow()), 1, patch.data());
        const double mean = std::accumulate(patch.begin(), patch.end(), 0.0) / static_cast<double>(d);
        variance += base::squared_norm(patch) / static_cast<double>(d) - mean * mean;
    }
    return variance / static_cast<double>(maps.rows());
}

PatchSampler::PatchSampler(const Conv2d& layer, const TrainContext& context)
    : shape_(layer.shape()), input_(layer.input_shape()), pad_(layer.pad), slow_offset_(layer.slow_offset) {
    const PatchCount count = patch_count(layer, context.plan());
    pictures_ =
        sample_rows(context.train, count.pictures, context, static_cast<std::uint32_t>(PatchUse::pictures));
    patches_ = Tensor({count.patches, shape_.patch_size()});
}

bool PatchSampler::step(TrainContext& context) {
    const std::int64_t all = std::ssize(pictures_);
    const Tensor maps = context.input.gather(next_rows(pictures_, done_, context.input.chunk()));
    const std::int64_t samples = patches_.rows() / (slow_offset_ > 0 ? 2 : 1);
    base::parallel_ranges(maps.rows(), 1, [&](std::int64_t begin, std::int64_t end) {
        Padding padding(input_, pad_);
        for (std::int64_t p = begin; p < end; ++p) {
            const float* map = padding.add(maps.row(p).data());
            // The samples of picture q are [q · samples / all, (q + 1) · samples / all).
            const std::int64_t last = (done_ + p + 1) * samples / all;
            for (std::int64_t i = (done_ + p) * samples / all; i < last; ++i) {
                sample(map, i, context);
            }
        }
    });
    done_ += maps.rows();
    return done_ < all;
}

void PatchSampler::sample(const float* map, std::int64_t i, const TrainContext& context) {
    const auto bits = base::Random(context.config.seed, base::RandomStream::patches, context.stage,
                                   static_cast<std::uint32_t>(PatchUse::positions))
                          .block(static_cast<std::uint32_t>(i));
    const auto below = [](std::uint32_t number, std::int64_t bound) {
        return static_cast<std::int64_t>((std::uint64_t{number} * static_cast<std::uint64_t>(bound)) >> 32U);
    };
    const std::int64_t y = below(bits[0], shape_.oh());
    const std::int64_t x = below(bits[1], shape_.ow());
    if (slow_offset_ == 0) {
        nn::im2col(shape_, map, y * shape_.ow() + x, 1, patches_.row(i).data());
        return;
    }
    const std::int64_t reach = 2 * slow_offset_ + 1;
    const auto near = [&](std::int64_t place, std::uint32_t number, std::int64_t positions) {
        return std::clamp<std::int64_t>(place + below(number, reach) - slow_offset_, 0, positions - 1);
    };
    nn::im2col(shape_, map, y * shape_.ow() + x, 1, patches_.row(2 * i).data());
    nn::im2col(shape_, map, near(y, bits[2], shape_.oh()) * shape_.ow() + near(x, bits[3], shape_.ow()), 1,
               patches_.row(2 * i + 1).data());
}

}  // namespace stackae::layers

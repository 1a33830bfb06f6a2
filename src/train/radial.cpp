#include "train/radial.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "base/rows.hpp"
#include "linalg/gemm.hpp"
#include "linalg/inverse_sqrt.hpp"
#include "linalg/spherical_kmeans.hpp"

namespace stackae::training {
namespace {

/// On held-out CIFAR-10 pictures, γ 1 and 2 are alike, and variances to the power of −0.1 to −0.2 do best,
/// MNIST likes the former.
constexpr float gamma = 1.0F;
constexpr double power = 0.15;
constexpr float ridge = 0.01F;       // of R
constexpr std::uint32_t layer = 64;  // of random numbers: above all others

/// exp(γ (C Cᵀ − 1)) + ridge of some centres.
Tensor kernel_of(linalg::Context& context, const float* centres, std::int64_t size, std::int64_t inputs) {
    Tensor kernel({size, size});
    linalg::Gemm(context, size, size, inputs, {.trans_b = true}).run(centres, centres, kernel.data());
    for (std::int64_t i = 0; i < size; ++i) {
        const auto row = kernel.row(i);
        std::transform(row.begin(), row.end(), row.begin(),
                       [](float cosine) { return std::exp(gamma * (cosine - 1.0F)); });
        row[static_cast<std::size_t>(i)] += ridge;
    }
    return kernel;
}

}  // namespace

std::int64_t radial_block_of(std::int64_t units) {
    const std::int64_t blocks = (units + radial_block - 1) / radial_block;
    return (units + blocks - 1) / blocks;
}

std::optional<RadialLayer> fit_radial(linalg::Context& context, SampleStore& codes,
                                      std::span<const double> variances, double code_power,
                                      std::int64_t units, std::uint64_t seed,
                                      const std::function<bool()>& stop) {
    const std::int64_t inputs = codes.columns();
    RadialLayer radial;
    radial.gamma = gamma;
    radial.scale = Tensor({inputs});
    // A direction in which nothing varies has nothing to say.
    std::transform(variances.begin(), variances.end(), radial.scale.data(), [&](double variance) {
        return static_cast<float>(std::pow(std::max(variance, 1e-12), code_power - power));
    });
    double lengths = 0.0;
    for (std::int64_t i = 0; i < codes.rows(); ++i) {
        const std::span<float> row(codes.row(i), static_cast<std::size_t>(inputs));
        std::transform(row.begin(), row.end(), radial.scale.data(), row.begin(), std::multiplies<>{});
        lengths += std::sqrt(base::squared_norm(row));
        base::l2_normalize(row, row);
    }
    radial.length = static_cast<float>(std::max(lengths / static_cast<double>(codes.rows()), 1e-6));
    units = std::min(units, codes.rows());
    // No centroid is seeded anew where few pictures are near: it would be a picture by itself, which knows
    // that picture better than any other, and a classifier that learns from the same pictures trusts it too
    // much.
    radial.centres = linalg::spherical_kmeans(context, codes.row(0), codes.rows(), inputs,
                                              {.k = units,
                                               .iterations = radial_iterations,
                                               .min_points_per_centroid = 0,
                                               .seed = seed,
                                               .layer = layer},
                                              stop);
    const std::int64_t block = radial_block_of(units);
    radial.mixing = Tensor({units, block});
    for (std::int64_t first = 0; first < units; first += block) {
        if (stop()) {
            return std::nullopt;
        }
        const std::int64_t size = std::min(block, units - first);
        const Tensor mixing =
            linalg::inverse_sqrt(context, kernel_of(context, radial.centres.row(first).data(), size, inputs));
        for (std::int64_t i = 0; i < size; ++i) {
            std::copy_n(mixing.row(i).data(), size, radial.mixing.row(first + i).data());
        }
    }
    return radial;
}

}  // namespace stackae::training

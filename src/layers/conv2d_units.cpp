#include "layers/conv2d_units.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "linalg/pca.hpp"
#include "linalg/tiled_product.hpp"

namespace stackae::layers {
Tensor slow_features(const Tensor& whitened, std::int64_t units, base::Communicator& communicator) {
    const std::int64_t r = whitened.columns();
    const std::int64_t pairs = whitened.rows() / 2;
    const std::int64_t block = std::min(block_rows, pairs);
    Tensor first({block, r});
    Tensor second({block, r});
    Tensor sum({r, r});
    const linalg::TiledProduct product{.m = r, .n = r, .k = block, .trans_a = true};
    const base::Share share = base::share_of(communicator, pairs);
    for (std::int64_t begin = share.first; begin < share.last; begin += block) {
        std::fill_n(first.data(), first.size(), 0.0F);
        std::fill_n(second.data(), second.size(), 0.0F);
        for (std::int64_t i = 0; i < std::min(block, share.last - begin); ++i) {
            std::copy_n(whitened.row(2 * (begin + i)).data(), r, first.row(i).data());
            std::copy_n(whitened.row(2 * (begin + i) + 1).data(), r, second.row(i).data());
        }
        product.add(first.data(), second.data(), sum.data());
    }
    communicator.sum(sum.values());
    const float scale = 0.5F / static_cast<float>(pairs);
    Tensor alike({r, r});
    for (std::int64_t i = 0; i < r; ++i) {
        for (std::int64_t j = 0; j < r; ++j) {
            alike.data()[i * r + j] = scale * (sum.data()[i * r + j] + sum.data()[j * r + i]);
        }
    }
    return linalg::top_eigenvectors(alike, units).vectors;
}

Tensor thresholds(const Conv2d& layer, const Tensor& whitened) {
    const std::int64_t count = std::min(threshold_patches, whitened.rows());
    Tensor some({count, whitened.columns()});
    for (std::int64_t i = 0; i < count; ++i) {  // from all over, since the first are of one class
        std::copy_n(whitened.row(i * whitened.rows() / count).data(), some.columns(), some.row(i).data());
    }
    Tensor products({count, layer.units});
    linalg::TiledProduct{.m = count, .n = layer.units, .k = some.columns(), .trans_b = true}.run(
        some.data(), layer.weights.data(), products.data());
    std::vector<float> values(products.values().begin(), products.values().end());
    if (layer.activation == nn::PatchActivation::crelu) {
        std::transform(values.begin(), values.end(), values.begin(), [](float v) { return std::abs(v); });
    }
    const auto rank =
        static_cast<std::ptrdiff_t>((1.0 - layer.activation_rate) * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + rank, values.end());
    Tensor bias({layer.units});
    if (layer.activation != nn::PatchActivation::linear) {
        std::fill_n(bias.data(), bias.size(), -std::max(0.0F, values[static_cast<std::size_t>(rank)]));
    }
    return bias;
}

}  // namespace stackae::layers

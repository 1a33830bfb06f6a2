#include "model/radial_runner.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/rows.hpp"
#include "linalg/vector_ops.hpp"

namespace stackae::encoding {

RadialRunner::RadialRunner(const RadialLayer& layer)
    : layer_(layer), zeros_({std::max(layer.block(), layer.inputs())}) {
    const std::int64_t inputs = layer.inputs();
    const auto gamma = double{layer.gamma};
    for (std::int64_t first = 0; first < layer.units(); first += layer.block()) {
        const std::int64_t size = std::min(layer.block(), layer.units() - first);
        Block& block = blocks_.emplace_back();
        block.first = first;
        block.centres = Tensor({size, inputs});
        block.far = Tensor({size});
        block.mixing = Tensor({size, size});
        block.offset = Tensor({size});
        for (std::int64_t i = 0; i < size; ++i) {
            const auto centre = layer.centres.row(first + i);
            std::transform(centre.begin(), centre.end(), block.centres.row(i).begin(),
                           [gamma](float value) { return static_cast<float>(gamma * double{value}); });
            block.far.data()[i] = -layer.gamma;
            const auto mixing = layer.mixing.row(first + i).first(static_cast<std::size_t>(size));
            std::copy(mixing.begin(), mixing.end(), block.mixing.row(i).begin());
            block.offset.data()[i] = static_cast<float>(std::accumulate(mixing.begin(), mixing.end(), 0.0));
        }
    }
    for (const Block& block : blocks_) {
        const std::int64_t size = block.centres.rows();
        encoders_.emplace_back(std::vector<Chain::Link>{
            {Activation::elu, block.centres.data(), block.far.data(), inputs, size, false},
            {Activation::linear, block.mixing.data(), block.offset.data(), size, size, false}});
        decoders_.emplace_back(std::vector<Chain::Link>{
            {Activation::linear, block.mixing.data(), zeros_.data(), size, size, true},
            {Activation::linear, block.centres.data(), zeros_.data(), size, inputs, true}});
    }
}

Tensor RadialRunner::encode(linalg::Context& context, const Tensor& codes) {
    check_columns("encode", codes, layer_.inputs());
    Tensor directions({codes.rows(), layer_.inputs()});
    for (std::int64_t i = 0; i < codes.rows(); ++i) {
        const auto z = directions.row(i);
        const auto code = codes.row(i);
        std::transform(code.begin(), code.end(), layer_.scale.data(), z.begin(), std::multiplies<>{});
        base::l2_normalize(z, z);
    }
    Tensor result({codes.rows(), layer_.units()});
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
        const Tensor part = encoders_[b].run(context, directions, "encode");
        for (std::int64_t i = 0; i < part.rows(); ++i) {
            std::copy_n(part.row(i).data(), part.columns(), result.row(i).data() + blocks_[b].first);
        }
    }
    return result;
}

Tensor RadialRunner::decode(linalg::Context& context, const Tensor& codes) {
    check_columns("decode", codes, layer_.units());
    Tensor result({codes.rows(), layer_.inputs()});
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
        const std::int64_t size = blocks_[b].centres.rows();
        Tensor part({codes.rows(), size});
        for (std::int64_t i = 0; i < codes.rows(); ++i) {
            std::copy_n(codes.row(i).data() + blocks_[b].first, size, part.row(i).data());
        }
        const Tensor summed = decoders_[b].run(context, part, "decode");
        linalg::add(summed.data(), summed.size(), result.data());
    }
    const float length =
        layer_.length / (layer_.gamma * static_cast<float>(blocks_.size()));  // the centres have γ in them
    for (std::int64_t i = 0; i < result.rows(); ++i) {
        const auto row = result.row(i);
        std::transform(row.begin(), row.end(), layer_.scale.data(), row.begin(),
                       [length](float value, float scale) { return length * value / scale; });
    }
    return result;
}

}  // namespace stackae::encoding

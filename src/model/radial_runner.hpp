#pragma once

#include <cstdint>
#include <vector>

#include "stackae/model.hpp"

#include "model/dense_runner.hpp"

namespace stackae::encoding {

/// Radial units, block by block: a chain of two layers each, since exp(x) = elu(x) + 1 where x is 0 or less.
class RadialRunner {
public:
    /// The layer must outlive this.
    explicit RadialRunner(const RadialLayer& layer);

    Tensor encode(linalg::Context& context, const Tensor& codes);
    Tensor decode(linalg::Context& context, const Tensor& codes);

private:
    struct Block {
        std::int64_t first = 0;  ///< unit
        Tensor centres;          ///< γ C
        Tensor far;              ///< −γ
        Tensor mixing;           ///< R
        Tensor offset;           ///< R 1
    };

    const RadialLayer& layer_;
    Tensor zeros_;  ///< the decoders' bias
    std::vector<Block> blocks_;
    std::vector<BlockRunner> encoders_;
    std::vector<BlockRunner> decoders_;
};

}  // namespace stackae::encoding

#include "evaluate/depth_encoder.hpp"

#include "linalg/onednn.hpp"
#include "model/finite.hpp"

namespace stackae::evaluation {

DepthEncoder::DepthEncoder(const Model& model, const std::vector<std::size_t>& depths, int threads)
    : threads_(threads) {
    std::size_t below = 0;
    for (const std::size_t depth : depths) {
        const std::size_t first = layers::chain_begin(model.layers.layers(), below, depth);
        parts_.push_back(
            {first == 0, {model.layers.layers(first, depth), layers::Direction::encode, threads}});
        below = depth;
    }
}

void DepthEncoder::run(const Tensor& pictures, const std::function<void(std::size_t, const Tensor&)>& visit) {
    Tensor codes;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        codes = linalg::run_on_backend("encode", threads_, [&] {
            Part& part = parts_[i];
            return part.of_pictures ? part.chain.run(pictures) : part.chain.run(std::move(codes));
        });
        encoding::check_finite("encode: the code of picture", codes);
        visit(i, codes);
    }
}

}  // namespace stackae::evaluation

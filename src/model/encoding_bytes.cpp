#include <algorithm>

#include "stackae/model.hpp"

#include "base/memory.hpp"
#include "layers/chain.hpp"

namespace stackae {

std::int64_t encoding_bytes(const Model& model, std::string_view output, int threads, std::int64_t n) {
    const auto begin = model.layers.layers().begin();
    const layers::Chain chain({begin, begin + static_cast<std::ptrdiff_t>(model.depth_of(output))},
                              layers::Direction::encode, threads);
    // The pictures as they are given, and as the chain takes them.
    const double pictures = static_cast<double>(n) * static_cast<double>(model.input_shape().size());
    return base::whole_bytes(static_cast<double>(sizeof(float)) * (pictures + chain.working_floats(n)));
}

}  // namespace stackae

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "stackae/stack_model.hpp"

#include "layers/sample.hpp"

namespace stackae::test {

/// A model of a stack's text with random values, for pictures of that shape with values in [0, 1]. Without
/// outputs the whole stack is the one, "embedding". It rebuilds by the layers' own decoders, where they have
/// them.
inline StackModel sample_model(const std::string& text, const Shape& picture,
                               std::vector<NamedOutput> outputs = {}, std::uint32_t seed = 1) {
    StackModel model;
    model.preprocessing.height = static_cast<int>(picture.height);
    model.preprocessing.width = static_cast<int>(picture.width);
    model.preprocessing.channels = static_cast<int>(picture.channels);
    model.layers = filled_stack(text, picture, seed);
    if (outputs.empty()) {
        outputs = {{"embedding", model.layers.size()}};
    }
    model.outputs = std::move(outputs);
    model.reconstruction.depth = model.outputs.front().depth;
    model.record.config.stack = parse_stack(text);
    return model;
}

}  // namespace stackae::test

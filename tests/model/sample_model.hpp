#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stackae/model.hpp"

#include "layers/sample.hpp"
#include "layers/tensors.hpp"

namespace stackae::test {

/// A model of a stack's text with random values, for pictures of that shape with values in [0, 1]. Without
/// outputs the whole stack is the one, "embedding". It rebuilds by the layers' own decoders, where they have
/// them.
inline Model sample_model(const std::string& text, const Shape& picture,
                          std::vector<NamedOutput> outputs = {}, std::uint32_t seed = 1) {
    Model model;
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

/// Gives a tensor of a layer these values; 0 where there are fewer of them.
inline void set_tensor(Model& model, std::size_t layer, std::string_view name,
                       const std::vector<float>& values) {
    std::unique_ptr<Layer> changed = model.layers[layer].clone();
    layers::TensorTable table;
    changed->tensors(table);
    for (const auto& row : table) {
        if (row.name == name) {
            *row.tensor = Tensor(row.shape);
            std::copy(values.begin(), values.end(), row.tensor->data());
        }
    }
    model.layers.replace(layer, std::move(changed));
}

}  // namespace stackae::test

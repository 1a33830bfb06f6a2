#pragma once

#include <utility>

#include "stackae/model.hpp"

namespace stackae::test {

/// 3 × 3 pixels to 2 numbers.
inline Model small_model() {
    Model model;
    model.recipe.channels = 1;
    model.recipe.height = model.recipe.width = 3;
    DenseLayer layer{Activation::linear, Activation::linear, Tensor({2, 9}), Tensor({2}), {}, Tensor({9})};
    for (std::int64_t i = 0; i < layer.weights.size(); ++i) {
        layer.weights.data()[i] = static_cast<float>(i % 5);
    }
    model.layers.push_back(std::move(layer));
    return model;
}

}  // namespace stackae::test

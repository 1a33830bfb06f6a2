#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fmt/format.h>

#include "stackae/error.hpp"
#include "stackae/model.hpp"
#include "stackae/visualize.hpp"

namespace stackae::visualize {

/// Throws InvalidArgument when the model has no such layer, 1-based.
inline void check_layer(const Model& model, int layer) {
    if (layer < 1 || layer > model.depth()) {
        throw InvalidArgument(fmt::format("filters: layer {} found, 1 to {} expected", layer, model.depth()));
    }
}

/// Units, and the place of each one's value in a code: in the middle cell of maps.
struct Units {
    Units(const Model& model, int layer) {
        const auto index = static_cast<std::size_t>(layer - 1);
        if (index < model.convolutions.size()) {
            const ConvolutionShape& shape = model.convolutions[index].shape;
            count = shape.units;
            first = (shape.cells_down() / 2 * shape.cells_across() + shape.cells_across() / 2) *
                    shape.code_channels();
        } else {
            count = model.code_size(layer);
        }
        drawn = std::min(count, max_filters);
    }
    std::int64_t count = 0;
    std::int64_t drawn = 0;
    std::int64_t first = 0;
};

}  // namespace stackae::visualize

#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "stackae/model.hpp"
#include "stackae/visualize.hpp"

namespace stackae::visualize {

/// The units of an output: its channels, each with a value at every position.
struct Units {
    Units(const Model& model, std::string_view output)
        : depth(model.depth_of(output)),
          shape(model.layers.output_shape(model.input_shape(), depth)),
          drawn(std::min(shape.channels, max_filters)) {}

    [[nodiscard]] std::int64_t positions() const { return shape.height * shape.width; }

    std::size_t depth;  ///< of the output
    Shape shape;        ///< of its code
    std::int64_t drawn;
};

}  // namespace stackae::visualize

#pragma once

#include <memory>
#include <string_view>

#include "stackae/layer.hpp"

namespace stackae::layers {

/// A layer of that kind with its default fields. Throws InvalidArgument that lists the kinds there are.
[[nodiscard]] std::unique_ptr<Layer> make_layer(std::string_view type);

}  // namespace stackae::layers

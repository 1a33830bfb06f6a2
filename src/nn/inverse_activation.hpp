#pragma once

#include "stackae/activation.hpp"

namespace stackae::nn {

/// g⁻¹(value), at the nearest value that g takes.
[[nodiscard]] double inverse(Activation activation, double value);

}  // namespace stackae::nn

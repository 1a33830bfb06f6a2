#pragma once

#include "stackae/enum_names.hpp"

namespace stackae {

/// f in h = f(W x + b). Has names.
enum class Activation {
    linear,   ///< z
    sigmoid,  ///< 1 / (1 + exp(−z))
    tanh,     ///< tanh(z)
    relu,     ///< max(0, z)
    elu,      ///< z for z > 0, else exp(z) − 1
    silu,     ///< z / (1 + exp(−z))
};

}  // namespace stackae

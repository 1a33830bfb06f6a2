#pragma once

#include "stackae/enum_names.hpp"

namespace stackae {

/// What is done to a layer's input, but not to its target, in greedy training (Vincent et al. 2010). Has
/// names.
enum class Corruption {
    none,
    masking,  ///< each value is set to 0 with probability `corruption_level`
    /// masking, and what is left is divided by 1 − `corruption_level`: its mean stays (Srivastava et al.
    /// 2014)
    dropout,
    gaussian,         ///< noise of deviation `corruption_level` is added
    salt_and_pepper,  ///< with probability `corruption_level`, set to 0 or 1, evenly
};

}  // namespace stackae

#pragma once

namespace stackae::cli {

/// The second half of what the file does before main: gives the environment back as it was, but for a bound
/// of how long LLVM's OpenMP threads spin. To be called first in main.
void bound_waiting();

}  // namespace stackae::cli

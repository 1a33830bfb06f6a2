#pragma once

namespace stackae::core {

/// The number of threads meant by an option: itself when positive, else one for each core this process may
/// use. Throws InvalidArgument when negative.
[[nodiscard]] int resolve_threads(int threads);

}  // namespace stackae::core

#pragma once

namespace stackae::core {

/// More is a slip, not a wish.
inline constexpr int most_threads = 1024;

/// The number of threads meant by an option: itself when positive, else one for each core this process may
/// use. Throws InvalidArgument when negative or above most_threads.
[[nodiscard]] int resolve_threads(int threads);

}  // namespace stackae::core

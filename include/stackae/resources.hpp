#pragma once

#include <cstdint>

/// What of the machine a piece of work may take.
namespace stackae {

/// Threads that an option may ask for at most; more is a slip, not a wish.
inline constexpr int max_threads = 1024;

/// The number of threads meant by an option. 0: one for each core that the process's affinity and its control
/// groups' quota leave it. Else the number itself, though no more than the quota pays for: more would wait
/// for each other's next share of time and be slower than one (results are the same at any number). The quota
/// is looked up once. At least 1. Throws InvalidArgument when negative or above max_threads.
[[nodiscard]] int resolve_threads(int threads);

/// The bytes meant by an option: itself when positive, else half of what the machine has or of what the
/// process's control groups or its limit of address space (ulimit -v) allow, where that is less.
[[nodiscard]] std::int64_t resolve_memory(std::int64_t bytes);

/// The library's version, `MAJOR.MINOR.PATCH`.
[[nodiscard]] const char* version();

}  // namespace stackae

#pragma once

#include <filesystem>

namespace stackae::base {

/// More is a slip, not a wish.
inline constexpr int most_threads = 1024;

/// Cores that this process may keep busy: those its affinity allows, or as many as its control groups' quota
/// pays for where that is less, rounded up (a quota of half a core is one, of 1.5 are two). At least 1.
/// root: see group_limits().
[[nodiscard]] int usable_cores(const std::filesystem::path& root = "/");

/// The number of threads meant by an option: one for each of usable_cores() when 0, else the number itself,
/// though no more than the quota pays for: more would wait for each other's next share of time and be slower
/// than one (results are the same at any number). The quota is looked up once. Throws InvalidArgument when
/// negative or above most_threads.
[[nodiscard]] int resolve_threads(int threads);
/// The same, the quota looked up anew. root: see group_limits().
[[nodiscard]] int resolve_threads(int threads, const std::filesystem::path& root);

}  // namespace stackae::base

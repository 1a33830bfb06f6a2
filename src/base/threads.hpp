#pragma once

#include <filesystem>

#include "stackae/resources.hpp"

namespace stackae::base {

/// Cores that this process may keep busy: those its affinity allows, or as many as its control groups' quota
/// pays for where that is less, rounded up (a quota of half a core is one, of 1.5 are two). At least 1.
/// root: see group_limits().
[[nodiscard]] int usable_cores(const std::filesystem::path& root = "/");

using stackae::resolve_threads;
/// The same, the quota looked up anew. root: see group_limits().
[[nodiscard]] int resolve_threads(int threads, const std::filesystem::path& root);

}  // namespace stackae::base

#pragma once

#include <filesystem>

#include "stackae/resources.hpp"

namespace stackae::base {

using stackae::resolve_threads;
/// The same, the quota looked up anew: as many threads as it pays for, rounded up (half a core is one, 1.5
/// are two). root: see group_limits().
[[nodiscard]] int resolve_threads(int threads, const std::filesystem::path& root);

}  // namespace stackae::base

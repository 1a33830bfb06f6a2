#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace stackae::base {

/// What Linux's control groups (cgroups, version 2 and 1) leave to this process: the least that its own group
/// and every group above it allow. Absent where nothing is limited or nothing can be read.
struct GroupLimits {
    std::optional<double> cores;         ///< quota / period: processor seconds a second
    std::optional<std::int64_t> memory;  ///< bytes
};

/// Reads proc/self/cgroup and proc/self/mountinfo below `root`, and the groups' files where those say, below
/// `root` as well.
[[nodiscard]] GroupLimits group_limits(const std::filesystem::path& root = "/");

}  // namespace stackae::base

#pragma once

#include <cstdint>
#include <filesystem>

#include "stackae/resources.hpp"

namespace stackae::base {

/// Bytes that this process may take at most: the machine's memory, or what its control groups or its limit of
/// address space (ulimit -v) allow where that is less. root: see group_limits().
[[nodiscard]] std::int64_t allowed_memory(const std::filesystem::path& root = "/");

using stackae::resolve_memory;

/// Of the bytes meant by an option, see resolve_memory(), what pictures may take that are read ahead: an
/// eighth, at most 256 MiB.
[[nodiscard]] std::int64_t reading_memory(std::int64_t bytes);

/// Gives the system back what is free between what is held. Where large blocks come and go while small ones
/// are kept from among them, as names of pictures are while these are read, the allocator's holes are never
/// filled again.
void trim_memory();

/// Whole bytes, at most what fits; sizes that are products of what a user asks for are reckoned as doubles.
[[nodiscard]] std::int64_t whole_bytes(double bytes);

}  // namespace stackae::base

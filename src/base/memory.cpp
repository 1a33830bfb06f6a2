#include "base/memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/control_group.hpp"

namespace stackae::base {
namespace {

/// Of the whole machine.
std::int64_t physical_memory(const std::filesystem::path& root) {
    std::ifstream file(root / "proc/meminfo");
    std::string name;
    for (std::int64_t kibibytes = 0; file >> name >> kibibytes;) {
        if (name == "MemTotal:") {
            return kibibytes * 1024;
        }
        file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
    return std::int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

std::int64_t allowed_memory(const std::filesystem::path& root) {
    std::int64_t bytes = physical_memory(root);
    bytes = std::min(bytes, group_limits(root).memory.value_or(bytes));
    rlimit address_space{};
    if (::getrlimit(RLIMIT_AS, &address_space) == 0 && address_space.rlim_cur < static_cast<rlim_t>(bytes)) {
        bytes = static_cast<std::int64_t>(address_space.rlim_cur);
    }
    return std::max<std::int64_t>(1, bytes);
}

std::int64_t reading_memory(std::int64_t bytes) {
    return std::clamp<std::int64_t>(resolve_memory(bytes) / 8, 1, std::int64_t{256} << 20);
}

void trim_memory() {
#ifdef __GLIBC__
    ::malloc_trim(0);
#endif
}

std::int64_t whole_bytes(double bytes) {
    constexpr double most = 0x1p62;
    return bytes < most ? static_cast<std::int64_t>(bytes) : std::int64_t{1} << 62;
}

}  // namespace stackae::base

std::int64_t stackae::resolve_memory(std::int64_t bytes) {
    return bytes > 0 ? bytes : std::max<std::int64_t>(1, base::allowed_memory() / 2);
}

#pragma once

#include <cstdint>
#include <fstream>
#include <unistd.h>

namespace stackae::test {

/// Bytes of memory that this process has resident now.
inline std::int64_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::int64_t pages = 0;
    file >> pages >> pages;  // the size first
    return pages * sysconf(_SC_PAGESIZE);
}

}  // namespace stackae::test

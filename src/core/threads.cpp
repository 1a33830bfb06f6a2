#include "core/threads.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <sched.h>
#include <thread>

#include "stackae/error.hpp"

namespace stackae::core {

int resolve_threads(int threads) {
    if (threads < 0 || threads > most_threads) {
        throw InvalidArgument(
            fmt::format("threads: {} found, 0 (one a core) to {} expected", threads, most_threads));
    }
    if (threads > 0) {
        return threads;
    }
    cpu_set_t allowed;  // taskset and containers narrow it; hardware_concurrency() may not see that
    if (::sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
        return std::max(1, CPU_COUNT(&allowed));
    }
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace stackae::core

#include "base/threads.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <sched.h>
#include <thread>

#include "stackae/error.hpp"

#include "base/control_group.hpp"

namespace stackae::base {
namespace {

/// The affinity: taskset and containers narrow it; hardware_concurrency() may not see that.
int allowed_cores() {
    cpu_set_t allowed;
    if (::sched_getaffinity(0, sizeof(allowed), &allowed) == 0) {
        return std::max(1, CPU_COUNT(&allowed));
    }
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int paid_cores(const GroupLimits& limits) {
    const double cores = limits.cores.value_or(max_threads);
    return static_cast<int>(std::clamp(std::ceil(cores), 1.0, double{max_threads}));
}

int threads_for(int threads, int paid) {
    if (threads < 0 || threads > max_threads) {
        throw InvalidArgument(
            fmt::format("threads: {} found, 0 (one a core) to {} expected", threads, max_threads));
    }
    return std::min(threads > 0 ? threads : allowed_cores(), paid);
}

}  // namespace

int resolve_threads(int threads, const std::filesystem::path& root) {
    return threads_for(threads, paid_cores(group_limits(root)));
}

}  // namespace stackae::base

int stackae::resolve_threads(int threads) {
    static const int paid = base::paid_cores(base::group_limits());  // asked for at every call of an encoder
    return base::threads_for(threads, paid);
}

#include "core/threads.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <thread>

#include "stackae/error.hpp"

namespace stackae::core {

int resolve_threads(int threads) {
    if (threads < 0) {
        throw InvalidArgument(fmt::format("threads: {} found, 0 or more expected", threads));
    }
    return threads > 0 ? threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace stackae::core

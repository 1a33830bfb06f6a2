#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "base/team.hpp"

namespace stackae::search {

/// Calls work(i) for i from 0 to count − 1, in any order, on at most so many threads. Each thread makes a
/// `work` of its own by make(): oneDNN's primitives and their scratch memory belong to a thread. Rethrows
/// what one of them threw.
template <class Make>
void share_out(std::int64_t count, int threads, const Make& make) {
    std::atomic<std::int64_t> next{0};
    const int team = static_cast<int>(std::clamp<std::int64_t>(count, 1, threads));
    base::run_team(team, [&](int /*member*/, int /*team*/) {
        try {
            auto work = make();
            for (std::int64_t i = next++; i < count; i = next++) {
                work(i);
            }
        } catch (...) {
            next = count;
            throw;
        }
    });
}

}  // namespace stackae::search

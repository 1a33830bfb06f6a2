#pragma once

#include <cstdint>
#include <exception>
#include <omp.h>

namespace stackae::search {

/// Calls work(i) for i from 0 to count − 1 on so many threads, in any order. Each thread makes a `work` of
/// its own by make(): oneDNN's primitives and their scratch memory belong to a thread. Rethrows what one
/// threw.
template <class Make>
void share_out(std::int64_t count, int threads, const Make& make) {
    std::exception_ptr failure;
#pragma omp parallel num_threads(threads)
    try {
        auto work = make();
#pragma omp for schedule(dynamic) nowait
        for (std::int64_t i = 0; i < count; ++i) {
            work(i);
        }
    } catch (...) {
#pragma omp critical(stackae_share_out)
        failure = std::current_exception();
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
}

}  // namespace stackae::search

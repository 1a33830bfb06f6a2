#pragma once

#include <algorithm>
#include <cstdint>
#include <omp.h>

#include "base/team.hpp"

// What the loader calls to choose among clones runs before a sanitizer is ready. (Clang tells of one by
// features.)
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define STACKAE_SANITIZED
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define STACKAE_SANITIZED
#endif
#endif

/// Kernels marked so are compiled for several instruction sets and chosen when the program is loaded.
#if defined(__x86_64__) && !defined(STACKAE_SANITIZED) && (!defined(__clang__) || __clang_major__ >= 14)
#define STACKAE_VECTORIZED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define STACKAE_VECTORIZED
#endif

namespace stackae::nn {

/// Calls body(begin, end) for parts of [0, size) on as many threads as OpenMP is set to. Parts are multiples
/// of `grain` and small ranges stay on the calling thread.
template <class Body>
void parallel_ranges(std::int64_t size, std::int64_t grain, const Body& body) {
    const std::int64_t grains = (size + grain - 1) / grain;
    const int threads = static_cast<int>(std::min<std::int64_t>(omp_get_max_threads(), grains));
    if (threads <= 1) {
        body(std::int64_t{0}, size);
        return;
    }
    base::run_team(threads, [&](std::int64_t thread, std::int64_t team) {
        const std::int64_t begin = grains * thread / team * grain;
        const std::int64_t end = std::min(size, grains * (thread + 1) / team * grain);
        if (begin < end) {
            body(begin, end);
        }
    });
}

}  // namespace stackae::nn
